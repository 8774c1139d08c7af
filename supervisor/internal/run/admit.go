package run

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/lane"
)

// Admission asks for a run that a client named.
type Admission struct {
	// Method and Key are the client's idempotency key.
	Method, Key string
	Source      journal.RunSource
	Wish        Wish
	// ToolsOf is the connection that wants the run's tool events; empty = none.
	ToolsOf string
}

// Admitted is what became of it.
type Admitted struct {
	// RunID is the id that clients know the run by.
	RunID string
	// Existing is set where the key was known; Ended then says whether that run has ended, and Final how.
	Existing, Ended bool
	Final           Final
	// Begin lets a new run go. It is to be called once, after the acknowledgement was queued.
	Begin func()
	// Done is closed when a run that has not ended does; Outcome is valid then.
	Done    <-chan struct{}
	Outcome func() Final
}

// Admit stores a run under its idempotency key and acknowledges it; the run itself
// begins with Begin, or with the next start of the supervisor if that is never called. A
// known key gives that run, whatever the rest of the admission says.
func (r *Runner) Admit(ctx context.Context, a Admission) (Admitted, error) {
	runID := r.ids.next(r.cfg.Clock.Now())
	var row journal.RunRow
	var act *active
	existing := false
	// The active run is looked up, or added, as this transaction commits: a caller with the same key
	// must see it from then on, and until the transaction that ends it.
	err := r.cfg.DB.Update(ctx, func(tx *journal.Tx) error {
		known, err := tx.GetRunByClientKey(a.Method, a.Key)
		if err == nil {
			row, existing = known, true
			tx.OnCommit(func() { act = r.active.find(known.RunID) })
			return nil
		}
		if !errors.Is(err, journal.ErrNotFound) {
			return err
		}
		sessionID, p, err := r.cfg.Planner.Plan(tx, a.Wish)
		if err != nil {
			return err
		}
		row = journal.RunRow{
			RunID: runID, Method: a.Method, ClientKey: a.Key, SessionKey: a.Wish.SessionKey, SessionID: sessionID,
			AgentID: a.Wish.AgentID, Source: a.Source, State: journal.RunQueued,
		}
		if row.Route, row.Inputs, err = p.marshal(); err != nil {
			return err
		}
		tx.OnCommit(func() {
			act = r.newActive(row, p, a.ToolsOf, nil)
			r.active.add(act)
		})
		return tx.InsertRun(row)
	})
	if err != nil {
		return Admitted{}, fmt.Errorf("admit run: %w", err)
	}
	if existing {
		return known(row, act)
	}
	var once sync.Once
	begin := func() { once.Do(func() { r.submit(act, true) }) }
	return Admitted{RunID: act.clientID, Begin: begin, Done: act.ended, Outcome: act.outcome}, nil
}

// known is the answer to a key that was used before; act is nil once that run has ended.
func known(row journal.RunRow, act *active) (Admitted, error) {
	out := Admitted{RunID: row.ClientKey, Existing: true}
	if act != nil {
		out.Done, out.Outcome = act.ended, act.outcome
		return out, nil
	}
	f, err := storedFinal(row)
	if err != nil {
		return out, err
	}
	out.Ended, out.Final, out.Done = true, f, closedChan()
	out.Outcome = func() Final { return f }
	return out, nil
}

// submit puts a run into its session's lane. start says that its row is still queued.
func (r *Runner) submit(a *active, start bool) {
	r.cfg.Lanes.Submit(a.sessionKey, lane.Job{
		ID:      a.id,
		Do:      func(ctx context.Context) { r.execute(ctx, a, start) },
		Dropped: func() { r.endUnstarted(a) },
	})
}

// RunInbound admits the run of channel messages and takes it to its end. It is called
// in the session's lane: the run row and the messages' state are one transaction (T2).
// An error means that nothing was stored, and that trying again would not help.
func (r *Runner) RunInbound(ctx context.Context, w Wish, inboxIDs []int64) error {
	row := journal.RunRow{RunID: r.ids.next(r.cfg.Clock.Now()), SessionKey: w.SessionKey, AgentID: w.AgentID, Source: journal.SourceChannel, State: journal.RunRunning, Attempts: 1}
	var plan Plan
	err := r.store(ctx, func(tx *journal.Tx) error {
		sessionID, p, err := r.cfg.Planner.Plan(tx, w)
		if err != nil {
			return err
		}
		plan, row.SessionID = p, sessionID
		if row.Route, row.Inputs, err = p.marshal(); err != nil {
			return err
		}
		if err := tx.InsertRun(row); err != nil {
			return err
		}
		return tx.SetInboxState(inboxIDs, journal.InboxRunning, row.RunID, "")
	})
	if err != nil {
		return fmt.Errorf("admit run of messages: %w", err)
	}
	act := r.newActive(row, plan, "", inboxIDs)
	r.active.add(act)
	r.execute(ctx, act, false)
	return nil
}

// Resume takes up every run that had not ended when the supervisor went. It is called
// once, before anything else is admitted. Being resumed after our own death charges no run.
func (r *Runner) Resume(ctx context.Context) error {
	type found struct {
		row      journal.RunRow
		inboxIDs []int64
	}
	var all []found
	err := r.cfg.DB.View(ctx, func(tx *journal.Tx) error {
		rows, err := tx.ListRuns(journal.RunRunning, journal.RunQueued)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.Source == journal.SourceSend {
				continue
			}
			inbox, err := tx.ListInboxOfRun(row.RunID)
			if err != nil {
				return err
			}
			f := found{row: row}
			for _, in := range inbox {
				f.inboxIDs = append(f.inboxIDs, in.ID)
			}
			all = append(all, f)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("find runs to resume: %w", err)
	}
	for _, f := range all {
		plan, err := unmarshalPlan(f.row.Route, f.row.Inputs)
		if err != nil {
			r.log.Error("a stored run cannot be read and is parked", "run", f.row.RunID, "error", err)
			if err := r.cfg.DB.Update(ctx, func(tx *journal.Tx) error {
				return tx.EndRun(f.row.RunID, journal.RunParked, nil, "unreadable")
			}); err != nil {
				return fmt.Errorf("park run %s: %w", f.row.RunID, err)
			}
			continue
		}
		act := r.newActive(f.row, plan, "", f.inboxIDs)
		r.active.add(act)
		r.submit(act, true)
	}
	if len(all) > 0 {
		r.log.Info("runs resumed", "count", len(all))
	}
	return nil
}

// idSource makes ULIDs that grow also within a millisecond.
type idSource struct {
	mu      sync.Mutex
	entropy *ulid.MonotonicEntropy
}

func newIDSource() *idSource { return &idSource{entropy: ulid.Monotonic(rand.Reader, 0)} }

func (s *idSource) next(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ulid.MustNew(ulid.Timestamp(now), s.entropy).String()
}

func ignoreNotFound(err error) error {
	if errors.Is(err, journal.ErrNotFound) {
		return nil
	}
	return err
}

func closedChan() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
