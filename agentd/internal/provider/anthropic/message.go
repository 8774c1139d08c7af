package anthropic

import (
	"encoding/json"
	"slices"
	"strings"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
)

// message is an answer that is still coming.
type message struct {
	blocks      []*block
	stop        anthropicsdk.StopReason
	explanation string // of a refusal
	usage       chat.Usage
}

// block is one block of it; index is the server's number for it.
type block struct {
	index     int64
	kind      string
	text      strings.Builder // text, thought or a call's arguments
	signature strings.Builder
	id, name  string
	input     json.RawMessage // arguments that came whole, with the block's beginning
	done      bool
}

func (m *message) add(ev anthropicsdk.MessageStreamEventUnion, emit func(provider.Event) error) error {
	switch ev.Type {
	case "message_start":
		u := ev.Message.Usage
		m.count(u.InputTokens, u.OutputTokens, u.CacheReadInputTokens, u.CacheCreationInputTokens)
	case "content_block_start":
		return m.begin(ev, emit)
	case "content_block_delta":
		if b := m.at(ev.Index); b != nil {
			return b.grow(ev.Delta, emit)
		}
	case "content_block_stop":
		if b := m.at(ev.Index); b != nil && !b.done {
			return b.end(emit)
		}
	case "message_delta":
		u := ev.Usage
		m.count(u.InputTokens, u.OutputTokens, u.CacheReadInputTokens, u.CacheCreationInputTokens)
		if ev.Delta.StopReason != "" {
			m.stop, m.explanation = ev.Delta.StopReason, ev.Delta.StopDetails.Explanation
		}
	}
	return nil
}

// count takes sums of the message so far; a sum that is left out stays what it was.
func (m *message) count(in, out, cacheRead, cacheWrite int64) {
	u := &m.usage
	for _, c := range []struct {
		have *int64
		now  int64
	}{{&u.Input, in}, {&u.Output, out}, {&u.CacheRead, cacheRead}, {&u.CacheWrite, cacheWrite}} {
		if c.now > 0 {
			*c.have = c.now
		}
	}
	u.TotalTokens = u.Input + u.Output + u.CacheRead + u.CacheWrite
}

func (m *message) at(index int64) *block {
	if i := slices.IndexFunc(m.blocks, func(b *block) bool { return b.index == index }); i >= 0 {
		return m.blocks[i]
	}
	return nil
}

func (m *message) begin(ev anthropicsdk.MessageStreamEventUnion, emit func(provider.Event) error) error {
	start := ev.ContentBlock
	b := &block{index: ev.Index, kind: start.Type, id: start.ID, name: start.Name}
	m.blocks = append(m.blocks, b)
	switch b.kind {
	case "text":
		return b.say(start.Text, provider.TextDelta, emit)
	case "thinking":
		b.signature.WriteString(start.Signature)
		return b.say(start.Thinking, provider.ThinkingDelta, emit)
	case "redacted_thinking":
		b.signature.WriteString(start.Data)
	case "tool_use":
		b.input = json.RawMessage(start.JSON.Input.Raw())
		return emit(provider.Event{Kind: provider.ToolCallStart, ID: b.id, Name: b.name})
	}
	return nil
}

func (b *block) grow(d anthropicsdk.MessageStreamEventUnionDelta, emit func(provider.Event) error) error {
	switch d.Type {
	case "text_delta":
		return b.say(d.Text, provider.TextDelta, emit)
	case "thinking_delta":
		return b.say(d.Thinking, provider.ThinkingDelta, emit)
	case "signature_delta":
		b.signature.WriteString(d.Signature)
	case "input_json_delta":
		if b.kind == "tool_use" {
			return b.say(d.PartialJSON, provider.ToolCallDelta, emit)
		}
	}
	return nil
}

func (b *block) say(delta string, kind provider.EventKind, emit func(provider.Event) error) error {
	if delta == "" {
		return nil
	}
	b.text.WriteString(delta)
	return emit(provider.Event{Kind: kind, ID: b.id, Name: b.name, Delta: delta})
}

func (b *block) end(emit func(provider.Event) error) error {
	b.done = true
	if b.kind != "tool_use" {
		return nil
	}
	return emit(provider.Event{Kind: provider.ToolCallEnd, ID: b.id, Name: b.name, Arguments: b.arguments()})
}

// arguments of a tool call, as the model wrote them.
func (b *block) arguments() json.RawMessage {
	switch {
	case b.text.Len() > 0:
		return json.RawMessage(b.text.String())
	case len(b.input) > 0:
		return b.input
	}
	return json.RawMessage("{}")
}

func (m *message) answer() provider.Answer {
	a := provider.Answer{Usage: m.usage, StopReason: chat.StopEnd}
	for _, b := range m.blocks {
		switch b.kind {
		case "text":
			if b.text.Len() > 0 {
				a.Content = append(a.Content, chat.Text(b.text.String()))
			}
		case "thinking":
			a.Content = append(a.Content, chat.Block{Type: chat.BlockThinking, Thinking: b.text.String(), ThinkingSignature: b.signature.String()})
		case "redacted_thinking":
			a.Content = append(a.Content, chat.Block{Type: chat.BlockThinking, ThinkingSignature: b.signature.String(), Redacted: true})
		case "tool_use":
			a.StopReason = chat.StopToolUse
			a.Content = append(a.Content, chat.Block{Type: chat.BlockToolCall, ID: b.id, Name: b.name, Arguments: b.arguments()})
		}
	}
	switch m.stop {
	case anthropicsdk.StopReasonMaxTokens, anthropicsdk.StopReasonModelContextWindowExceeded:
		a.StopReason = chat.StopLength
	}
	return a
}
