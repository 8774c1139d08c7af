package turn

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/transcript"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// Tries of one model call, and the pauses between them.
const (
	maxTries   = 3
	firstDelay = 2 * time.Second
	maxDelay   = 60 * time.Second
)

// partial is a message that broke off.
type partial struct {
	content chat.Blocks
	usage   chat.Usage
	first   uint32
	ends    []int
}

// brokenError carries what had arrived of a message when the call failed.
type brokenError struct {
	err  error
	rest partial
}

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// ask makes one model call, with retries and fall-back to the next model, and
// stores the answer.
func (r *run) ask(ctx context.Context) (transcript.Entry, error) {
	for try := 1; ; try++ {
		if ctx.Err() != nil {
			return transcript.Entry{}, context.Cause(ctx)
		}
		s := newStreamer(r)
		answer, err := r.call(ctx, s)
		if err == nil {
			err = s.say()
		}
		if err == nil {
			return r.store(answer, s)
		}
		broken := &brokenError{err: err, rest: s.rest(answer)}
		if ctx.Err() != nil {
			broken.err = context.Cause(ctx)
			return transcript.Entry{}, broken
		}
		perr := provider.AsError(err, r.model().Provider, r.model().ID)
		broken.err = perr
		again := perr.Retryable() && try < maxTries
		next := !again && perr.Failover() && len(r.candidates) > 1
		r.log.Warn("model call failed", slog.String("model", r.model().Ref()), slog.String("kind", string(perr.Kind)),
			slog.Int("status", perr.Status), slog.Int("try", try), slog.Bool("again", again), slog.Bool("next_model", next))
		if !again && !next {
			return transcript.Entry{}, broken
		}
		if err := r.keepSent(s); err != nil {
			return transcript.Entry{}, err
		}
		if next {
			try = 0
			r.candidates = r.candidates[1:]
			if _, err := r.append(r.modelEntries()...); err != nil {
				return transcript.Entry{}, err
			}
			continue
		}
		if err := r.e.cfg.Sleep(ctx, delay(try, perr.RetryAfter)); err != nil {
			return transcript.Entry{}, &brokenError{err: context.Cause(ctx)}
		}
	}
}

// delay before the next try: doubling, or as long as the server asked for, a minute at most.
func delay(try int, asked time.Duration) time.Duration {
	return min(max(firstDelay<<(try-1), asked), maxDelay)
}

// call makes one attempt.
func (r *run) call(ctx context.Context, s *streamer) (provider.Answer, error) {
	m := r.model()
	p := r.e.cfg.Providers[m.Endpoint.API]
	if p == nil {
		return provider.Answer{}, &provider.Error{Kind: provider.KindFormat, Provider: m.Provider, Model: m.ID,
			Detail: fmt.Sprintf("the dialect %q is not supported by this version; choose a model of another provider", m.Endpoint.API)}
	}
	req := provider.Request{
		Endpoint: m.Endpoint, Model: m.ID, System: r.system, Messages: visible(r.t.Context().Messages, m),
		MaxTokens: m.MaxTokens, Temperature: m.Temperature, Cache: m.Cache,
	}
	if m.Effort {
		req.Thinking = r.level()
	}
	for _, t := range r.tools.Specs() {
		req.Tools = append(req.Tools, provider.Tool{Name: t.Name, Description: t.Description, Schema: t.Schema})
	}
	return p.Stream(ctx, req, s.event)
}

// store puts an answer on disk, then tells its last part and what it cost.
func (r *run) store(answer provider.Answer, s *streamer) (transcript.Entry, error) {
	usage := r.model().Price(answer.Usage)
	content, calls := r.named(answer.Content)
	stop := answer.StopReason
	switch {
	case calls > 0:
		stop = chat.StopToolUse
	case stop != chat.StopLength:
		stop = chat.StopEnd
	}
	s.flush(content.Text())
	tag := &transcript.Tag{RunID: r.req.RunID, PartEnds: s.ends}
	if len(s.ends) > 0 {
		tag.FirstPart = s.first
		r.nextPart = s.first + uint32(len(s.ends))
	}
	out, err := r.append(r.assistantEntry(content, stop, usage, "", tag))
	if err != nil {
		return transcript.Entry{}, err
	}
	if err := s.tell(); err != nil {
		return transcript.Entry{}, err
	}
	r.usage = r.usage.Add(usage)
	return out[0], r.emit(agent.RunEvent{Usage: wireUsage(r.usage)})
}

// named gives every tool call an id that is its own within the run, for the id is
// part of an idempotency key, and arguments that are a JSON object.
func (r *run) named(content chat.Blocks) (chat.Blocks, int) {
	taken := map[string]bool{}
	for _, e := range r.t.Run(r.req.RunID) {
		if e.Message != nil {
			for _, c := range e.Message.ToolCalls() {
				taken[c.ID] = true
			}
		}
	}
	out, calls := make(chat.Blocks, 0, len(content)), 0
	for _, b := range content {
		if b.Type == chat.BlockToolCall {
			calls++
			id := b.ID
			if id == "" {
				id = "call"
			}
			for n := 2; taken[id] || id == "call"; n++ {
				id = fmt.Sprintf("%s_%d", b.ID, n)
				if b.ID == "" {
					id = fmt.Sprintf("call_%d", n-1)
				}
			}
			taken[id] = true
			b.ID = id
			b.Arguments = object(b.Arguments)
		}
		out = append(out, b)
	}
	return out, calls
}

// unparsed is the key under which arguments are kept that are no JSON object.
const unparsed = "_unparsed"

func object(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) == nil && m != nil {
		return raw
	}
	kept, err := json.Marshal(map[string]string{unparsed: string(raw)})
	if err != nil {
		return json.RawMessage("{}")
	}
	return kept
}

// assistantEntry makes the entry of a message of the present model.
func (r *run) assistantEntry(content chat.Blocks, stop string, usage chat.Usage, errText string, tag *transcript.Tag) transcript.Entry {
	m := chat.Message{
		Role: chat.RoleAssistant, Content: content, Usage: &usage, StopReason: stop, ErrorMessage: errText,
		Timestamp: r.e.cfg.Now().UnixMilli(),
	}
	if len(r.candidates) > 0 {
		m.API, m.Provider, m.Model = r.model().Endpoint.API, r.model().Provider, r.model().ID
	}
	return transcript.MessageEntry(m, tag)
}

// resultEntry makes the entry of a tool call's result.
func (r *run) resultEntry(call chat.Block, content chat.Blocks, details json.RawMessage, isError bool) transcript.Entry {
	return transcript.MessageEntry(chat.Message{
		Role: chat.RoleToolResult, ToolCallID: call.ID, ToolName: call.Name, Content: content, Details: details, IsError: &isError,
		Timestamp: r.e.cfg.Now().UnixMilli(),
	}, &transcript.Tag{RunID: r.req.RunID})
}

// keepSent puts parts of a broken message on record that have gone out already.
func (r *run) keepSent(s *streamer) error {
	if len(s.ends) == 0 {
		return nil
	}
	r.nextPart = s.first + uint32(len(s.ends))
	return r.appendDelivered(s.text.String()[:s.ends[len(s.ends)-1]], s.first, s.ends)
}

func wireUsage(u chat.Usage) *agent.Usage {
	return &agent.Usage{
		Input: u.Input, Output: u.Output, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite, Total: u.TotalTokens, Cost: u.Cost.Total,
	}
}
