package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin/runner"
	"golang.org/x/sys/unix"
)

// pipeGrace is how long the output of an ended process may still be read: a
// descendant that left the group could hold the pipe open for ever.
const pipeGrace = 250 * time.Millisecond

// process is one child with its pipes. It is go-plugin's runner: go-plugin reads the
// handshake and the log from it, and never decides over its life.
type process struct {
	ctx   context.Context // of the start: once it has ended no child may live
	forks *forker
	path  string
	args  []string
	env   []string
	dir   string
	files []*os.File
	out   *output
	// started is called once the child exists.
	started func(b born)

	stdin  *os.File // the lifeline: held open, never written
	stdout *handshakeReader
	stderr *lineReader
	proc   *os.Process
	exited chan struct{} // made by Start, closed when the child is reaped
	state  *os.ProcessState

	mu     sync.Mutex // guards signalling against the reuse of a pid
	reaped bool
}

var _ runner.Runner = (*process)(nil)

// Start forks the child. The error is the system's.
func (p *process) Start(context.Context) error {
	var ends []*os.File
	pipe := func() (r, w *os.File, err error) {
		if r, w, err = os.Pipe(); err == nil {
			ends = append(ends, r, w)
		}
		return r, w, err
	}
	in, lifeline, err := pipe()
	if err != nil {
		return fmt.Errorf("make pipes: %w", err)
	}
	stdout, outw, err1 := pipe()
	stderr, errw, err2 := pipe()
	if err = errors.Join(err1, err2); err != nil {
		closeAll(ends)
		return fmt.Errorf("make pipes: %w", err)
	}
	attr := &os.ProcAttr{Dir: p.dir, Env: p.env, Files: append([]*os.File{in, outw, errw}, p.files...), Sys: processAttributes()}
	proc, err := p.forks.start(p.ctx, p.path, append([]string{p.path}, p.args...), attr)
	if err != nil {
		closeAll(ends)
		return err
	}
	closeAll([]*os.File{in, outw, errw})
	p.exited = make(chan struct{})
	p.stdin, p.stdout, p.stderr = lifeline, &handshakeReader{pipe: stdout}, newLineReader(stderr, p.out)
	p.mu.Lock()
	p.proc = proc
	p.mu.Unlock()
	if p.ctx.Err() != nil {
		p.signal(syscall.SIGKILL) // it was given up while it was forked
	}
	ticks, _ := startTicks(proc.Pid) // 0 = it cannot be recognised later, and is then left alone
	p.started(born{pid: proc.Pid, startTicks: ticks, executable: executableOf(proc.Pid)})
	return nil
}

// reap waits for the end of the child, ends what is left of its group and closes the
// pipes. Called once, after a Start that succeeded.
func (p *process) reap() {
	zombie := awaitExit(p.proc.Pid) == nil
	if zombie {
		// Its pid is still taken, so this group is ours and nobody else's.
		_ = syscall.Kill(-p.proc.Pid, syscall.SIGKILL)
		p.mu.Lock()
	}
	state, err := p.proc.Wait()
	if !zombie {
		p.mu.Lock()
	}
	p.reaped = true
	p.mu.Unlock()
	if err == nil {
		p.state = state
	}
	_ = p.stdin.Close()
	deadline := time.Now().Add(pipeGrace)
	_ = p.stdout.pipe.SetReadDeadline(deadline)
	_ = p.stderr.pipe.SetReadDeadline(deadline)
	close(p.exited)
}

// signal reaches the child, or with SIGKILL its whole group; it does nothing once the
// child is reaped.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped || p.proc == nil {
		return
	}
	pid := p.proc.Pid
	if s == syscall.SIGKILL {
		_ = syscall.Kill(-pid, s)
	}
	_ = p.proc.Signal(s)
}

// exit gives the facts of the end, after exited is closed.
func (p *process) exit() Exit {
	if p.state == nil {
		return Exit{Code: -1}
	}
	e := Exit{Code: p.state.ExitCode()}
	if ws, ok := p.state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		e.Code, e.Signal = -1, unix.SignalName(ws.Signal())
	}
	return e
}

// close lets go of the pipes, after exited is closed.
func (p *process) close() {
	_ = p.stdout.Close()
	_ = p.stderr.Close()
}

// Wait blocks until the child is gone.
func (p *process) Wait(context.Context) error {
	<-p.exited
	if p.state != nil && p.state.Success() {
		return nil
	}
	return fmt.Errorf("process ended: %v", p.state)
}

// Kill ends the child at once: go-plugin asks for it when the handshake failed.
func (p *process) Kill(context.Context) error {
	p.signal(syscall.SIGKILL)
	return nil
}

// Stdout carries the handshake line.
func (p *process) Stdout() io.ReadCloser { return p.stdout }

// Stderr carries the log.
func (p *process) Stderr() io.ReadCloser { return p.stderr }

// Name is the file that runs.
func (p *process) Name() string { return p.path }

// ID is the pid, or empty before the start.
func (p *process) ID() string {
	if p.proc == nil {
		return ""
	}
	return strconv.Itoa(p.proc.Pid)
}

// Diagnose has nothing to add: the owner classifies failures by facts.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost changes nothing: child and supervisor see the same files.
func (p *process) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin changes nothing.
func (p *process) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

func closeAll(fs []*os.File) {
	for _, f := range fs {
		_ = f.Close()
	}
}

// handshakeReader remembers the first line that a child wrote, for the diagnosis.
type handshakeReader struct {
	pipe *os.File

	mu    sync.Mutex
	first []byte
	whole bool
}

// maxHandshake bounds what is remembered in bytes: the longest part of a handshake is a certificate.
const maxHandshake = 8 << 10

func (r *handshakeReader) Read(b []byte) (int, error) {
	n, err := r.pipe.Read(b)
	r.mu.Lock()
	for _, c := range b[:n] {
		if r.whole || len(r.first) == maxHandshake {
			break
		}
		if r.whole = c == '\n'; !r.whole {
			r.first = append(r.first, c)
		}
	}
	r.mu.Unlock()
	return n, endOfPipe(err)
}

func (r *handshakeReader) Close() error { return r.pipe.Close() }

// line is the first line so far.
func (r *handshakeReader) line() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.first)
}

// endOfPipe makes the end of the grace an ordinary end.
func endOfPipe(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, os.ErrClosed) {
		return io.EOF
	}
	return err
}
