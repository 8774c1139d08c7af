package guard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// executable is the running program even where its file has been replaced.
func executable() (string, error) { return "/proc/self/exe", nil }

func guardAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(pid int) {
	if pid > 1 {
		_ = unix.Kill(-pid, unix.SIGKILL)
	}
}

// reaper collects children and kills them; the lock keeps a pid from being
// collected, and so from being given to a stranger, between looking it up and signalling it.
type reaper struct {
	mu sync.Mutex
}

// Main is the guard. It never returns before everything under it is gone; the
// result is the exit status.
func Main(args []string) int {
	lifeline, status := os.NewFile(3, "lifeline"), os.NewFile(4, "status")
	unix.CloseOnExec(3)
	unix.CloseOnExec(4)
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "exec-guard is used by the exec tool and takes a command")
		return 2
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		tell(status, "fail become the keeper of orphans: %v\n", err)
		return 1
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	// The death signal belongs to the thread that forks: this one stays to the end.
	runtime.LockOSThread()
	pid, err := launch(args)
	if err != nil {
		tell(status, "fail %v\n", err)
		return 1
	}
	hideOutput()
	tell(status, "pid %d\n", pid)
	r := &reaper{}
	go func() {
		ended := make(chan struct{})
		go func() {
			_, _ = io.Copy(io.Discard, lifeline)
			close(ended)
		}()
		select {
		case <-ended:
		case <-stop:
		}
		r.killAll()
	}()
	r.reap(pid, status)
	return 0
}

// launch starts the command as leader of its own session. It dies with this thread.
func launch(args []string) (int, error) {
	path, err := lookPath(args[0])
	if err != nil {
		return 0, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer func() { _ = null.Close() }()
	p, err := os.StartProcess(path, args, &os.ProcAttr{
		Env: os.Environ(), Files: []*os.File{null, os.Stdout, os.Stderr},
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return 0, err
	}
	pid := p.Pid
	_ = p.Release()
	return pid, nil
}

// hideOutput lets the command's pipe go, so that it ends with the command.
func hideOutput() {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	_ = unix.Dup3(int(null.Fd()), 1, 0)
	_ = unix.Dup3(int(null.Fd()), 2, 0)
	_ = null.Close()
}

// reap collects children until there is none, and tells how the command ended.
func (r *reaper) reap(command int, status *os.File) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return
		}
		r.mu.Lock()
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
		r.mu.Unlock()
		if err != nil || pid != command {
			continue
		}
		if ws.Signaled() {
			tell(status, "signal %s\n", unix.SignalName(ws.Signal()))
		} else {
			tell(status, "exit %d\n", ws.ExitStatus())
		}
		_ = status.Close()
	}
}

// killAll kills the children until the process ends because there is none. Orphans
// become children in turn, so that every descendant has its turn, wherever it hid.
func (r *reaper) killAll() {
	for {
		r.mu.Lock()
		for _, pid := range children(os.Getpid()) {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		r.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

// children of a process, by looking through all of them.
func children(parent int) []int {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer func() { _ = proc.Close() }()
	names, err := proc.Readdirnames(-1)
	if err != nil && len(names) == 0 {
		return nil
	}
	var out []int
	for _, n := range names {
		pid, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		raw, err := os.ReadFile("/proc/" + n + "/stat")
		if err != nil {
			continue
		}
		// The name in brackets may hold anything; what follows its last bracket is "<state> <parent> …".
		fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
		if len(fields) < 2 {
			continue
		}
		if ppid, err := strconv.Atoi(string(fields[1])); err == nil && ppid == parent {
			out = append(out, pid)
		}
	}
	return out
}
