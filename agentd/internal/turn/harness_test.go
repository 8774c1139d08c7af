package turn

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/model"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/transcript"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// reply is one scripted model message.
type reply struct {
	text  []string
	calls []chat.Block
	err   error
	stop  string
	// hold, if not nil, is waited for after the text.
	hold chan struct{}
}

// scripted is a provider that answers from a list and keeps what it was asked.
type scripted struct {
	mu      sync.Mutex
	replies []reply
	asked   []provider.Request
	// endless: once the list is empty the answer is always the same.
	endless bool
}

func (s *scripted) Stream(ctx context.Context, req provider.Request, emit func(provider.Event) error) (provider.Answer, error) {
	s.mu.Lock()
	s.asked = append(s.asked, req)
	if s.endless && len(s.replies) == 0 {
		s.asked = s.asked[:0]
		s.replies = []reply{{text: []string{"ok"}}}
	}
	if len(s.replies) == 0 {
		s.mu.Unlock()
		return provider.Answer{}, errors.New("the script has no further reply")
	}
	r := s.replies[0]
	s.replies = s.replies[1:]
	s.mu.Unlock()
	var a provider.Answer
	text := ""
	for _, t := range r.text {
		text += t
		if err := emit(provider.Event{Kind: provider.TextDelta, Delta: t}); err != nil {
			return a, err
		}
	}
	if text != "" {
		a.Content = append(a.Content, chat.Text(text))
	}
	if r.hold != nil {
		select {
		case <-r.hold:
		case <-ctx.Done():
			return a, context.Cause(ctx)
		}
	}
	if r.err != nil {
		return a, r.err
	}
	a.Content = append(a.Content, r.calls...)
	a.StopReason = r.stop
	if a.StopReason == "" {
		a.StopReason = chat.StopEnd
	}
	a.Usage = chat.Usage{Input: 10, Output: 2, TotalTokens: 12}
	return a, nil
}

func (s *scripted) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func call(id, name, args string) chat.Block {
	return chat.Block{Type: chat.BlockToolCall, ID: id, Name: name, Arguments: json.RawMessage(args)}
}

// noteTool is a tool that notes its use and answers with what do gives.
type noteTool struct {
	name string
	do   func(ctx context.Context, c tool.Call) (tool.Result, error)
}

func (n noteTool) Spec() tool.Spec {
	return tool.Spec{Name: n.name, Summary: n.name, Schema: json.RawMessage(`{"type":"object","properties":{"x":{"type":"integer"}}}`)}
}

func (n noteTool) Run(ctx context.Context, c tool.Call) (tool.Result, error) { return n.do(ctx, c) }

// bench is an engine with everything round it.
type bench struct {
	t      testing.TB
	engine *Engine
	snap   Snapshot
	model  *scripted
	path   string
	dir    string
	waits  []time.Duration
}

func newBench(t testing.TB, tools []tool.Tool, replies ...reply) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{t: t, model: &scripted{replies: replies}, dir: dir, path: filepath.Join(dir, "sessions", "s.jsonl")}
	b.configure(`{"agents":{"defaults":{"skipBootstrap":true,"model":{"primary":"fake/one","fallbacks":["fake/two"]}}},
		"models":{"providers":{"fake":{"baseUrl":"http://127.0.0.1:1","api":"script","models":[
			{"id":"one","contextWindow":32000,"cost":{"input":1000000}},{"id":"two","contextWindow":32000}]}}}}`)
	b.engine = New(Config{
		Providers: map[string]provider.Provider{"script": b.model}, Tools: tool.NewRegistry(tools...),
		Sleep: func(ctx context.Context, d time.Duration) error {
			b.waits = append(b.waits, d)
			return ctx.Err()
		},
	})
	return b
}

func (b *bench) configure(raw string) {
	b.t.Helper()
	set, err := settings.Parse(json.RawMessage(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	b.snap = Snapshot{Settings: set, Catalogue: model.New(set)}
}

func (b *bench) request(inputs ...string) agent.RunRequest {
	req := agent.RunRequest{
		RunID: "R1", Attempt: 1, AgentID: "main", SessionKey: "agent:main:main", SessionID: "11111111-2222-3333-4444-555555555555",
		Transcript: b.path, Workspace: filepath.Join(b.dir, "ws"),
	}
	for i, text := range inputs {
		req.Inputs = append(req.Inputs, agent.Input{ID: string(rune('a' + i)), Text: text, TimestampMS: 1795293122659})
	}
	return req
}

// events of one attempt.
type events []agent.RunEvent

func (ev events) finished(t testing.TB) agent.Finished {
	t.Helper()
	if len(ev) == 0 || ev[len(ev)-1].Finished == nil {
		t.Fatalf("the last event is no Finished: %+v", ev)
	}
	return *ev[len(ev)-1].Finished
}

func (ev events) stored() (ids []string) {
	for _, e := range ev {
		ids = append(ids, e.InputStored...)
	}
	return ids
}

func (b *bench) run(req agent.RunRequest) events {
	b.t.Helper()
	var got events
	err := b.engine.Run(b.t.Context(), b.snap, req, func(e agent.RunEvent) error {
		got = append(got, e)
		return nil
	})
	if err != nil {
		b.t.Fatalf("run: %v", err)
	}
	return got
}

// messages of the transcript, as "role/stop: text".
func (b *bench) messages() []string {
	b.t.Helper()
	f, err := transcript.Open(b.t.Context(), transcript.Options{Path: b.path})
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	var out []string
	for _, m := range f.Context().Messages {
		line := m.Role
		if m.StopReason != "" {
			line += "/" + m.StopReason
		}
		line += ": " + m.Content.Text()
		for _, c := range m.ToolCalls() {
			line += "<" + c.Name + " " + c.ID + ">"
		}
		out = append(out, line)
	}
	return out
}
