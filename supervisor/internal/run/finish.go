package run

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// finish ends a run (T5): run row, session entry, outbox rows and inbox rows in one
// transaction; only then is anybody told.
func (r *Runner) finish(ctx context.Context, a *active, fin agent.Finished) {
	reason := a.abortReason()
	if reason != "" {
		fin.Status = agent.RunAborted
	}
	final := r.final(a, fin, reason)
	result, err := json.Marshal(final)
	if err != nil {
		r.log.Error("the result of a run has no JSON form", "run", a.id, "error", err)
		result = []byte(`{}`)
	}
	state, cause := journal.RunFinished, ""
	switch fin.Status {
	case agent.RunAborted:
		state, cause = journal.RunAborted, reason
	case agent.RunFailed, agent.RunUnspecified:
		state, cause = journal.RunFailed, strings.TrimPrefix(fin.ErrorCode+": "+fin.ErrorText, ": ")
	case agent.RunOK:
	}
	err = r.store(ctx, func(tx *journal.Tx) error {
		if err := tx.EndRun(a.id, state, result, cause); err != nil {
			return err
		}
		if err := r.cfg.Sessions.Patch(tx, a.sessionKey, sessionPatch(fin)); err != nil {
			return err
		}
		if err := r.deliverAnswer(tx, a, fin); err != nil {
			return err
		}
		return tx.SetInboxState(a.inboxIDs, journal.InboxDone, a.id, "")
	})
	switch {
	case errors.Is(err, journal.ErrConflict):
		r.log.Debug("a run had ended before", "run", a.id)
	case err != nil:
		if ctx.Err() == nil {
			r.log.Error("the end of a run could not be stored; it is resumed at the next start", "run", a.id, "error", err)
		}
		return
	}
	r.told(a, fin, final)
}

// told tells clients, after the end is stored.
func (r *Runner) told(a *active, fin agent.Finished, final Final) {
	r.active.remove(a)
	text := ""
	if fin.Status == agent.RunOK {
		text = answerText(fin.Parts)
	}
	a.voice.ended(text, "")
	a.end(final)
}

func (r *Runner) deliverAnswer(tx *journal.Tx, a *active, fin agent.Finished) error {
	if !a.plan.Route.Deliver || fin.Status == agent.RunAborted {
		return nil
	}
	for _, p := range fin.Parts {
		if err := r.deliverPart(tx, a, p); err != nil {
			return err
		}
	}
	if fin.Status != agent.RunOK {
		return r.cfg.Deliverer.Deliver(tx, Delivery{RunID: a.id, Part: "error", Route: a.plan.Route, Text: failureText(fin)})
	}
	return nil
}

// failureText is the one line a person gets when a run failed.
func failureText(fin agent.Finished) string {
	why := fin.ErrorText
	if why == "" {
		why = "the agent runtime gave no reason"
	}
	return "⚠️ I could not answer: " + strings.TrimSuffix(why, ".") + ".\nMore in: openclaw logs --follow"
}

func answerText(parts []agent.Part) string {
	var texts []string
	for _, p := range parts {
		if t := Clean(p.Text, "").Text; t != "" {
			texts = append(texts, t)
		}
	}
	return strings.Join(texts, "\n\n")
}

func (r *Runner) final(a *active, fin agent.Finished, aborted string) Final {
	a.mu.Lock()
	started := a.startedMS
	a.mu.Unlock()
	now := r.cfg.Clock.Now().UnixMilli()
	if started == 0 {
		started = now
	}
	out := protocol.AgentOutcome{
		Payloads: []protocol.AgentPayload{},
		Meta: protocol.AgentRunMeta{
			DurationMS: now - started, Aborted: fin.Status == agent.RunAborted,
			AgentMeta: protocol.AgentMeta{SessionID: a.sessionID, Provider: fin.Provider, Model: fin.Model},
		},
	}
	if u := fin.Usage; u.Total > 0 {
		out.Meta.AgentMeta.Usage = &protocol.TokenUsage{Input: u.Input, Output: u.Output, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite, Total: u.Total}
	}
	for _, p := range fin.Parts {
		if t := Clean(p.Text, "").Text; t != "" {
			out.Payloads = append(out.Payloads, protocol.AgentPayload{Text: t})
		}
	}
	if fin.Status == agent.RunFailed {
		out.Payloads = append(out.Payloads, protocol.AgentPayload{Text: failureText(fin), IsError: true})
	}
	return Final{
		Result:    protocol.AgentResult{RunID: a.clientID, Status: protocol.AgentOK, Summary: "completed", Result: &out},
		StartedMS: started, EndedMS: now, Aborted: aborted,
	}
}

// sessionPatch adds to the runtime's own patch what the end says of the session.
func sessionPatch(fin agent.Finished) json.RawMessage {
	patch := map[string]any{}
	if len(fin.SessionPatch) > 0 {
		// A patch that is no object is the runtime's mistake, and is left out.
		_ = json.Unmarshal(fin.SessionPatch, &patch)
	}
	if fin.Status == agent.RunAborted {
		patch["abortedLastRun"] = true
	} else {
		patch["abortedLastRun"] = nil
	}
	out, err := json.Marshal(patch)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return out
}

// park gives a run up after its last charge: said once, and the lane goes on.
func (r *Runner) park(ctx context.Context, a *active) {
	const cause = "the agent runtime died each time it handled this"
	fin := agent.Finished{Status: agent.RunFailed, StopReason: "error", ErrorCode: "parked", ErrorText: cause}
	final := r.final(a, fin, "")
	result, err := json.Marshal(final)
	if err != nil {
		result = []byte(`{}`)
	}
	err = r.store(ctx, func(tx *journal.Tx) error {
		if err := tx.EndRun(a.id, journal.RunParked, result, cause); err != nil {
			return err
		}
		if a.plan.Route.Deliver {
			notice := Delivery{RunID: a.id, Part: "notice", Route: a.plan.Route, Text: failureText(fin)}
			if err := r.cfg.Deliverer.Deliver(tx, notice); err != nil {
				return err
			}
		}
		return tx.SetInboxState(a.inboxIDs, journal.InboxParked, a.id, cause)
	})
	if err != nil && !errors.Is(err, journal.ErrConflict) {
		r.log.Error("a run could not be parked; it is resumed at the next start", "run", a.id, "error", err)
		return
	}
	r.log.Error("run parked", "run", a.id, "session", a.sessionKey, "charges", MaxCharges)
	r.told(a, fin, final)
}
