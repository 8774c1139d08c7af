package run

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// deltaEvery is the least time between two chat deltas of a run (protocol v3).
const deltaEvery = 150 * time.Millisecond

// Events takes what clients of the control plane are told of a run. Calls come in
// order for one run, and must not block.
type Events interface {
	// Chat is a chat event; a delta may be dropped for a slow client.
	Chat(e protocol.ChatEvent)
	// Agent is an agent event. toolsOf is not empty for tool events: they go only to the
	// client that started the run, if it asked for them.
	Agent(e protocol.AgentEvent, toolsOf string)
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
	v.agent(protocol.StreamLifecycle, protocol.LifecycleData{Phase: "start", StartedAt: v.now().UnixMilli()}, "")
}

func (v *voice) assistant(d agent.AssistantDelta) {
	v.agent(protocol.StreamAssistant, protocol.AssistantData{Text: d.Text, Delta: d.Delta}, "")
	v.mu.Lock()
	now := v.now()
	due := !v.hushed && now.Sub(v.lastDelta) >= deltaEvery
	if due {
		v.lastDelta = now
	}
	seq := v.seq
	v.mu.Unlock()
	if due {
		v.events.Chat(protocol.ChatEvent{RunID: v.runID, SessionKey: v.session, Seq: seq, State: protocol.ChatDelta, Message: v.message(d.Text)})
	}
}

func (v *voice) tool(t agent.ToolEvent) {
	if v.starter == "" {
		return
	}
	data := protocol.ToolData{Name: t.Name, ToolCallID: t.ToolCallID}
	switch t.Phase {
	case agent.ToolStart:
		data.Phase, data.Args = "start", t.Args
	case agent.ToolUpdate:
		data.Phase = "update"
	case agent.ToolResult:
		data.Phase, data.IsError = "result", &t.IsError
	default:
		return
	}
	v.agent(protocol.StreamTool, data, v.starter)
}

func (v *voice) compaction(c agent.Compaction) {
	data := map[string]any{"phase": c.Phase}
	if c.Phase == "end" {
		data["willRetry"] = c.WillRetry
	}
	v.agent(protocol.StreamCompaction, data, "")
}

// ended tells the end of a run; text is empty where there is no answer to show.
func (v *voice) ended(text, failure string) {
	now := v.now().UnixMilli()
	if failure != "" {
		v.agent(protocol.StreamLifecycle, protocol.LifecycleData{Phase: "error", Error: failure, EndedAt: now}, "")
	} else {
		v.agent(protocol.StreamLifecycle, protocol.LifecycleData{Phase: "end", EndedAt: now}, "")
	}
	v.mu.Lock()
	hushed, seq := v.hushed, v.seq
	v.mu.Unlock()
	if hushed {
		return
	}
	e := protocol.ChatEvent{RunID: v.runID, SessionKey: v.session, Seq: seq, State: protocol.ChatFinal}
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
	v.events.Chat(protocol.ChatEvent{RunID: v.runID, SessionKey: v.asSent, Seq: seq, State: protocol.ChatAborted, StopReason: stopReason})
}

func (v *voice) message(text string) json.RawMessage {
	return assistantMessage(protocol.ChatMessage{Content: protocol.Text(text), Timestamp: v.now().UnixMilli()})
}

// assistantMessage is the wire form of a message that holds text alone.
func assistantMessage(m protocol.ChatMessage) json.RawMessage {
	m.Role = "assistant"
	b, err := json.Marshal(m)
	if err != nil {
		panic("a chat message of strings and numbers always has a JSON form: " + err.Error())
	}
	return b
}

// agent numbers an event under the lock and tells it under the lock too, so that the
// order clients see is the order of the numbers. Events must not block.
func (v *voice) agent(stream string, data any, toolsOf string) {
	raw, err := json.Marshal(data)
	if err != nil {
		raw = json.RawMessage(`{}`) // arguments of a tool that are no JSON are not worth a run
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.hushed {
		return
	}
	v.seq++
	v.events.Agent(protocol.AgentEvent{RunID: v.runID, SessionKey: v.session, Seq: v.seq, TS: v.now().UnixMilli(), Stream: stream, Data: raw}, toolsOf)
}
