package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/gatewaytest"
)

func chatParams(message string) map[string]any {
	return map[string]any{"sessionKey": "main", "message": message, "idempotencyKey": "k"}
}

func TestChatSendBeginsAfterTheAcknowledgement(t *testing.T) {
	var h *gatewaytest.Harness
	var begun atomic.Int32
	b := &gatewaytest.Backend{StartChatFunc: func(_ context.Context, r gateway.ChatRequest) (gateway.ChatStart, error) {
		return gateway.ChatStart{
			Result: protocol.ChatSendResult{RunID: r.Params.IdempotencyKey, Status: protocol.ChatStarted},
			Begin: func() {
				begun.Add(1)
				h.Bus.Publish(protocol.EventChat, protocol.ChatEvent{RunID: "k", SessionKey: "agent:main:main", Seq: 1, State: protocol.ChatFinal})
			},
		}, nil
	}}
	h = gatewaytest.Start(t, b)
	c := h.Connect(t, nil)
	id := c.Ask("chat.send", chatParams("hi"))
	first := c.Await("reply or event", func(f protocol.Incoming) bool { return f.ID == id || f.Event == protocol.EventChat })
	if first.ID != id {
		t.Fatal("an event of the run came before the acknowledgement")
	}
	if got := into[protocol.ChatSendResult](t, first); got != (protocol.ChatSendResult{RunID: "k", Status: protocol.ChatStarted}) {
		t.Errorf("got %+v", got)
	}
	c.Event(protocol.EventChat)
	if n := begun.Load(); n != 1 {
		t.Errorf("begun %d times", n)
	}
}

func TestStopWords(t *testing.T) {
	reasons := make(chan gateway.AbortRequest, 1)
	b := &gatewaytest.Backend{AbortFunc: func(_ context.Context, r gateway.AbortRequest) ([]string, error) {
		reasons <- r
		return []string{"r1"}, nil
	}}
	h := gatewaytest.Start(t, b)
	c := h.Connect(t, nil)
	for _, word := range []string{"/stop", "stop", " Stop ", "ESC", "abort", "wait", "exit", "interrupt"} {
		got := into[protocol.ChatAbortResult](t, c.Call("chat.send", chatParams(word)))
		if !got.OK || !got.Aborted || !slices.Equal(got.RunIDs, []string{"r1"}) {
			t.Errorf("%q: got %+v", word, got)
		}
		if r := <-reasons; r.Reason != "stop" || r.SessionKey != "main" || r.RunID != "" {
			t.Errorf("%q: asked for %+v", word, r)
		}
	}
	if got := into[protocol.ChatSendResult](t, c.Call("chat.send", chatParams("please stop"))); got.Status != protocol.ChatStarted {
		t.Errorf("a sentence was taken for a stop word: %+v", got)
	}
	into[protocol.ChatAbortResult](t, c.Call("chat.abort", map[string]string{"sessionKey": "s", "runId": "r"}))
	if r := <-reasons; r.Reason != "rpc" || r.RunID != "r" {
		t.Errorf("asked for %+v", r)
	}
}

func TestAttachments(t *testing.T) {
	got := make(chan []gateway.Image, 1)
	b := &gatewaytest.Backend{StartChatFunc: func(_ context.Context, r gateway.ChatRequest) (gateway.ChatStart, error) {
		got <- r.Images
		return gateway.ChatStart{Result: protocol.ChatSendResult{RunID: "k", Status: protocol.ChatStarted}}, nil
	}}
	h := gatewaytest.Start(t, b)
	c := h.Connect(t, nil)
	send := func(attachments ...any) protocol.Incoming {
		p := chatParams("")
		p["attachments"] = attachments
		return c.Call("chat.send", p)
	}
	into[protocol.ChatSendResult](t, send(
		map[string]string{"type": "image", "mimeType": "image/png", "fileName": "a.png", "content": "aGk="},
		map[string]string{"content": "data:image/jpeg;base64,aG8="},
		map[string]string{"type": "file", "mimeType": "text/plain", "content": "aGk="},
	))
	images := <-got
	if len(images) != 2 || string(images[0].Data) != "hi" || images[1].MimeType != "image/jpeg" || string(images[1].Data) != "ho" {
		t.Errorf("got %+v", images)
	}
	wantError(t, send(map[string]string{"fileName": "b.png", "content": "***"}), protocol.CodeInvalidRequest, "Error: attachment b.png: invalid base64 content")
	wantError(t, send(7), protocol.CodeInvalidRequest, "Error: attachment 1: must be an object with content (base64)")
	wantError(t, c.Call("chat.send", chatParams("  ")), protocol.CodeInvalidRequest, "message or attachment required")
}

func TestAgentAnswersTwice(t *testing.T) {
	release := make(chan gateway.AgentFinal)
	b := &gatewaytest.Backend{StartAgentFunc: func(_ context.Context, r gateway.AgentRequest) (gateway.AgentStart, error) {
		if r.Params.Message == "again" {
			return gateway.AgentStart{Stored: &gateway.AgentFinal{Result: protocol.AgentResult{RunID: "old", Status: protocol.AgentOK}}}, nil
		}
		return gateway.AgentStart{
			Ack: protocol.AgentAck{RunID: r.Params.IdempotencyKey, Status: protocol.AgentAccepted, AcceptedAt: 5},
			Wait: func(ctx context.Context) (gateway.AgentFinal, error) {
				select {
				case f := <-release:
					return f, nil
				case <-ctx.Done():
					return gateway.AgentFinal{}, ctx.Err()
				}
			},
		}, nil
	}}
	h := gatewaytest.Start(t, b)
	c := h.Connect(t, nil)
	ask := func(message string) string {
		return c.Ask("agent", map[string]string{"message": message, "idempotencyKey": "k"})
	}
	id := ask("hello")
	if got := into[protocol.AgentAck](t, c.Reply(id)); got.Status != protocol.AgentAccepted || got.AcceptedAt != 5 {
		t.Errorf("got %+v", got)
	}
	// The connection is free meanwhile.
	into[protocol.HealthSnapshot](t, c.Call("health", nil))
	release <- gateway.AgentFinal{Result: protocol.AgentResult{RunID: "k", Status: protocol.AgentOK, Summary: "completed"}}
	if got := into[protocol.AgentResult](t, c.Reply(id)); got.Summary != "completed" {
		t.Errorf("got %+v", got)
	}
	id = ask("fails")
	c.Reply(id)
	release <- gateway.AgentFinal{
		Result: protocol.AgentResult{RunID: "k", Status: protocol.AgentError, Summary: "no model"}, Err: protocol.Unavailable("no model"),
	}
	res := c.Reply(id)
	wantError(t, res, protocol.CodeUnavailable, "no model")
	var both protocol.AgentResult
	if err := json.Unmarshal(res.Payload, &both); err != nil || both.Status != protocol.AgentError {
		t.Errorf("got payload %s, want it beside the error", res.Payload)
	}
	if got := into[protocol.AgentResult](t, c.Reply(ask("again"))); got.RunID != "old" {
		t.Errorf("got %+v", got)
	}
	// A client that leaves frees the waiter; the leak check sees to it.
	ask("never")
	c.Hangup()
}

func TestAgentChecks(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{ChannelIDs: []string{"carrier-pigeon"}})
	c := h.Connect(t, nil)
	tests := []struct {
		name, method string
		params       map[string]any
		want         string
	}{
		{"agent", "agent", map[string]any{"agentId": "nope"}, `invalid agent params: unknown agent id "nope"`},
		{"key of another", "agent", map[string]any{"agentId": "main", "sessionKey": "agent:other:x"}, `invalid agent params: agent "main" does not match session key agent "other"`},
		{"channel", "agent", map[string]any{"channel": "owl"}, `invalid agent params: unknown channel: owl`},
		{"reply channel", "agent", map[string]any{"replyChannel": "owl"}, `invalid agent params: unknown channel: owl`},
		{"identity", "agent.identity.get", map[string]any{"agentId": "main", "sessionKey": "agent:other:x"}, `invalid agent.identity.get params: agent "main" does not match session key agent "other"`},
		{"send", "send", map[string]any{"to": "x", "channel": "Owl"}, "unsupported channel: owl"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.method != "agent.identity.get" {
				tt.params["message"], tt.params["idempotencyKey"] = "x", "k"
			}
			wantError(t, c.Call(tt.method, tt.params), protocol.CodeInvalidRequest, tt.want)
		})
	}
	ok := map[string]any{"message": "x", "idempotencyKey": "k", "channel": "carrier-pigeon"}
	into[protocol.AgentAck](t, c.Call("agent", ok))
}

func TestBackendErrors(t *testing.T) {
	failures := map[string]error{
		"typed":   protocol.Invalid("send blocked by session policy"),
		"wrapped": errors.Join(errors.New("lane"), protocol.Invalid("busy")),
		"plain":   errors.New("journal is full"),
	}
	b := &gatewaytest.Backend{HistoryFunc: func(_ context.Context, p protocol.ChatHistoryParams) (protocol.ChatHistoryResult, error) {
		if p.SessionKey == "panic" {
			panic("out of cheese")
		}
		return protocol.ChatHistoryResult{}, failures[p.SessionKey]
	}}
	h := gatewaytest.Start(t, b)
	c := h.Connect(t, nil)
	ask := func(key string) protocol.Incoming {
		return c.Call("chat.history", map[string]string{"sessionKey": key})
	}
	wantError(t, ask("typed"), protocol.CodeInvalidRequest, "send blocked by session policy")
	wantError(t, ask("wrapped"), protocol.CodeInvalidRequest, "busy")
	wantError(t, ask("plain"), protocol.CodeUnavailable, "journal is full")
	wantError(t, ask("panic"), protocol.CodeUnavailable, "out of cheese")
	into[protocol.HealthSnapshot](t, c.Call("health", nil))
}

func TestHistoryIsBounded(t *testing.T) {
	large := json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)
	b := &gatewaytest.Backend{HistoryFunc: func(_ context.Context, p protocol.ChatHistoryParams) (protocol.ChatHistoryResult, error) {
		if p.Limit != 200 {
			return protocol.ChatHistoryResult{}, protocol.Invalid("limit %d", p.Limit)
		}
		r := protocol.ChatHistoryResult{SessionKey: p.SessionKey}
		for range 10 {
			r.Messages = append(r.Messages, large)
		}
		return r, nil
	}}
	h := gatewaytest.Start(t, b, func(c *gateway.Config) { c.Limits.Buffered = 16 << 20 })
	c := h.Connect(t, nil)
	got := into[protocol.ChatHistoryResult](t, c.Call("chat.history", map[string]string{"sessionKey": "s"}))
	if len(got.Messages) != 5 || got.ThinkingLevel != "off" {
		t.Errorf("got %d messages of 1 MiB, level %q", len(got.Messages), got.ThinkingLevel)
	}
}

func TestRequestsInFlightAreBounded(t *testing.T) {
	var mu sync.Mutex
	waiting := sync.NewCond(&mu)
	n := 0
	release := make(chan struct{})
	b := &gatewaytest.Backend{WaitRunFunc: func(ctx context.Context, id string) (protocol.AgentWaitResult, error) {
		mu.Lock()
		n++
		waiting.Broadcast()
		mu.Unlock()
		<-release
		return protocol.AgentWaitResult{Status: protocol.AgentOK}, nil
	}}
	h := gatewaytest.Start(t, b, func(c *gateway.Config) { c.Limits.InFlight = 3 })
	c := h.Connect(t, nil)
	var ids []string
	for range 3 {
		ids = append(ids, c.Ask("agent.wait", map[string]string{"runId": "r"}))
	}
	mu.Lock()
	for n < 3 {
		waiting.Wait()
	}
	mu.Unlock()
	res := c.Call("agent.wait", map[string]string{"runId": "r"})
	wantError(t, res, protocol.CodeUnavailable, "too many requests are waiting on this connection")
	if res.Error.Retryable == nil || !*res.Error.Retryable {
		t.Error("not said to be worth a retry")
	}
	into[protocol.HealthSnapshot](t, c.Call("health", nil))
	close(release)
	for _, id := range ids {
		into[protocol.AgentWaitResult](t, c.Reply(id))
	}
}

func TestWorkers(t *testing.T) {
	asked := make(chan string, 1)
	b := &gatewaytest.Backend{
		WorkersFunc: func() []protocol.WorkerView {
			return []protocol.WorkerView{
				{ID: "agentd", Kind: "agent", State: protocol.WorkerRunning, PID: 7},
				{ID: "telegram", Kind: "channel", State: protocol.WorkerBackoff, Restarts: 3, Accounts: []protocol.WorkerAccount{{ID: "default", Phase: "connected", Text: "stale"}}},
			}
		},
		ControlFunc: func(_ context.Context, a gateway.WorkerAction, id string) (protocol.WorkerView, error) {
			asked <- string(a) + " " + id
			return protocol.WorkerView{ID: id, State: protocol.WorkerRunning}, nil
		},
		WorkerLogsFunc: func(id string, n int) ([]string, error) { return []string{id}, nil },
	}
	h := gatewaytest.Start(t, b)
	c := h.Connect(t, nil)
	if got := into[protocol.WorkersListResult](t, c.Call("workers.list", nil)); len(got.Workers) != 2 || got.TS == 0 {
		t.Errorf("got %+v", got)
	}
	for _, action := range []string{"restart", "stop", "start", "kill"} {
		got := into[protocol.WorkerResult](t, c.Call("workers."+action, map[string]string{"worker": "telegram"}))
		if want := action + " telegram"; !got.OK || <-asked != want {
			t.Errorf("%s: got %+v", action, got)
		}
	}
	if got := into[protocol.WorkerLogsResult](t, c.Call("workers.logs", map[string]any{"worker": "agentd", "limit": 2})); !slices.Equal(got.Lines, []string{"agentd"}) {
		t.Errorf("got %+v", got)
	}
	wantError(t, c.Call("workers.kill", nil), protocol.CodeInvalidRequest, "worker required")
	wantError(t, c.Call("workers.kill", map[string]string{"worker": "owl"}), protocol.CodeInvalidRequest, `unknown worker "owl" (there are: agentd, telegram)`)
	wantError(t, c.Call("workers.kill", map[string]string{"wroker": "owl"}), protocol.CodeInvalidRequest, `invalid workers.kill params: unknown field "wroker"`)

	snap := into[protocol.HealthSnapshot](t, c.Call("health", map[string]bool{"probe": true}))
	tg := snap.Channels["telegram"]
	if len(snap.Workers) != 2 || tg.Running || tg.Connected == nil || *tg.Connected {
		t.Errorf("got %+v: an account of a dead process is not connected", tg)
	}
}

func TestLogsTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway-2026-11-24.log")
	write := func(s string) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	b := &gatewaytest.Backend{LogPath: path}
	h := gatewaytest.Start(t, b)
	c := h.Connect(t, nil)
	tail := func(p map[string]any) protocol.LogsTailResult {
		return into[protocol.LogsTailResult](t, c.Call("logs.tail", p))
	}
	if r := tail(nil); len(r.Lines) != 0 || r.Cursor != 0 {
		t.Errorf("no file: got %+v", r)
	}
	write("one\ntwo\nthree\nfou")
	r := tail(map[string]any{"limit": 2})
	if !slices.Equal(r.Lines, []string{"two", "three"}) || !r.Truncated || r.Reset {
		t.Errorf("got %+v", r)
	}
	write("r\nfive\n")
	if r = tail(map[string]any{"cursor": r.Cursor}); !slices.Equal(r.Lines, []string{"four", "five"}) || r.Truncated {
		t.Errorf("after the cursor: got %+v", r)
	}
	if r = tail(map[string]any{"cursor": r.Cursor}); len(r.Lines) != 0 || r.Cursor != r.Size {
		t.Errorf("nothing new: got %+v", r)
	}
	if r = tail(map[string]any{"maxBytes": 7}); !slices.Equal(r.Lines, []string{"five"}) || !r.Truncated {
		t.Errorf("a torn first line is left out: got %+v", r)
	}
	if r = tail(map[string]any{"cursor": 1 << 40}); !r.Reset || len(r.Lines) != 5 {
		t.Errorf("beyond the end: got %+v", r)
	}
	// Today's file is not there yet: the newest of its kind is read.
	b.LogPath = filepath.Join(filepath.Dir(path), "gateway-2026-11-25.log")
	if r = tail(nil); r.File != path || len(r.Lines) != 5 {
		t.Errorf("got %+v", r)
	}
}

func TestRunsMayCallWhatIsTheirs(t *testing.T) {
	b := &gatewaytest.Backend{
		HistoryFunc: func(_ context.Context, p protocol.ChatHistoryParams) (protocol.ChatHistoryResult, error) {
			return protocol.ChatHistoryResult{SessionKey: p.SessionKey}, nil
		},
		ListFunc: func(_ context.Context, p protocol.SessionsListParams) (protocol.SessionsListResult, error) {
			return protocol.SessionsListResult{Path: p.AgentID}, nil
		},
	}
	h := gatewaytest.Start(t, b)
	who := gateway.AgentCaller{RunID: "r", AgentID: "main", SessionKey: "agent:main:main"}
	call := func(method, params string) (json.RawMessage, *protocol.Error) {
		return h.Server.AgentCall(t.Context(), who, method, json.RawMessage(params))
	}
	if raw, err := call("chat.history", `{"sessionKey":"agent:main:main"}`); err != nil || !strings.Contains(string(raw), "agent:main:main") {
		t.Errorf("got %s, %v", raw, err)
	}
	if _, err := call("chat.history", `{"sessionKey":"agent:other:main"}`); err == nil {
		t.Error("a run read another's session")
	}
	if raw, err := call("sessions.list", `{"agentId":"other"}`); err != nil || !strings.Contains(string(raw), `"path":"main"`) {
		t.Errorf("got %s, %v: bound to its own agent", raw, err)
	}
	for _, method := range []string{"config.get", "workers.kill", "dashboard.ticket", "sessions.patch", "chat.send", "connect", "no.such"} {
		if _, err := call(method, `{}`); err == nil || !strings.HasPrefix(err.Message, "missing scope") {
			t.Errorf("%s: got %v", method, err)
		}
	}
	if _, err := call("chat.history", `{}`); err == nil || err.Message != "invalid chat.history params: must have required property 'sessionKey'" {
		t.Errorf("got %v", err)
	}
}
