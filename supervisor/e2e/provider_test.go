package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-supervisor/clientws"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
)

// TestProviderFails: a provider that refuses or breaks off is told to the person in one
// warning, to a client as an error, and the conversation goes on.
func TestProviderFails(t *testing.T) {
	t.Parallel()
	for _, bad := range []struct {
		name  string
		fault func() *model.Fault
	}{
		{"401", func() *model.Fault { return &model.Fault{Status: 401} }},
		{"429", func() *model.Fault { return &model.Fault{Status: 429, RetryAfter: 1} }},
		{"500", func() *model.Fault { return &model.Fault{Status: 500} }},
		{"cut before the first byte", func() *model.Fault { return &model.Fault{CutAfter: -1} }},
		{"cut stream", func() *model.Fault { return &model.Fault{CutAfter: 300} }},
	} {
		t.Run(bad.name, func(t *testing.T) {
			t.Parallel()
			e := New(t)
			e.Start()
			fault := e.Model.Inject(bad.fault())

			e.Say(301, "say: what is it that you see")
			e.AwaitReply(301)
			e.AwaitSettled(1, 301)
			texts := e.Texts(301)
			if len(texts) != 1 || !strings.HasPrefix(texts[0], "⚠️") {
				t.Errorf("sent were %q, want one warning", texts)
			}
			if len(texts) > 0 && strings.Contains(texts[0], "what is it that you see") {
				t.Error("the warning repeats the message")
			}

			// A client is told the end of the run; the reason stands in the history.
			end := e.chat("main", "say: and here")
			if end.State != "final" || end.Message != nil {
				t.Errorf("the chat ended as %q with %s, want final and no message", end.State, end.Message)
			}
			if last := e.lastOf("main"); last.StopReason != "error" || last.ErrorMessage == "" {
				t.Errorf("the history ends with %+v, want an error and its reason", last)
			}

			fault.Remove()
			e.Say(301, "say: well again")
			e.AwaitText(301, "well again")
			e.Stop()
		})
	}
}

// chatEnd is the last event of a chat's run.
type chatEnd struct {
	RunID   string          `json:"runId"`
	State   string          `json:"state"`
	Message json.RawMessage `json:"message"`
}

// chat sends a message as a client does, and waits for the end of its run.
func (e *Env) chat(session, text string) chatEnd {
	e.t.Helper()
	events := e.Hear(protocol.EventChat)
	defer events.Close()
	key := fmt.Sprintf("chat-%s-%d", session, len(e.Model.Requests()))
	e.Call(protocol.MethodChatSend, map[string]any{"sessionKey": session, "message": text, "idempotencyKey": key}, nil)
	var end chatEnd
	events.Await("that ends the chat", func(event clientws.Event) bool {
		end = chatEnd{}
		return event.Decode(&end) == nil && end.RunID == key && end.State != "delta"
	})
	return end
}

// told is a message of a chat's history.
type told struct {
	Role         string `json:"role"`
	StopReason   string `json:"stopReason"`
	ErrorMessage string `json:"errorMessage"`
}

// lastOf is the last message of a session's history.
func (e *Env) lastOf(session string) told {
	e.t.Helper()
	var history struct {
		Messages []told `json:"messages"`
	}
	e.Call(protocol.MethodChatHistory, map[string]any{"sessionKey": session}, &history)
	if len(history.Messages) == 0 {
		e.t.Fatalf("the history of %s is empty", session)
	}
	return history.Messages[len(history.Messages)-1]
}

// TestWrongModel: a model that nobody provides is said, and not retried for ever.
func TestWrongModel(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Configure(func(c Config) { c.Set("agents.defaults.model.primary", "nowhere/nothing") })
	e.Start()
	e.Say(311, "say: anybody there")
	if got := e.AwaitReply(311).Text; !strings.HasPrefix(got, "⚠️") || !strings.Contains(got, "nowhere") {
		t.Errorf("the person was told %q, want a warning that names the model", got)
	}
	e.AwaitSettled(1, 311)
	if n := len(e.Model.Requests()); n != 0 {
		t.Errorf("another provider was asked %d times", n)
	}
	e.Stop()
}
