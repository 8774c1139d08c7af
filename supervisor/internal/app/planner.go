package app

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/session"
)

// planner implements run.Planner and run.Sessions.
type planner struct{ book *book }

// Plan implements run.Planner: the session entry is made, or begun anew, and told where the
// conversation was last heard; everything that the run depends on is read and frozen.
func (p *planner) Plan(tx *journal.Tx, w run.Wish) (string, run.Plan, error) {
	b := p.book
	e, _, err := b.index.Ensure(tx, w.SessionKey, w.AgentID, b.resetRules().For(w.SessionKey, w.Route.Channel))
	if err != nil {
		return "", run.Plan{}, err
	}
	aborted := e.Bool("abortedLastRun")
	if patch := lastRoute(w, aborted); len(patch) > 0 {
		raw, err := json.Marshal(patch)
		if err != nil {
			return "", run.Plan{}, err
		}
		if e, err = b.index.Patch(tx, w.SessionKey, w.AgentID, raw); err != nil {
			return "", run.Plan{}, err
		}
	}
	inputs, err := withSystemEvents(tx, w)
	if err != nil {
		return "", run.Plan{}, err
	}
	s := b.store.Snapshot()
	timeout := w.TimeoutMS
	if timeout == 0 {
		timeout = int64(s.Config.Agents.Defaults.TimeoutSeconds) * int64(time.Second/time.Millisecond)
	}
	plan := run.Plan{
		Route: w.Route, SessionKeyAsSent: w.AsSent, Inputs: inputs, Policy: policy(e, w), Workspace: s.AgentWorkspace(w.AgentID),
		Transcript: b.transcriptPath(w.AgentID, e.SessionID), TimeoutMS: timeout, PreviousAborted: aborted,
	}
	return e.SessionID, plan, nil
}

// withSystemEvents puts the notes that wait for the session before the first input: they
// leave the queue in the transaction that freezes them into the run.
func withSystemEvents(tx *journal.Tx, w run.Wish) ([]run.Input, error) {
	notes, err := tx.TakeSystemEvents(w.SessionKey)
	if err != nil || len(notes) == 0 || len(w.Inputs) == 0 {
		return w.Inputs, err
	}
	var b strings.Builder
	for _, n := range notes {
		fmt.Fprintf(&b, "System: [%s] %s\n", time.UnixMilli(n.AtMS).Format("2006-01-02 15:04:05 MST"), n.Text)
	}
	inputs := slices.Clone(w.Inputs)
	inputs[0].Text = b.String() + inputs[0].Text
	return inputs, nil
}

// policy is what the session says of model and levels; the agent's own defaults are agentd's to fill in.
func policy(e session.Entry, w run.Wish) agent.Policy {
	p := agent.Policy{
		Thinking: e.Text("thinkingLevel"), Verbose: e.Text("verboseLevel"), Reasoning: e.Text("reasoningLevel"), Elevated: e.Text("elevatedLevel"),
		ExtraSystemPrompt: w.ExtraSystemPrompt,
	}
	if w.Thinking != "" {
		p.Thinking = w.Thinking
	}
	if m := e.Text("modelOverride"); m != "" {
		p.Model = m
		if provider := e.Text("providerOverride"); provider != "" {
			p.Model = provider + "/" + m
		}
	}
	return p
}

// lastRoute is what a message changes in its session's entry.
func lastRoute(w run.Wish, aborted bool) map[string]any {
	patch := map[string]any{}
	if aborted {
		patch["abortedLastRun"] = nil
	}
	if !w.Route.Deliver {
		return patch
	}
	to := string(w.Route.Conversation)
	context := map[string]any{"channel": w.Route.Channel, "to": to, "accountId": string(w.Route.Account)}
	if w.Route.Thread != "" {
		context["threadId"] = string(w.Route.Thread)
	}
	patch["chatType"], patch["channel"] = w.Route.ChatKind, w.Route.Channel
	patch["lastChannel"], patch["lastTo"], patch["lastAccountId"] = w.Route.Channel, to, string(w.Route.Account)
	patch["deliveryContext"] = context
	return patch
}

// Patch implements run.Sessions. A session that was deleted while its run went on stays deleted.
func (p *planner) Patch(tx *journal.Tx, key string, patch json.RawMessage) error {
	row, err := tx.GetSession(key)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = p.book.index.Patch(tx, key, row.AgentID, patch)
	return err
}
