package run

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/lane"
)

// Figures of the promises' table.
const (
	// MaxCharges is how many charged attempts a run has before it is parked.
	MaxCharges = 3
	// StuckAfter is how long a run may show no progress.
	StuckAfter = 10 * time.Minute
	// abortGrace is how long an aborted run may take to say that it ended.
	abortGrace = 5 * time.Second
	// storeRetry is how long the end of a run waits before it tries again to be stored while the disk is full.
	storeRetry = time.Second
)

// Living is the agent runtime for as long as its process lives.
type Living struct {
	Client *agent.Client
	// Blameless is asked after a run's stream broke: true when the process went because
	// somebody asked for it (drain, operator, our own stop). It may wait until that is known.
	Blameless func(ctx context.Context) bool
}

// Agents gives the living agent runtime.
type Agents interface {
	// Await blocks until the agent runtime runs, or ctx ends.
	Await(ctx context.Context) (Living, error)
}

// Wish is a run that is asked for, before session and settings have their say.
type Wish struct {
	AgentID string
	// SessionKey is canonical; AsSent is the caller's spelling.
	SessionKey, AsSent string
	Route              Route
	Inputs             []Input
	// Thinking overrides the session's level, TimeoutMS the settings' (0 = theirs); empty = no wish.
	Thinking          string
	TimeoutMS         int64
	ExtraSystemPrompt string
}

// Planner freezes what session and settings say for a run. It is called inside the
// transaction that admits the run, and may change the session entry there.
type Planner interface {
	Plan(tx *journal.Tx, w Wish) (sessionID string, p Plan, err error)
}

// Sessions is what the end of a run changes in the session index.
type Sessions interface {
	Patch(tx *journal.Tx, sessionKey string, patch json.RawMessage) error
}

// Delivery is a part of an answer on its way to the outbox.
type Delivery struct {
	RunID string
	// Part names it within the run ("1", "2", "notice"): with it a replay is harmless.
	Part    string
	Route   Route
	Text    string
	ReplyTo string
	Media   []agent.Attachment
}

// Deliverer chunks a part and inserts its rows into the outbox, inside the caller's transaction.
type Deliverer interface {
	Deliver(tx *journal.Tx, d Delivery) error
}

// Typist shows on the network that an answer is being written, until the returned
// function is called. Best effort; it must not block.
type Typist interface {
	Typing(r Route) (stop func())
}

// Config is what New needs; all fields but StuckAfter and Log are required.
type Config struct {
	DB        *journal.DB
	Lanes     *lane.Lanes
	Agents    Agents
	Planner   Planner
	Sessions  Sessions
	Deliverer Deliverer
	Typist    Typist
	Events    Events
	Clock     clock.Clock
	Log       *slog.Logger
	// StuckAfter is the constant of that name where it is 0.
	StuckAfter time.Duration
}

// Runner takes runs to their end.
type Runner struct {
	cfg    Config
	log    *slog.Logger
	active *registry
	ids    *idSource
	// suspects lets one charged run at a time have another attempt, so that the guilty one is found.
	suspects chan struct{}
	wg       sync.WaitGroup // aborts under way
}

// New makes a Runner. Runs begin with Resume and the calls that admit them.
func New(cfg Config) *Runner {
	if cfg.StuckAfter <= 0 {
		cfg.StuckAfter = StuckAfter
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Runner{cfg: cfg, log: cfg.Log, active: newRegistry(), ids: newIDSource(), suspects: make(chan struct{}, 1)}
}

func (r *Runner) newActive(row journal.RunRow, p Plan, toolsOf string, inboxIDs []int64) *active {
	clientID := row.ClientKey
	if clientID == "" {
		clientID = row.RunID
	}
	asSent := p.SessionKeyAsSent
	if asSent == "" {
		asSent = row.SessionKey
	}
	return &active{
		id: row.RunID, clientID: clientID, sessionKey: row.SessionKey, agentID: row.AgentID, sessionID: row.SessionID,
		plan: p, inboxIDs: inboxIDs, attempts: row.Attempts, stalled: row.StalledAttempts, progress: row.Progress, ended: make(chan struct{}),
		voice: &voice{events: r.cfg.Events, now: r.cfg.Clock.Now, runID: clientID, session: row.SessionKey, asSent: asSent, starter: toolsOf},
	}
}

// Wait returns once no abort is under way. To be called after the lanes have stopped.
func (r *Runner) Wait() { r.wg.Wait() }

// Find tells of a run by the id that clients know it by: its end, if it has ended, or
// a channel that is closed when it does. known is false for a run that is not remembered.
func (r *Runner) Find(ctx context.Context, clientID string) (ended <-chan struct{}, final func() Final, known bool, err error) {
	if a := r.active.find(clientID); a != nil {
		return a.ended, a.outcome, true, nil
	}
	var row journal.RunRow
	err = r.cfg.DB.View(ctx, func(tx *journal.Tx) (err error) {
		if row, err = tx.FindRunByClientKey(clientID); err != nil {
			row, err = tx.GetRun(clientID)
		}
		return err
	})
	if err != nil {
		return nil, nil, false, ignoreNotFound(err)
	}
	f, err := storedFinal(row)
	if err != nil {
		return nil, nil, false, err
	}
	return closedChan(), func() Final { return f }, len(row.Result) > 0, nil
}

// Depth is how many runs of a session wait or run, for status.
func (r *Runner) Depth(sessionKey string) int { return len(r.active.ofSession(sessionKey)) }

func storedFinal(row journal.RunRow) (Final, error) {
	var f Final
	if len(row.Result) == 0 {
		return f, nil
	}
	if err := json.Unmarshal(row.Result, &f); err != nil {
		return f, &protocol.Error{Code: protocol.CodeUnavailable, Message: "the stored result of this run cannot be read"}
	}
	return f, nil
}

// NewID gives an id that no run and no entry has.
func (r *Runner) NewID() string { return r.ids.next(r.cfg.Clock.Now()) }
