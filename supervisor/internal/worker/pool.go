package worker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

// Config is what a Pool needs.
type Config struct {
	// Policy's zero fields are the defaults.
	Policy Policy
	// InstanceID names this supervisor to its workers.
	InstanceID string
	Sink       Sink
	// Store may be nil: then nothing is remembered.
	Store Store
	// Logger gets the pool's lines and those of the workers; nil = slog.Default.
	Logger *slog.Logger
	// Clock is nil for the machine's.
	Clock clock.Clock
	// SocketRoot is where the private directory of sockets is made; empty = $XDG_RUNTIME_DIR, else
	// /tmp/openclaw-<uid>.
	SocketRoot string
	// Environ gives the supervisor's environment, of which workers get a short fixed list; nil = os.Environ.
	Environ func() []string
}

// Pool holds the workers. New makes it, Run gives it life.
type Pool struct {
	cfg      Config
	launcher launcher
	recorder *recorder
	owners   sync.WaitGroup

	mu      sync.Mutex // guards all below; taken before a worker's mailbox
	ctx     context.Context
	serving bool
	records map[string]Record
	workers map[string]*Worker
}

// New makes a pool without workers; it starts nothing.
func New(cfg Config) *Pool {
	cfg.Policy = cfg.Policy.withDefaults()
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Environ == nil {
		cfg.Environ = os.Environ
	}
	return &Pool{cfg: cfg, recorder: newRecorder(cfg.Store, cfg.Logger), records: map[string]Record{}, workers: map[string]*Worker{}}
}

// Run starts what is applied and keeps it alive until ctx ends; then it drains all
// workers at once and returns when the last one is gone, at the latest after the policy's DrainTimeout and
// TermWait. Before that it ends what a former life of this supervisor left behind. Called once.
func (p *Pool) Run(ctx context.Context) error {
	sockets, err := openSockets(p.cfg.SocketRoot, p.cfg.Logger)
	if err != nil {
		return fmt.Errorf("worker pool: %w", err)
	}
	defer sockets.close()
	records, err := p.recorder.load(ctx)
	if err != nil {
		return fmt.Errorf("worker pool: %w", err)
	}
	records = endLeftovers(ctx, records, p.recorder, p.cfg.Logger)

	keep := context.WithoutCancel(ctx)
	forks := newForker()
	var services sync.WaitGroup
	stop := make(chan struct{})
	services.Go(func() { forks.run(stop) })
	services.Go(func() { p.recorder.run(keep, stop) })

	p.mu.Lock()
	if p.launcher == nil {
		p.launcher = &processLauncher{cfg: p.cfg, forks: forks, sockets: sockets}
	}
	p.ctx, p.serving = ctx, true
	for _, r := range records {
		p.records[r.ID] = r
	}
	for _, w := range p.workers {
		p.begin(w)
	}
	p.mu.Unlock()

	<-ctx.Done()
	p.mu.Lock()
	p.serving = false
	p.mu.Unlock()
	p.owners.Wait()
	close(stop)
	services.Wait()
	return nil
}

// begin is called with mu held, while serving.
func (p *Pool) begin(w *Worker) {
	ctx := p.ctx
	w.launcher = p.launcher
	w.remember(p.records[w.id])
	p.owners.Go(func() { w.run(ctx) })
}

// Apply makes the pool hold exactly these workers. New ones are started, those left out
// are drained and forgotten, and one whose process would differ is drained and started again; a
// worker that is terminal or backing off is tried again at once when its spec differs. An operator's stop stays.
// It returns at once. The error names specs that cannot be used; then nothing is applied.
func (p *Pool) Apply(specs []Spec) error {
	seen := map[string]bool{}
	for _, s := range specs {
		if err := s.check(); err != nil {
			return err
		}
		if seen[s.ID] {
			return fmt.Errorf("apply workers: %s comes twice", s.ID)
		}
		seen[s.ID] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, w := range p.workers {
		if !seen[id] {
			if p.ctx == nil { // not yet run: there is no owner to ask
				delete(p.workers, id)
				continue
			}
			w.box.put(command{verb: verbRemove})
		}
	}
	for _, s := range specs {
		if w := p.workers[s.ID]; w != nil && w.box.put(command{verb: verbApply, spec: s}) {
			continue
		}
		w := newWorker(s, p.cfg, p.recorder, p.retire)
		p.workers[s.ID] = w
		if p.serving {
			p.begin(w)
		}
	}
	return nil
}

// retire takes a finished worker out of the pool, unless a command for it has come in
// between; then its owner goes on.
func (p *Pool) retire(w *Worker) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !w.box.close() {
		return false
	}
	if w.removed {
		p.records[w.id] = w.record()
		delete(p.workers, w.id)
	}
	return true
}

func (p *Pool) find(id string) (*Worker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.workers[id]
	if w == nil {
		return nil, fmt.Errorf("worker %q: %w", id, ErrUnknown)
	}
	return w, nil
}

// command hands a command to a worker's owner and waits for its outcome.
func (p *Pool) command(ctx context.Context, id string, verb verb) error {
	w, err := p.find(id)
	if err != nil {
		return err
	}
	p.mu.Lock()
	serving := p.serving
	p.mu.Unlock()
	c := command{verb: verb, reply: make(chan error, 1)}
	if verb == verbStop {
		c.stored = make(chan error, 1)
	}
	if !serving || !w.box.put(c) {
		return fmt.Errorf("%s worker %s: %w", verb, id, ErrNotServing)
	}
	for _, outcome := range []chan error{c.reply, c.stored} {
		if outcome == nil {
			continue
		}
		select {
		case err := <-outcome:
			if err != nil {
				return fmt.Errorf("%s worker %s: %w", verb, id, err)
			}
		case <-ctx.Done():
			return fmt.Errorf("%s worker %s: %w", verb, id, ctx.Err())
		}
	}
	return nil
}

// Start lets a stopped, terminal or backing-off worker run, takes back an operator's
// stop and clears the failure count. It returns when the worker is running, or with the
// worker's own error. The command goes on when ctx ends the wait.
func (p *Pool) Start(ctx context.Context, id string) error { return p.command(ctx, id, verbStart) }

// Stop drains a worker and keeps it stopped, over restarts of the supervisor. It returns
// when the process is gone and the wish is stored.
func (p *Pool) Stop(ctx context.Context, id string) error { return p.command(ctx, id, verbStop) }

// Restart drains a worker, if it runs, and starts it again with a failure count of 0. It returns
// when the new process is running, or with the worker's own error.
func (p *Pool) Restart(ctx context.Context, id string) error {
	return p.command(ctx, id, verbRestart)
}

// Kill ends a worker's process with SIGKILL and returns when it is gone; unless it is stopped
// it is then started again at once. It is no failure of the worker. A *NotRunningError where there is no process.
func (p *Pool) Kill(ctx context.Context, id string) error { return p.command(ctx, id, verbKill) }

// Reconfigure hands today's settings to the living process. A *plugin.InvalidConfigError leaves
// the old ones in force. A worker that is terminal or backing off is started instead.
func (p *Pool) Reconfigure(ctx context.Context, id string) error {
	return p.command(ctx, id, verbReconfigure)
}

// List gives all workers, sorted by id. It does not block.
func (p *Pool) List() []Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]Status, 0, len(p.workers))
	for _, w := range p.workers {
		list = append(list, w.Status())
	}
	slices.SortFunc(list, func(a, b Status) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// Status gives one worker as it is now; ErrUnknown.
func (p *Pool) Status(id string) (Status, error) {
	w, err := p.find(id)
	if err != nil {
		return Status{}, err
	}
	return w.Status(), nil
}

// Get gives a running worker's handle; ErrUnknown, or a *NotRunningError that says how it stands.
func (p *Pool) Get(id string) (Handle, error) {
	w, err := p.find(id)
	if err != nil {
		return Handle{}, err
	}
	return w.Handle()
}

// Logs gives the newest n lines of a worker's output, of this process and the ones before it;
// n <= 0 = all that are kept.
func (p *Pool) Logs(id string, n int) ([]string, error) {
	w, err := p.find(id)
	if err != nil {
		return nil, err
	}
	return w.output.lines(n), nil
}
