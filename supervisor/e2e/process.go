package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// stopLimit bounds SIGTERM to exit: promised for the whole supervisor.
const stopLimit = 15 * time.Second

// process is one life of the supervisor.
type process struct {
	cmd    *exec.Cmd
	out    string // file with stdout and stderr
	exited chan struct{}
	err    error // of Wait; read after exited
}

// ExitError tells how a supervisor ended that was not meant to.
type ExitError struct {
	Err    error
	Output string
}

// Error gives the exit and what was printed.
func (e *ExitError) Error() string {
	return fmt.Sprintf("the supervisor ended: %v\n%s", e.Err, e.Output)
}

// Launch executes the supervisor and returns at once.
func (e *Env) Launch() {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.supervisor != nil {
		e.t.Fatal("a supervisor runs already")
	}
	e.starts++
	e.clean = false
	argv := []string{filepath.Join(e.Bin.Dir, supervisorBinary), "--port", strconv.Itoa(e.Port)}
	if e.WorkersDir != "" {
		argv = append(argv, "--workers-dir", e.WorkersDir)
	}
	argv = append(argv, e.Args...)
	if e.wrap != nil {
		argv = e.wrap(argv)
	}
	out := e.dir(fmt.Sprintf("supervisor-%d.out", e.starts))
	file, err := os.Create(out)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // it is ended by signals, as the tests say
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = e.dir("work"), e.environ(), file, file
	cmd.SysProcAttr = sysProcAttr(e.clones)
	if err := cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	p := &process{cmd: cmd, out: out, exited: make(chan struct{})}
	go func() {
		defer close(p.exited)
		p.err = cmd.Wait()
	}()
	e.supervisor = p
}

// running is the living supervisor, nil for none.
func (e *Env) running() *process {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.supervisor
}

// gone forgets a supervisor that has ended.
func (e *Env) gone(p *process) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.supervisor == p {
		e.supervisor = nil
	}
}

// PID is the supervisor's.
func (e *Env) PID() int {
	e.t.Helper()
	p := e.running()
	if p == nil {
		e.t.Fatal("no supervisor runs")
	}
	return p.cmd.Process.Pid
}

// Stop ends the supervisor with SIGTERM. It must exit with 0 in the promised time.
func (e *Env) Stop() time.Duration {
	e.t.Helper()
	p := e.running()
	if p == nil {
		e.t.Fatal("no supervisor runs")
	}
	e.CloseClient()
	return e.stop(p)
}

func (e *Env) stop(p *process) time.Duration {
	e.t.Helper()
	start := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		e.t.Error(err)
	}
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-p.exited:
		if p.err != nil {
			e.t.Errorf("SIGTERM: the supervisor must exit with 0: %v", p.err)
		}
		e.clean = p.err == nil
	case <-limit.C:
		e.t.Errorf("SIGTERM: the supervisor lives on after %s", stopLimit)
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // for its goroutines, in the dump
		waitOrKill(p)
	}
	e.gone(p)
	return time.Since(start)
}

// waitOrKill gives a process a moment to end, and then ends it.
func waitOrKill(p *process) {
	limit := time.NewTimer(5 * time.Second)
	defer limit.Stop()
	select {
	case <-p.exited:
	case <-limit.C:
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// KillSupervisor takes the supervisor away with SIGKILL and gives the moment at which it was gone.
func (e *Env) KillSupervisor() time.Time {
	e.t.Helper()
	p := e.running()
	if p == nil {
		e.t.Fatal("no supervisor runs")
	}
	e.CloseClient()
	if err := p.cmd.Process.Kill(); err != nil {
		e.t.Fatal(err)
	}
	<-p.exited
	e.gone(p)
	return time.Now()
}

// AwaitExit waits until the supervisor has ended by itself, and gives its code and what it printed.
func (e *Env) AwaitExit() (code int, output string) {
	e.t.Helper()
	p := e.running()
	if p == nil {
		e.t.Fatal("no supervisor runs")
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-p.exited:
	case <-limit.C:
		e.t.Fatalf("the supervisor has not ended\n%s", readFile(p.out))
	}
	e.gone(p)
	return p.cmd.ProcessState.ExitCode(), readFile(p.out)
}

// Output is what the last supervisor has printed so far.
func (e *Env) Output() string {
	e.mu.Lock()
	n := e.starts
	e.mu.Unlock()
	return readFile(e.dir(fmt.Sprintf("supervisor-%d.out", n)))
}

func readFile(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
