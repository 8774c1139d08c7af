//go:build unix && !linux

package guard

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func executable() (string, error) { return os.Executable() }

func guardAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(pid int) {
	if pid > 1 {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// Main is the guard where the kernel hands orphans to nobody but init: when the
// lifeline ends it kills the command's process group. What left the group is beyond its reach.
func Main(args []string) int {
	lifeline, status := os.NewFile(3, "lifeline"), os.NewFile(4, "status")
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "exec-guard is used by the exec tool and takes a command")
		return 2
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	path, err := lookPath(args[0])
	if err != nil {
		tell(status, "fail %v\n", err)
		return 1
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		tell(status, "fail %v\n", err)
		return 1
	}
	p, err := os.StartProcess(path, args, &os.ProcAttr{
		Env: os.Environ(), Files: []*os.File{null, os.Stdout, os.Stderr}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		tell(status, "fail %v\n", err)
		return 1
	}
	_ = os.Stdout.Close()
	_ = os.Stderr.Close()
	tell(status, "pid %d\n", p.Pid)
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, lifeline)
		close(ended)
	}()
	go func() {
		st, err := p.Wait()
		if err != nil {
			_ = status.Close()
			return
		}
		if ws, ok := st.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			tell(status, "signal %s\n", ws.Signal())
		} else {
			tell(status, "exit %d\n", st.ExitCode())
		}
		_ = status.Close()
		// The group may live on; it ends with the lifeline.
		if syscall.Kill(-p.Pid, 0) != nil {
			os.Exit(0)
		}
	}()
	select {
	case <-ended:
	case <-stop:
	}
	killGroup(p.Pid)
	return 0
}
