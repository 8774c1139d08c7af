package turn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/transcript"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// failure is how a run ended badly.
type failure struct {
	code, text string
	retryable  bool
}

// ending turns the error that stopped a run into its last entry and event. An
// interrupted run gets neither: it is resumed.
func (r *run) ending(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var rest *partial
	var broken *brokenError
	if errors.As(err, &broken) {
		rest = &broken.rest
	}
	if ctx.Err() != nil {
		var abort *abortError
		switch cause := context.Cause(ctx); {
		case errors.As(cause, &abort):
			return r.aborted(ctx, abort.reason, rest)
		case errors.Is(cause, errTimeout):
			return r.fail(ctx, &failure{code: "timeout", text: fmt.Sprintf("the run took longer than %s and was ended", r.req.Timeout), retryable: true}, rest)
		default:
			return cause
		}
	}
	var perr *provider.Error
	if errors.As(err, &perr) {
		return r.fail(ctx, &failure{code: string(perr.Kind), text: perr.Error(), retryable: perr.Retryable()}, rest)
	}
	return r.fail(ctx, &failure{code: "internal", text: err.Error(), retryable: true}, rest)
}

// fail stores that the run failed, with what had arrived, and tells it.
func (r *run) fail(ctx context.Context, f *failure, rest *partial) error {
	r.close()
	tag := &transcript.Tag{RunID: r.req.RunID, ErrorCode: f.code, Retryable: f.retryable}
	return r.end(ctx, chat.StopError, f.text, tag, rest)
}

// aborted stores that the run was ended by somebody, and tells it.
func (r *run) aborted(ctx context.Context, reason string, rest *partial) error {
	r.close()
	return r.end(ctx, chat.StopAborted, reason, &transcript.Tag{RunID: r.req.RunID}, rest)
}

func (r *run) end(ctx context.Context, stop, text string, tag *transcript.Tag, rest *partial) error {
	if rest == nil {
		rest = &partial{}
	}
	tag.FirstPart, tag.PartEnds = rest.first, rest.ends
	if _, err := r.append(r.assistantEntry(rest.content, stop, rest.usage, text, tag)); err != nil {
		return r.failUnwritten(ctx, err)
	}
	return r.finish()
}

// failUnwritten tells a failure of which nothing could be stored.
func (r *run) failUnwritten(ctx context.Context, err error) error {
	r.close()
	r.log.Error("run's end could not be stored", slog.Any("error", err))
	f := agent.Finished{
		Status: agent.RunFailed, StopReason: chat.StopError, ErrorCode: "transcript", ErrorText: err.Error(), Retryable: true,
		Usage: *wireUsage(r.usage), SessionPatch: json.RawMessage("{}"),
	}
	var abort *abortError
	if errors.As(context.Cause(ctx), &abort) {
		f.Status, f.StopReason, f.ErrorCode, f.ErrorText = agent.RunAborted, chat.StopAborted, "", abort.reason
	}
	if len(r.candidates) > 0 {
		f.Provider, f.Model = r.model().Provider, r.model().ID
	}
	return r.emit(agent.RunEvent{Finished: &f})
}

// finish tells the end of the run as the transcript has it; so a run that is asked
// for again after its end gives the same answer with the same numbers.
func (r *run) finish() error {
	r.close()
	return r.emit(agent.RunEvent{Finished: r.finished(r.t.Run(r.req.RunID))})
}

func (r *run) finished(entries []transcript.Entry) *agent.Finished {
	f := &agent.Finished{Status: agent.RunOK}
	var last transcript.Entry
	var prompt int64
	for _, e := range entries {
		if e.Message == nil || e.Message.Role != chat.RoleAssistant {
			continue
		}
		last = e
		f.Parts = append(f.Parts, parts(e)...)
		if u := e.Message.Usage; u != nil && u.Input+u.CacheRead+u.CacheWrite > 0 {
			prompt = u.Input + u.CacheRead + u.CacheWrite
		}
	}
	m := last.Message
	f.StopReason, f.Provider, f.Model = m.StopReason, m.Provider, m.Model
	switch m.StopReason {
	case chat.StopError:
		f.Status, f.ErrorText, f.ErrorCode, f.Retryable = agent.RunFailed, m.ErrorMessage, last.Tag.ErrorCode, last.Tag.Retryable
	case chat.StopAborted:
		f.Status, f.ErrorText = agent.RunAborted, m.ErrorMessage
	}
	usage := spent(entries)
	f.Usage = *wireUsage(usage)
	f.SessionPatch = r.patch(m, usage, prompt)
	return f
}

// patch is what the session's index entry learns from the run.
func (r *run) patch(m *chat.Message, usage chat.Usage, prompt int64) json.RawMessage {
	p := map[string]any{}
	if m.Provider != "" {
		p["modelProvider"], p["model"] = m.Provider, m.Model
		if found, err := r.snap.Catalogue.Find(m.Provider + "/" + m.Model); err == nil {
			p["contextTokens"] = found.ContextWindow
			prompt = min(prompt, found.ContextWindow)
		}
	}
	if usage.TotalTokens > 0 {
		p["inputTokens"], p["outputTokens"] = usage.Input, usage.Output
	}
	if prompt > 0 {
		p["totalTokens"] = prompt
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return json.RawMessage("{}")
	}
	return raw
}

// parts cuts an entry's text where its tag says.
func parts(e transcript.Entry) []agent.Part {
	if e.Tag == nil {
		return nil
	}
	text, from := e.Message.Content.Text(), 0
	var out []agent.Part
	for i, end := range e.Tag.PartEnds {
		if end < from || end > len(text) {
			break
		}
		out = append(out, agent.Part{N: int(e.Tag.FirstPart) + i, Text: strings.TrimSpace(text[from:end])})
		from = end
	}
	return out
}
