// Package turn is the agent loop: a run's inputs go into the transcript, the model
// is asked, its tool calls are made one by one, and so on until it has answered.
//
// Everything that must not happen twice is decided from the transcript: each step is
// on disk before the next one touches the outside, so a run that died anywhere is
// taken up by asking for it again. An Engine may be used from several goroutines; it runs
// sessions side by side and never two runs with one id.
package turn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/model"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/transcript"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// Snapshot is the settings that a run keeps from its start to its end.
type Snapshot struct {
	Settings  *settings.Settings
	Catalogue *model.Catalogue
}

// Config of an Engine.
type Config struct {
	// Providers by the dialect that they speak.
	Providers map[string]provider.Provider
	Tools     *tool.Registry
	Log       *slog.Logger
	// Now is the clock; nil = the system's.
	Now func() time.Time
	// Sleep waits between two tries of a model call; nil = real time.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Engine does runs.
type Engine struct {
	cfg   Config
	files transcript.Cache

	mu       sync.Mutex
	active   map[string]*run
	draining bool
	idle     chan struct{} // closed and replaced whenever a run ends
}

// ErrDraining says that no run is begun any more.
var ErrDraining = errors.New("the agent runtime is draining")

// errInterrupted is the cause of a run that ends without a word because the
// process or the supervisor goes; it is resumed later.
var errInterrupted = errors.New("the run was interrupted")

// errTimeout is the cause of a run that took too long.
var errTimeout = errors.New("the run took too long")

// abortError is the cause of a run that somebody ended.
type abortError struct{ reason string }

func (e *abortError) Error() string { return "the run was aborted: " + e.reason }

// New returns an Engine that does nothing until Run.
func New(cfg Config) *Engine {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	return &Engine{cfg: cfg, active: map[string]*run{}, idle: make(chan struct{})}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Run does one run, or what is left of it, and emits what happens; the last event is
// Finished. It returns an error, without Finished, only when ctx ends, emit fails or
// the engine is drained: such a run is to be asked for again.
func (e *Engine) Run(ctx context.Context, snap Snapshot, req agent.RunRequest, emit func(agent.RunEvent) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if req.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, req.Timeout, errTimeout)
		defer stop()
	}
	r := &run{e: e, snap: snap, req: req, cancel: cancel, agent: snap.Settings.Agent(req.AgentID)}
	r.log = e.cfg.Log.With(slog.String("run", req.RunID), slog.String("session", req.SessionKey))
	r.emitTo = emit
	if err := e.begin(ctx, r); err != nil {
		return err
	}
	defer e.end(r)
	return r.do(ctx)
}

// begin enters the run; one that still goes on under the same id is waited for.
func (e *Engine) begin(ctx context.Context, r *run) error {
	for {
		e.mu.Lock()
		if e.draining {
			e.mu.Unlock()
			return ErrDraining
		}
		if e.active[r.req.RunID] == nil {
			e.active[r.req.RunID] = r
			e.mu.Unlock()
			return nil
		}
		idle := e.idle
		e.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return fmt.Errorf("wait for the former attempt of run %s: %w", r.req.RunID, context.Cause(ctx))
		}
	}
}

func (e *Engine) end(r *run) {
	e.mu.Lock()
	delete(e.active, r.req.RunID)
	close(e.idle)
	e.idle = make(chan struct{})
	e.mu.Unlock()
}

func (e *Engine) find(runID string) *run {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.active[runID]
}

// Active returns how many runs go on.
func (e *Engine) Active() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.active)
}

// Steer hands a further input to a run; false = no such run goes on, or it is about
// to finish. The input counts as taken once InputStored names it.
func (e *Engine) Steer(runID string, in agent.Input) bool {
	r := e.find(runID)
	return r != nil && r.steer(in)
}

// Abort ends a run, which then emits Finished with RunAborted; false = no such run.
func (e *Engine) Abort(runID, reason string) bool {
	r := e.find(runID)
	if r == nil {
		return false
	}
	r.cancel(&abortError{reason: reason})
	return true
}

// Drain begins no further run and waits until all have ended. When ctx ends, the
// rest is interrupted where it stands, so that it can be resumed.
func (e *Engine) Drain(ctx context.Context) {
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
	done := ctx.Done()
	for {
		e.mu.Lock()
		n, idle := len(e.active), e.idle
		e.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-idle:
		case <-done:
			done = nil
			e.mu.Lock()
			for _, r := range e.active {
				r.cancel(errInterrupted)
			}
			e.mu.Unlock()
		}
	}
}
