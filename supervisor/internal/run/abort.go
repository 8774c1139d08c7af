package run

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// ErrOtherSession says that the run to abort belongs to another session.
var ErrOtherSession = errors.New("runId does not match sessionKey")

// Abort ends one run of a session by the id that clients know it by. ids is empty when
// there is nothing to abort.
func (r *Runner) Abort(ctx context.Context, sessionKey, clientID, stopReason string) (ids []string, err error) {
	a := r.active.find(clientID)
	if a == nil {
		return nil, nil
	}
	if a.sessionKey != sessionKey {
		return nil, ErrOtherSession
	}
	if r.abort(ctx, a, stopReason) {
		ids = append(ids, a.clientID)
	}
	return ids, nil
}

// AbortSession ends all runs of a session and drops what waits in its lane. It returns
// the ids that clients know the runs by, oldest first.
func (r *Runner) AbortSession(ctx context.Context, sessionKey, stopReason string) []string {
	runs := r.active.ofSession(sessionKey)
	slices.SortFunc(runs, func(a, b *active) int { return strings.Compare(a.id, b.id) })
	var ids []string
	for _, a := range runs {
		if r.abort(ctx, a, stopReason) {
			ids = append(ids, a.clientID)
		}
	}
	r.cfg.Lanes.Clear(sessionKey)
	return ids
}

// abort tells clients at once, and the runtime in the background. False when the run was aborted before.
func (r *Runner) abort(ctx context.Context, a *active, stopReason string) bool {
	client, first := a.aborting(stopReason)
	if !first {
		return false
	}
	a.voice.aborted(stopReason)
	if r.cfg.Lanes.Remove(a.sessionKey, a.id) {
		return true // Dropped stores the end
	}
	if client == nil {
		a.halt()
		return true
	}
	r.wg.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortGrace)
		defer cancel()
		if _, err := client.Abort(ctx, a.id, stopReason); err != nil {
			r.log.Warn("the agent runtime could not be told of an abort", "run", a.id, "error", err)
			a.halt()
			return
		}
		select {
		case <-a.ended:
		case <-ctx.Done():
			a.halt()
		}
	})
	return true
}

// halt ends the wait or the stream of a run from our side.
func (a *active) halt() {
	a.mu.Lock()
	stop := a.stop
	a.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// endUnstarted ends a run that was taken out of its lane before its turn.
func (r *Runner) endUnstarted(a *active) {
	if _, first := a.aborting("stop"); first {
		a.voice.aborted("stop")
	}
	fin := agent.Finished{Status: agent.RunAborted, StopReason: "aborted"}
	final := r.final(a, fin, a.abortReason())
	r.cfg.DB.Submit(func(tx *journal.Tx) error {
		if err := tx.EndRun(a.id, journal.RunAborted, nil, a.abortReason()); err != nil {
			return err
		}
		return tx.SetInboxState(a.inboxIDs, journal.InboxDone, a.id, "")
	}, func(err error) {
		if err != nil && !errors.Is(err, journal.ErrConflict) {
			r.log.Error("an aborted run could not be stored as ended", "run", a.id, "error", err)
		}
		r.active.remove(a)
		a.end(final)
	})
}
