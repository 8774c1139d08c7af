package model

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// messagesRequest is the part of a Messages request that the fake looks at.
type messagesRequest struct {
	Model     string          `json:"model"`
	MaxTokens int64           `json:"max_tokens"`
	Stream    bool            `json:"stream"`
	System    json.RawMessage `json:"system"`
	Thinking  struct {
		Type   string `json:"type"`
		Budget int64  `json:"budget_tokens"`
	} `json:"thinking"`
	Temperature *float64 `json:"temperature"`
	Messages    []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	Tools []struct {
		Name string `json:"name"`
	} `json:"tools"`
}

// messageBlock is one block of a message.
type messageBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	Content   json.RawMessage `json:"content"`
	Signature string          `json:"signature"`
}

// messageBlocks reads a message's content, which may be a bare text.
func messageBlocks(raw json.RawMessage) ([]messageBlock, error) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []messageBlock{{Type: "text", Text: s}}, nil
	}
	var out []messageBlock
	err := json.Unmarshal(raw, &out)
	return out, err
}

func readAnthropic(body []byte) (Request, error) {
	var w messagesRequest
	if err := json.Unmarshal(body, &w); err != nil {
		return Request{}, err
	}
	q := Request{Model: w.Model, Stream: w.Stream, System: contentText(w.System)}
	for _, t := range w.Tools {
		q.Tools = append(q.Tools, t.Name)
	}
	for _, m := range w.Messages {
		blocks, err := messageBlocks(m.Content)
		if err != nil {
			return q, err
		}
		plain, spoken := Message{Role: m.Role}, false
		for _, b := range blocks {
			switch b.Type {
			case "tool_result":
				q.Messages = append(q.Messages, Message{Role: m.Role, Text: contentText(b.Content), ToolResult: true, Images: pictures(b.Content, "image")})
				continue
			case "tool_use":
				plain.ToolCalls = append(plain.ToolCalls, b.Name)
			case "image":
				plain.Images++
			}
			plain.Text += b.Text
			spoken = true
		}
		if spoken {
			q.Messages = append(q.Messages, plain)
		}
	}
	return q, w.check()
}

func writeAnthropic(w http.ResponseWriter, r *http.Request, q Request, a Answer) bool {
	id := fmt.Sprintf("msg_%d", q.N)
	stop, details := "end_turn", any(nil)
	blocks := anthropicBlocks(q, a)
	switch {
	case a.Refusal != "":
		stop, details = "refusal", object{"type": "refusal", "explanation": a.Refusal}
	case a.Cut:
		stop = "max_tokens"
	case len(a.calls()) > 0:
		stop = "tool_use"
	}
	usage := object{"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2}
	if !q.Stream {
		for range a.Parts {
			if !pause(r, a.Gap) {
				return false
			}
		}
		content := []any{}
		for _, b := range blocks {
			content = append(content, b.whole)
		}
		usage["output_tokens"] = len(a.Parts)
		writeJSON(w, http.StatusOK, object{
			"id": id, "type": "message", "role": "assistant", "model": q.Model, "content": content, "stop_reason": stop, "stop_sequence": nil,
			"stop_details": details, "usage": usage,
		})
		return true
	}
	emit := stream(w)
	emit("message_start", object{"type": "message_start", "message": object{
		"id": id, "type": "message", "role": "assistant", "model": q.Model, "content": []any{}, "stop_reason": nil, "stop_sequence": nil, "usage": usage,
	}})
	emit("ping", object{"type": "ping"})
	for i, b := range blocks {
		emit("content_block_start", object{"type": "content_block_start", "index": i, "content_block": b.start})
		for _, d := range b.deltas {
			if d["type"] == "text_delta" && !pause(r, a.Gap) {
				return false
			}
			emit("content_block_delta", object{"type": "content_block_delta", "index": i, "delta": d})
		}
		emit("content_block_stop", object{"type": "content_block_stop", "index": i})
	}
	emit("message_delta", object{
		"type": "message_delta", "delta": object{"stop_reason": stop, "stop_sequence": nil, "stop_details": details},
		"usage": object{"output_tokens": len(a.Parts)},
	})
	emit("message_stop", object{"type": "message_stop"})
	return true
}

// anthropicBlock is a block as a whole, and as a stream gives it.
type anthropicBlock struct {
	whole, start object
	deltas       []object
}

func anthropicBlocks(q Request, a Answer) []anthropicBlock {
	var out []anthropicBlock
	if len(a.Thinking) > 0 || a.Signature != "" {
		b := anthropicBlock{
			whole: object{"type": "thinking", "thinking": strings.Join(a.Thinking, ""), "signature": a.Signature},
			start: object{"type": "thinking", "thinking": "", "signature": ""},
		}
		for _, t := range a.Thinking {
			b.deltas = append(b.deltas, object{"type": "thinking_delta", "thinking": t})
		}
		b.deltas = append(b.deltas, object{"type": "signature_delta", "signature": a.Signature})
		out = append(out, b)
	}
	if a.Hidden != "" {
		whole := object{"type": "redacted_thinking", "data": a.Hidden}
		out = append(out, anthropicBlock{whole: whole, start: whole})
	}
	calls := a.calls()
	if len(a.Parts) > 0 || len(calls) == 0 && a.Refusal == "" {
		b := anthropicBlock{whole: object{"type": "text", "text": strings.Join(a.Parts, "")}, start: object{"type": "text", "text": ""}}
		for _, p := range a.Parts {
			b.deltas = append(b.deltas, object{"type": "text_delta", "text": p})
		}
		out = append(out, b)
	}
	for i, c := range calls {
		id := fmt.Sprintf("toolu_%d", q.N)
		if i > 0 {
			id += fmt.Sprintf("_%d", i+1)
		}
		b := anthropicBlock{
			whole: object{"type": "tool_use", "id": id, "name": c.Tool, "input": c.Args},
			start: object{"type": "tool_use", "id": id, "name": c.Tool, "input": object{}},
		}
		half := len(c.Args) / 2
		for _, part := range []string{"", string(c.Args[:half]), string(c.Args[half:])} {
			b.deltas = append(b.deltas, object{"type": "input_json_delta", "partial_json": part})
		}
		out = append(out, b)
	}
	return out
}
