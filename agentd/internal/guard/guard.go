// Package guard runs one command so that nothing of it outlives this process.
//
// Between us and the command stands a small process, the guard: this program again,
// under the sub-command exec-guard. It holds the reading end of a pipe, the lifeline,
// whose other end only we have. When the pipe ends, because we say so or because we
// are dead, the guard kills everything that the command ever started, daemons that
// left its session included: the kernel hands their orphans to the guard. A command
// that has ended may leave such processes behind; they live on as long as we do.
package guard

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// SubCommand is the argument under which a program calls Main.
const SubCommand = "exec-guard"

// drainGrace is how long we read on after a command's end where processes that it
// left behind still hold its output open.
const drainGrace = 200 * time.Millisecond

// Command is what to run.
type Command struct {
	// Argv is the program and its arguments.
	Argv []string
	Dir  string
	// Env is the whole environment; nil = none.
	Env []string
	// Output takes standard output and standard error. Write is called from one goroutine.
	Output io.Writer
	// Guard is the program to run as guard; "" = this one.
	Guard string
}

// Exit says how a command ended.
type Exit struct {
	Code int
	// Signal that ended it ("SIGKILL"); "" = none.
	Signal string
	// Err: it is not known how it ended, or it could not be started.
	Err error
}

// Process is a command that was started. Its methods may be called from several goroutines.
type Process struct {
	pid      int
	cmd      *exec.Cmd
	lifeline *os.File
	once     sync.Once
	exit     Exit
	done     chan struct{}
	gone     chan struct{}
}

// Start runs a command under a guard. The error is about starting; afterwards Exit tells.
func Start(c Command) (*Process, error) {
	self := c.Guard
	if self == "" {
		var err error
		if self, err = executable(); err != nil {
			return nil, fmt.Errorf("find the guard: %w", err)
		}
	}
	var files []*os.File
	pipe := func() (r, w *os.File, err error) {
		if r, w, err = os.Pipe(); err == nil {
			files = append(files, r, w)
		}
		return r, w, err
	}
	closeAll := func() {
		for _, f := range files {
			_ = f.Close()
		}
	}
	lifeR, lifeW, err1 := pipe()
	statR, statW, err2 := pipe()
	outR, outW, err3 := pipe()
	if err := errors.Join(err1, err2, err3); err != nil {
		closeAll()
		return nil, fmt.Errorf("make pipes for a command: %w", err)
	}
	// No context: a guard ends with its lifeline and must not be killed itself.
	cmd := &exec.Cmd{Path: self, Args: append([]string{self, SubCommand, "--"}, c.Argv...), Dir: c.Dir, Env: c.Env}
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	cmd.Stdout, cmd.Stderr = outW, outW
	cmd.ExtraFiles = []*os.File{lifeR, statW}
	cmd.SysProcAttr = guardAttr()
	if err := cmd.Start(); err != nil {
		closeAll()
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	_ = lifeR.Close()
	_ = statW.Close()
	_ = outW.Close()
	p := &Process{cmd: cmd, lifeline: lifeW, done: make(chan struct{}), gone: make(chan struct{})}
	status := bufio.NewReader(statR)
	if err := p.begun(status); err != nil {
		p.Kill()
		_ = cmd.Wait()
		_ = statR.Close()
		_ = outR.Close()
		return nil, err
	}
	go p.follow(status, statR, outR, c.Output)
	return p, nil
}

// begun reads the guard's first line: the command runs, or why not.
func (p *Process) begun(status *bufio.Reader) error {
	line, err := status.ReadString('\n')
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch {
	case word == "pid":
		if p.pid, err = strconv.Atoi(rest); err == nil {
			return nil
		}
	case word == "fail":
		return fmt.Errorf("start command: %s", rest)
	case err == nil:
		err = fmt.Errorf("unexpected word %q", word)
	}
	return fmt.Errorf("start command: the guard did not answer: %w", err)
}

// follow reads the output and the command's end, and then waits for the guard.
func (p *Process) follow(status *bufio.Reader, statR, outR *os.File, out io.Writer) {
	defer close(p.gone)
	read := make(chan struct{})
	go func() {
		defer close(read)
		copyOutput(out, outR)
	}()
	line, err := status.ReadString('\n')
	_ = statR.Close()
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch {
	case word == "exit":
		p.exit.Code, err = strconv.Atoi(rest)
	case word == "signal":
		p.exit.Signal, err = rest, nil
	case err == nil:
		err = fmt.Errorf("unexpected word %q", word)
	}
	if err != nil {
		p.exit.Err = fmt.Errorf("the guard ended before the command did: %w", err)
		killGroup(p.pid)
	}
	grace := time.NewTimer(drainGrace)
	select {
	case <-read:
	case <-grace.C:
	}
	grace.Stop()
	close(p.done)
	_ = p.cmd.Wait()
	p.Kill()
	<-read
	_ = outR.Close()
}

// copyOutput reads to the end even when nobody wants it, so that no command blocks on a full pipe.
func copyOutput(out io.Writer, r io.Reader) {
	if out == nil {
		out = io.Discard
	}
	if _, err := io.Copy(out, r); err != nil {
		_, _ = io.Copy(io.Discard, r)
	}
}

// PID of the command itself, which leads a session of its own.
func (p *Process) PID() int { return p.pid }

// Done is closed when the command has ended and its output has been read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Gone is closed when nothing of the command is left, daemons included.
func (p *Process) Gone() <-chan struct{} { return p.gone }

// Exit tells how the command ended; call it after Done.
func (p *Process) Exit() Exit { return p.exit }

// Kill ends the command and everything that it started. It does not wait and may be
// called any time.
func (p *Process) Kill() { p.once.Do(func() { _ = p.lifeline.Close() }) }
