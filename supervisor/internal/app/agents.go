package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/worker"
)

// agentID is the agent runtime's name in the pool.
const agentID = "agentd"

// exitKnown is how long it may take from the break of a run's stream until the pool
// knows how the process ended: its own bound for ending a process whose line broke, and a margin.
const exitKnown = 5 * time.Second

// agents is the living agent runtime, as runs see it.
type agents struct {
	mu      sync.Mutex // guards all below
	current *agentLife
	changed chan struct{} // closed and replaced when current changes
}

type agentLife struct {
	pid    int
	client *agent.Client
	exited chan struct{} // closed when the pool knows how it ended
	asked  bool
}

func newAgents() *agents { return &agents{changed: make(chan struct{})} }

// running notes a new process.
func (a *agents) running(h worker.Handle) {
	a.set(&agentLife{pid: h.PID, client: agent.NewClient(h.Client), exited: make(chan struct{})})
}

func (a *agents) set(l *agentLife) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.current = l
	close(a.changed)
	a.changed = make(chan struct{})
}

// event notes how a process ended.
func (a *agents) event(ev worker.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.current
	if l == nil || ev.Exit == nil {
		return
	}
	select {
	case <-l.exited:
	default:
		l.asked = ev.Exit.Kind == worker.ExitDrained || ev.Exit.Kind == worker.ExitKilled
		close(l.exited)
	}
}

// client is the living runtime's, or nil.
func (a *agents) client() *agent.Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l := a.current; l != nil {
		select {
		case <-l.exited:
		default:
			return l.client
		}
	}
	return nil
}

// Await implements run.Agents.
func (a *agents) Await(ctx context.Context) (run.Living, error) {
	for {
		a.mu.Lock()
		l, changed := a.current, a.changed
		a.mu.Unlock()
		if l != nil {
			select {
			case <-l.exited:
			default:
				return run.Living{Client: l.client, Blameless: l.blameless(a)}, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return run.Living{}, ctx.Err()
		}
	}
}

// blameless waits until the pool knows how the process ended. A stream that broke while
// its process lives on counts against nobody.
func (l *agentLife) blameless(a *agents) func(context.Context) bool {
	return func(ctx context.Context) bool {
		t := time.NewTimer(exitKnown)
		defer t.Stop()
		select {
		case <-l.exited:
		case <-t.C:
			return true
		case <-ctx.Done():
			return true
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		return l.asked
	}
}

// callTimeout is the deadline of the agent contract's short calls (contract A3).
const callTimeout = 10 * time.Second

// waitPoll is how often agent.wait looks for a run that is not known yet.
const waitPoll = 100 * time.Millisecond

// idemLife is how long the answer to a command is remembered (spec: idempotency; five minutes are the least).
const idemLife = time.Hour

// agentAway is the answer while the agent runtime does not run.
func agentAway() *protocol.Error {
	return protocol.Unavailable("the agent runtime is not running; `openclaw workers list` says why").WithRetry(true, 1000)
}

func agentFailed(err error) *protocol.Error {
	if errors.Is(err, agent.ErrUnsupported) {
		return protocol.Unavailable("the agent runtime does not support this")
	}
	return protocol.Unavailable("the agent runtime could not answer: %v", err).WithRetry(true, 1000)
}
