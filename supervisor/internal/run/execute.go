package run

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// errAborted and errStuck end an attempt from our side.
var (
	errAborted = errors.New("the run was aborted")
	errStuck   = errors.New("the run showed no progress")
)

// execute takes one run to its end, over as many attempts as that needs. It returns
// early only with ctx: the run then stays as it is stored, for the next start.
func (r *Runner) execute(ctx context.Context, a *active, start bool) {
	runCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.mu.Lock()
	a.stop = cancel
	a.mu.Unlock()
	stopTyping := func() {}
	if a.plan.Route.Deliver {
		stopTyping = r.cfg.Typist.Typing(a.plan.Route)
	}
	defer func() { stopTyping() }()
	for {
		if a.abortReason() != "" {
			r.finish(ctx, a, agent.Finished{Status: agent.RunAborted, StopReason: "aborted"})
			return
		}
		// The turn comes first: a runtime that was living before the wait for it may be dead by
		// now, and its death is no fault of a run that it was never given.
		release, err := r.suspect(runCtx, a)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			continue // aborted while it waited
		}
		living, err := r.cfg.Agents.Await(runCtx)
		if err != nil {
			release()
			if ctx.Err() != nil {
				return
			}
			continue
		}
		if start {
			r.started(a)
		}
		start = true
		fin, err := r.attempt(runCtx, a, living)
		release()
		switch {
		case fin != nil:
			r.finish(ctx, a, *fin)
			return
		case ctx.Err() != nil:
			return
		case errors.Is(err, errAborted):
			continue
		case errors.Is(err, errStuck):
			r.log.Warn("run ended at its deadline", "run", a.id, "session", a.sessionKey, "after", r.cfg.StuckAfter)
			r.finish(ctx, a, agent.Finished{Status: agent.RunFailed, StopReason: "error", ErrorCode: "stuck",
				ErrorText: "no progress for " + r.cfg.StuckAfter.String()})
			return
		default:
			if r.broken(ctx, a, living, err) {
				return
			}
		}
	}
}

// suspect waits for the turn of a run that was charged; release is to be called after the attempt.
func (r *Runner) suspect(ctx context.Context, a *active) (release func(), err error) {
	a.mu.Lock()
	stalled := a.stalled
	a.mu.Unlock()
	if stalled == 0 {
		return func() {}, nil
	}
	select {
	case r.suspects <- struct{}{}:
		return func() { <-r.suspects }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// started stores that the run is handed over. It does not wait: everything that is
// stored of the run later comes after it, and without it the run is simply handed over once more.
func (r *Runner) started(a *active) {
	a.mu.Lock()
	a.attempts++
	a.mu.Unlock()
	r.cfg.DB.Submit(func(tx *journal.Tx) error {
		_, err := tx.StartRun(a.id)
		return err
	}, func(err error) {
		if err != nil && !errors.Is(err, journal.ErrClosed) {
			r.log.Warn("the start of a run was not stored", "run", a.id, "error", err)
		}
	})
}

// attempt hands the run over once. fin is nil when it ended in any other way than by its own word.
func (r *Runner) attempt(ctx context.Context, a *active, living Living) (fin *agent.Finished, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a.mu.Lock()
	a.client = living.Client
	req := agent.RunRequest{
		RunID: a.id, Attempt: max(a.attempts, 1), AgentID: a.agentID, SessionKey: a.sessionKey, SessionID: a.sessionID,
		Transcript: a.plan.Transcript, Inputs: a.plan.agentInputs(), Policy: a.plan.Policy, Workspace: a.plan.Workspace,
		Route:     agent.Route{Channel: a.plan.Route.Channel, Account: string(a.plan.Route.Account), Conversation: string(a.plan.Route.Conversation), ChatKind: a.plan.Route.ChatKind},
		Delivered: a.delivered, Timeout: time.Duration(a.plan.TimeoutMS) * time.Millisecond, PreviousAborted: a.plan.PreviousAborted,
	}
	first := a.startedMS == 0
	if first {
		a.startedMS = r.cfg.Clock.Now().UnixMilli()
	}
	aborted := a.abort != ""
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.client = nil
		a.mu.Unlock()
	}()
	if aborted {
		return nil, errAborted
	}
	if first {
		a.voice.started()
	}
	stuck := time.AfterFunc(r.cfg.StuckAfter, func() { r.unstick(living.Client, a, cancel) })
	defer stuck.Stop()
	err = living.Client.Run(ctx, req, func(e agent.RunEvent) error {
		stuck.Reset(r.cfg.StuckAfter)
		if e.Finished != nil {
			fin = e.Finished
			return nil
		}
		return r.event(ctx, a, e)
	})
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStuck):
		return nil, errStuck
	case fin != nil:
		return fin, nil
	case a.abortReason() != "":
		return nil, errAborted
	}
	return nil, err
}

// unstick asks a run without progress to end, and ends its stream if it does not.
func (r *Runner) unstick(c *agent.Client, a *active, cancel context.CancelCauseFunc) {
	ctx, done := context.WithTimeout(context.Background(), abortGrace)
	defer done()
	if _, err := c.Abort(ctx, a.id, "stuck"); err != nil {
		r.log.Warn("a stuck run could not be told to end", "run", a.id, "error", err)
	}
	cancel(errStuck)
}

// event handles what happens before the end of a run.
func (r *Runner) event(ctx context.Context, a *active, e agent.RunEvent) error {
	switch {
	case e.Assistant != nil:
		a.voice.assistant(*e.Assistant)
	case e.Tool != nil:
		a.voice.tool(*e.Tool)
	case e.Compaction != nil:
		a.voice.compaction(*e.Compaction)
	case e.Progress != nil:
		a.mu.Lock()
		a.progress = e.Progress.EntryID
		a.mu.Unlock()
	case e.Part != nil:
		return r.part(ctx, a, *e.Part)
	}
	return nil
}

// part stores a finished piece of the answer before the run goes on (T4).
func (r *Runner) part(ctx context.Context, a *active, p agent.Part) error {
	if !a.plan.Route.Deliver {
		return nil
	}
	if err := r.store(ctx, func(tx *journal.Tx) error { return r.deliverPart(tx, a, p) }); err != nil {
		return err
	}
	a.mu.Lock()
	a.delivered = append(a.delivered, agent.Part{N: p.N, Text: p.Text})
	a.mu.Unlock()
	return nil
}

func (r *Runner) deliverPart(tx *journal.Tx, a *active, p agent.Part) error {
	reply := Clean(p.Text, a.plan.Route.ReplyTo)
	if reply.Text == "" && len(p.Media) == 0 {
		return nil
	}
	return r.cfg.Deliverer.Deliver(tx, Delivery{
		RunID: a.id, Part: strconv.Itoa(p.N), Route: a.plan.Route, Text: reply.Text, ReplyTo: string(reply.ReplyTo), Media: p.Media,
	})
}

// store repeats a transaction while the disk is full: what waits on it waits, and nothing is lost.
func (r *Runner) store(ctx context.Context, fn func(*journal.Tx) error) error {
	for {
		err := r.cfg.DB.Update(ctx, fn)
		if err == nil || !journal.Retryable(err) {
			return err
		}
		r.log.Warn("the journal cannot be written; trying again", "error", err)
		t := time.NewTimer(storeRetry)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// broken decides what follows when the agent runtime went away: the run is charged if it
// was handed over, made no progress and nobody asked the process to go; the third charge
// parks it. It reports whether the run has ended.
func (r *Runner) broken(ctx context.Context, a *active, living Living, cause error) bool {
	if living.Blameless(ctx) || errors.Is(cause, agent.ErrUnreached) || ctx.Err() != nil {
		r.log.Info("run interrupted; it goes on with the agent runtime", "run", a.id, "session", a.sessionKey)
		return ctx.Err() != nil
	}
	a.mu.Lock()
	progress := a.progress
	a.mu.Unlock()
	var charged bool
	var total int
	err := r.store(ctx, func(tx *journal.Tx) (err error) {
		if err = tx.SetRunProgress(a.id, progress); err != nil {
			return err
		}
		charged, total, err = tx.ChargeRun(a.id)
		return err
	})
	if err != nil {
		r.log.Error("an interrupted run could not be charged", "run", a.id, "error", err)
		return ctx.Err() != nil
	}
	a.mu.Lock()
	a.stalled = total
	a.mu.Unlock()
	r.log.Warn("the agent runtime died during a run", "run", a.id, "session", a.sessionKey, "charged", charged, "charges", total, "error", cause)
	if total < MaxCharges {
		return false
	}
	r.park(ctx, a)
	return true
}
