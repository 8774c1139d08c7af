package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// maxPrinted bounds in bytes what one process may print into the log after its handshake.
const maxPrinted = 1 << 20

// processLauncher makes real processes.
type processLauncher struct {
	cfg     Config
	forks   *forker
	sockets *sockets
}

func (l *processLauncher) launch(s Spec, number uint64, restarts int64, out *output) life {
	ctx, cancel := context.WithCancel(context.Background())
	serving, retire := context.WithCancel(ctx)
	p := &processLife{
		launcher: l, spec: s, number: number, restarts: restarts, output: out,
		ctx: ctx, cancelAll: cancel, serving: serving, stopServing: retire,
		out: make(chan lifeEvent, 16),
	}
	out.begin()
	go p.run()
	return p
}

// processLife is one real process. Its goroutine ends right after the event gone, for which the
// owner waits; all other goroutines of it have ended before.
type processLife struct {
	launcher *processLauncher
	spec     Spec
	number   uint64
	restarts int64
	output   *output

	// ctx bounds the start and all calls, serving the life as a running worker.
	ctx         context.Context
	cancelAll   context.CancelFunc
	serving     context.Context
	stopServing context.CancelFunc

	out    chan lifeEvent
	calls  sync.WaitGroup // what probe, drain and configure began
	mu     sync.Mutex     // guards all below
	proc   *process
	client *plugin.Client
	conn   goplugin.ClientProtocol
	done   bool // no more calls
}

var _ life = (*processLife)(nil)

func (p *processLife) events() <-chan lifeEvent { return p.out }
func (p *processLife) cancel()                  { p.cancelAll() }
func (p *processLife) retire()                  { p.stopServing() }

func (p *processLife) signal(s syscall.Signal) {
	p.mu.Lock()
	proc := p.proc
	p.mu.Unlock()
	if proc != nil {
		proc.signal(s)
	}
}

// call runs f in a goroutine of this life, unless it is ending.
func (p *processLife) call(f func(c *plugin.Client) lifeEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done || p.client == nil {
		return
	}
	c := p.client
	p.calls.Go(func() { p.out <- f(c) })
}

func (p *processLife) probe(timeout time.Duration) {
	pid := p.pid()
	p.call(func(c *plugin.Client) lifeEvent {
		ctx, cancel := context.WithTimeout(p.ctx, timeout)
		defer cancel()
		r, err := c.Health(ctx)
		return probed{report: r, resident: residentBytes(pid), err: err}
	})
}

func (p *processLife) drain(timeout time.Duration) {
	p.call(func(c *plugin.Client) lifeEvent {
		ctx, cancel := context.WithTimeout(p.ctx, timeout)
		defer cancel()
		if err := c.Drain(ctx, timeout); err != nil {
			return drained{err}
		}
		// go-plugin's own word for "go", which also takes down the streams that its two
		// ends keep open between them and that a graceful stop would wait for.
		return drained{p.conn.Close()}
	})
}

func (p *processLife) configure(s Spec) {
	p.call(func(c *plugin.Client) lifeEvent { return configured{p.handConfig(c, s)} })
}

func (p *processLife) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proc == nil || p.proc.proc == nil {
		return 0
	}
	return p.proc.proc.Pid
}

// run is the whole life.
func (p *processLife) run() {
	defer close(p.out)
	defer p.cancelAll()
	logger := p.launcher.cfg.Logger.With(keyWorker, p.spec.ID, keyRestarts, p.restarts)
	gp, dir, failure := p.start(newBridge(logger), logger.Debug)
	if failure == nil {
		failure = p.serve(gp)
	}
	if failure != nil {
		p.out <- failed(*failure)
	}
	p.mu.Lock()
	proc := p.proc
	p.mu.Unlock()
	if proc != nil && proc.exited != nil {
		<-proc.exited
	}
	p.stopServing()
	p.cancelAll()
	if gp != nil {
		gp.Kill() // the process is gone: this takes down connections and readers
	}
	p.mu.Lock()
	p.done = true
	p.mu.Unlock()
	p.calls.Wait()
	if dir != "" {
		_ = os.RemoveAll(dir)
	}
	g := gone{exit: Exit{Kind: ExitNotStarted, Code: -1}}
	if proc != nil && proc.exited != nil {
		proc.close()
		g.exit = proc.exit()
	}
	g.words, g.panicked = p.output.words()
	p.out <- g
}

// start brings the process up to its handshake.
func (p *processLife) start(log hclog.Logger, debug func(string, ...any)) (gp *goplugin.Client, dir string, failure *startFailure) {
	fail := func(f startFailure) (*goplugin.Client, string, *startFailure) { return gp, dir, &f }
	if err := privateDir(p.spec.StateDir); err != nil {
		return fail(startFailure{err: err, condition: Condition{CodeStartFailed, fmt.Sprintf("its state directory cannot be made: %v", err), ""}})
	}
	dir = filepath.Join(p.launcher.sockets.dir, strconv.FormatUint(p.number, 36)+"-"+short(p.spec.ID))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(startFailure{err: err, condition: Condition{CodeStartFailed, fmt.Sprintf("its socket directory cannot be made: %v", err), ""}})
	}
	printed := func(line string) { debug("worker printed", keyText, line) }
	var proc *process
	var forkErr error
	gp = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  plugin.Handshake,
		VersionedPlugins: plugin.HostPlugins(),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		GRPCDialOptions:  plugin.DialOptions(),
		AutoMTLS:         true,
		SkipHostEnv:      true,
		Logger:           log,
		SyncStdout:       &stdioWriter{out: p.output, log: printed, budget: maxPrinted},
		SyncStderr:       &stdioWriter{out: p.output, log: printed, budget: maxPrinted},
		// The owner's timer is the one that counts; this one only must not come first.
		StartTimeout:     p.launcher.cfg.Policy.StartTimeout + time.Minute,
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: dir},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			proc = p.newProcess(spec.Env)
			return &startWatch{process: proc, err: &forkErr}, nil
		},
	})
	if _, err := gp.Client(); err != nil {
		switch {
		case forkErr != nil:
			return fail(notStarted(p.spec.Path, forkErr))
		case proc == nil || proc.stdout == nil:
			return fail(startFailure{err: err, condition: Condition{CodeStartFailed, err.Error(), ""}})
		}
		return fail(badHandshake(p.spec.Path, proc.stdout.line(), err))
	}
	return gp, dir, nil
}

// privateDir makes a directory, and closes it to others where it was open.
func privateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// short makes an id fit into a socket's path.
func short(id string) string { return id[:min(len(id), 8)] }

// startWatch keeps the system's own error of a start, which go-plugin passes on as text.
type startWatch struct {
	*process
	err *error
}

func (s *startWatch) Start(ctx context.Context) error {
	*s.err = s.process.Start(ctx)
	return *s.err
}

func (p *processLife) newProcess(env []string) *process {
	cwd := p.spec.Dir
	if cwd == "" {
		cwd = p.spec.StateDir
	}
	proc := &process{
		ctx: p.ctx, forks: p.launcher.forks, path: p.spec.Path, args: p.spec.Args, dir: cwd, files: p.spec.InheritedFiles, out: p.output,
		env: append(workerEnviron(p.launcher.cfg.Environ(), p.spec), env...),
	}
	proc.started = func(b born) {
		p.calls.Go(proc.reap)
		p.out <- b
	}
	p.mu.Lock()
	p.proc = proc
	p.mu.Unlock()
	return proc
}

// serve takes the process from its handshake to running, and stays until its line breaks
// or the process is gone. A failure is one of the start.
func (p *processLife) serve(gp *goplugin.Client) *startFailure {
	fail := func(what string, err error) *startFailure {
		f := badCall(what, err)
		return &f
	}
	conn, err := gp.Client()
	if err != nil {
		return fail("the handshake", err)
	}
	client, err := plugin.Dispense(conn)
	if err != nil {
		return fail("the handshake", err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, plugin.DescribeTimeout)
	d, err := client.Describe(ctx)
	cancel()
	if err != nil {
		return fail("Describe", err)
	}
	if f := badDescription(p.spec, d); f != nil {
		return f
	}
	if err := p.handConfig(client, p.spec); err != nil {
		return fail("Configure", err)
	}
	line, err := client.Attach(p.ctx, plugin.AttachConfig{InstanceID: p.launcher.cfg.InstanceID, Handler: &lineHandler{life: p, kind: d.Kind}})
	if err != nil {
		return fail("Attach", err)
	}
	defer line.Close()
	p.settle(client)
	p.mu.Lock()
	p.client, p.conn = client, conn
	h := Handle{ID: p.spec.ID, Description: d, Client: client, PID: p.proc.proc.Pid, Life: p.number}
	p.mu.Unlock()
	p.out <- running{h}
	var sink sync.WaitGroup
	sink.Go(func() { p.launcher.cfg.Sink.Running(p.serving, h) })
	select {
	case <-line.Done():
		p.out <- lost{line.Err()}
	case <-p.proc.exited:
	}
	<-p.proc.exited
	p.stopServing()
	p.cancelAll()
	sink.Wait()
	p.launcher.cfg.Sink.Gone(p.spec.ID)
	return nil
}

// settle gives the worker one round trip to take its line: the call that opens it returns
// once it is under way, and the first call after it could overtake it. What the answer is does not matter here.
func (p *processLife) settle(c *plugin.Client) {
	ctx, cancel := context.WithTimeout(p.ctx, plugin.HealthTimeout)
	defer cancel()
	_, _ = c.Health(ctx)
}

func (p *processLife) handConfig(c *plugin.Client, s Spec) error {
	ctx, cancel := context.WithTimeout(p.ctx, plugin.ConfigureTimeout)
	defer cancel()
	settings, err := s.Configure(ctx)
	if err != nil {
		return err
	}
	if settings.StateDir == "" {
		settings.StateDir = s.StateDir
	}
	return c.Configure(ctx, settings)
}

// lineHandler takes what a worker says on its line.
type lineHandler struct {
	life *processLife
	kind plugin.Kind
}

var _ plugin.Handler = (*lineHandler)(nil)

// HandleEvent hands an event on, unless it is malformed.
func (h *lineHandler) HandleEvent(ev plugin.Event, ack func(plugin.Ack)) {
	if err := checkEvent(ev); err != nil {
		h.life.launcher.cfg.Logger.Warn("event of a worker refused", keyWorker, h.life.spec.ID, keyError, err)
		ack(plugin.Ack{Code: plugin.RefusedEvent, Reason: err.Error()})
		return
	}
	if ev.AccountState != nil {
		h.life.out <- accountTold{*ev.AccountState}
	}
	h.life.launcher.cfg.Sink.HandleEvent(h.life.spec.ID, ev, ack)
}

// HandleCall hands a call on; only the agent runtime may make one.
func (h *lineHandler) HandleCall(ctx context.Context, c plugin.Call) (json.RawMessage, *plugin.CallError) {
	if h.kind != plugin.KindAgent {
		return nil, &plugin.CallError{Code: "INVALID_REQUEST", Message: "a channel worker makes no calls"}
	}
	return h.life.launcher.cfg.Sink.HandleCall(ctx, h.life.spec.ID, c)
}
