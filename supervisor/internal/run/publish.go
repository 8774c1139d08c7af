package run

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// deltaEvery is the least time between two chat deltas of a run (protocol v3).
const deltaEvery = 150 * time.Millisecond

// Words of chat events.
const (
	ChatDelta   = "delta"
	ChatFinal   = "final"
	ChatAborted = "aborted"
	ChatError   = "error"
)

// ChatText is one text block of a chat message.
type ChatText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// ChatMessage is the message of a chat event.
type ChatMessage struct {
	Role       string     `json:"role"`
	Content    []ChatText `json:"content"`
	Timestamp  int64      `json:"timestamp"`
	StopReason string     `json:"stopReason,omitempty"`
	Provider   string     `json:"provider,omitempty"`
	Model      string     `json:"model,omitempty"`
}

// ChatEvent is the payload of protocol v3's "chat" event.
type ChatEvent struct {
	RunID      string       `json:"runId"`
	SessionKey string       `json:"sessionKey"`
	Seq        int64        `json:"seq"`
	State      string       `json:"state"`
	Message    *ChatMessage `json:"message,omitempty"`
	StopReason string       `json:"stopReason,omitempty"`
	Error      string       `json:"errorMessage,omitempty"`
}

// AgentEvent is the payload of protocol v3's "agent" event.
type AgentEvent struct {
	RunID      string `json:"runId"`
	SessionKey string `json:"sessionKey,omitempty"`
	Seq        int64  `json:"seq"`
	TS         int64  `json:"ts"`
	Stream     string `json:"stream"`
	Data       any    `json:"data"`
}

// Events takes what clients of the control plane are told of a run. Calls come in
// order for one run, and must not block.
type Events interface {
	// Chat is a chat event; a delta may be dropped for a slow client.
	Chat(e ChatEvent)
	// Agent is an agent event. toolsOf is not empty for tool events: they go only to the
	// client that started the run, if it asked for them.
	Agent(e AgentEvent, toolsOf string)
}

// voice tells the events of one run. After hush it says nothing more.
type voice struct {
	events  Events
	now     func() time.Time
	runID   string // the wire's: the client's key where it gave one
	session string
	asSent  string
	starter string

	mu        sync.Mutex // guards all below
	seq       int64
	lastDelta time.Time
	hushed    bool
}

func (v *voice) started() {
	now := v.now().UnixMilli()
	v.agent("lifecycle", map[string]any{"phase": "start", "startedAt": now}, "")
}

func (v *voice) assistant(d agent.AssistantDelta) {
	v.agent("assistant", map[string]string{"text": d.Text, "delta": d.Delta}, "")
	v.mu.Lock()
	now := v.now()
	due := !v.hushed && now.Sub(v.lastDelta) >= deltaEvery
	if due {
		v.lastDelta = now
	}
	seq := v.seq
	v.mu.Unlock()
	if due {
		v.events.Chat(ChatEvent{RunID: v.runID, SessionKey: v.session, Seq: seq, State: ChatDelta, Message: v.message(d.Text)})
	}
}

func (v *voice) tool(t agent.ToolEvent) {
	if v.starter == "" {
		return
	}
	data := map[string]any{"name": t.Name, "toolCallId": t.ToolCallID}
	switch t.Phase {
	case agent.ToolStart:
		data["phase"] = "start"
		data["args"] = json.RawMessage(orNull(t.Args))
	case agent.ToolUpdate:
		data["phase"] = "update"
	case agent.ToolResult:
		data["phase"] = "result"
		data["isError"] = t.IsError
	default:
		return
	}
	v.agent("tool", data, v.starter)
}

func (v *voice) compaction(c agent.Compaction) {
	data := map[string]any{"phase": c.Phase}
	if c.Phase == "end" {
		data["willRetry"] = c.WillRetry
	}
	v.agent("compaction", data, "")
}

// ended tells the end of a run; text is empty where there is no answer to show.
func (v *voice) ended(text, failure string) {
	now := v.now().UnixMilli()
	if failure != "" {
		v.agent("lifecycle", map[string]any{"phase": "error", "error": failure, "endedAt": now}, "")
	} else {
		v.agent("lifecycle", map[string]any{"phase": "end", "endedAt": now}, "")
	}
	v.mu.Lock()
	hushed, seq := v.hushed, v.seq
	v.mu.Unlock()
	if hushed {
		return
	}
	e := ChatEvent{RunID: v.runID, SessionKey: v.session, Seq: seq, State: ChatFinal}
	if text != "" {
		e.Message = v.message(text)
	}
	v.events.Chat(e)
}

// aborted tells the abort at once, and silences the run.
func (v *voice) aborted(stopReason string) {
	v.mu.Lock()
	if v.hushed {
		v.mu.Unlock()
		return
	}
	v.hushed = true
	v.seq++
	seq := v.seq
	v.mu.Unlock()
	v.events.Chat(ChatEvent{RunID: v.runID, SessionKey: v.asSent, Seq: seq, State: ChatAborted, StopReason: stopReason})
}

func (v *voice) message(text string) *ChatMessage {
	return &ChatMessage{Role: "assistant", Content: []ChatText{{Type: "text", Text: text}}, Timestamp: v.now().UnixMilli()}
}

func (v *voice) agent(stream string, data any, toolsOf string) {
	v.mu.Lock()
	if v.hushed {
		v.mu.Unlock()
		return
	}
	v.seq++
	e := AgentEvent{RunID: v.runID, SessionKey: v.session, Seq: v.seq, TS: v.now().UnixMilli(), Stream: stream, Data: data}
	v.mu.Unlock()
	v.events.Agent(e, toolsOf)
}

func orNull(b []byte) []byte {
	if len(b) == 0 {
		return []byte("null")
	}
	return b
}
