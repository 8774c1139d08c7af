package model

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

func readOpenAI(body []byte) (Request, error) {
	var w struct {
		Model    string `json:"model"`
		Stream   bool   `json:"stream"`
		Messages []struct {
			Role      string          `json:"role"`
			Content   json.RawMessage `json:"content"`
			ToolCalls []struct {
				Function struct {
					Name string `json:"name"`
				} `json:"function"`
			} `json:"tool_calls"`
		} `json:"messages"`
		Tools []struct {
			Function struct {
				Name string `json:"name"`
			} `json:"function"`
		} `json:"tools"`
	}
	if err := json.Unmarshal(body, &w); err != nil {
		return Request{}, err
	}
	q := Request{Model: w.Model, Stream: w.Stream}
	for _, m := range w.Messages {
		text := contentText(m.Content)
		switch m.Role {
		case "system", "developer":
			q.System += text
		default:
			msg := Message{Role: m.Role, Text: text, ToolResult: m.Role == "tool", Images: pictures(m.Content, "image_url")}
			for _, c := range m.ToolCalls {
				msg.ToolCalls = append(msg.ToolCalls, c.Function.Name)
			}
			q.Messages = append(q.Messages, msg)
		}
	}
	for _, t := range w.Tools {
		q.Tools = append(q.Tools, t.Function.Name)
	}
	return q, nil
}

// contentText gives the text of a message's content.
func contentText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var blocks []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &blocks) != nil {
		return ""
	}
	for _, b := range blocks {
		s += b.Text
	}
	return s
}

// pictures counts the blocks of a type.
func pictures(raw json.RawMessage, kind string) int {
	var blocks []struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(raw, &blocks) != nil {
		return 0
	}
	n := 0
	for _, b := range blocks {
		if b.Type == kind {
			n++
		}
	}
	return n
}

func writeOpenAI(w http.ResponseWriter, r *http.Request, q Request, a Answer) bool {
	finish := "stop"
	var calls []any
	for i, c := range a.calls() {
		finish = "tool_calls"
		id := fmt.Sprintf("call_%d", q.N)
		if i > 0 {
			id += fmt.Sprintf("_%d", i+1)
		}
		calls = append(calls, object{"index": i, "id": id, "type": "function", "function": object{"name": c.Tool, "arguments": string(c.Args)}})
	}
	if a.Cut {
		finish = "length"
	}
	usage := object{"prompt_tokens": 10, "completion_tokens": len(a.Parts), "total_tokens": 10 + len(a.Parts)}
	id := fmt.Sprintf("chatcmpl-%d", q.N)
	if !q.Stream {
		for range a.Parts {
			if !pause(r, a.Gap) {
				return false
			}
		}
		msg := object{"role": "assistant", "content": strings.Join(a.Parts, "")}
		if calls != nil {
			msg["tool_calls"] = calls
		}
		if a.Refusal != "" {
			msg["refusal"] = a.Refusal
		}
		writeJSON(w, http.StatusOK, object{
			"id": id, "object": "chat.completion", "created": 1, "model": q.Model, "usage": usage,
			"choices": []any{object{"index": 0, "message": msg, "finish_reason": finish}},
		})
		return true
	}
	emit := stream(w)
	chunk := func(delta object, finish any) {
		emit("", object{
			"id": id, "object": "chat.completion.chunk", "created": 1, "model": q.Model,
			"choices": []any{object{"index": 0, "delta": delta, "finish_reason": finish}},
		})
	}
	chunk(object{"role": "assistant", "content": ""}, nil)
	for _, t := range a.Thinking {
		chunk(object{"reasoning_content": t}, nil)
	}
	for _, c := range calls {
		chunk(object{"tool_calls": []any{c}}, nil)
	}
	for _, p := range a.Parts {
		if !pause(r, a.Gap) {
			return false
		}
		chunk(object{"content": p}, nil)
	}
	if a.Refusal != "" {
		chunk(object{"refusal": a.Refusal}, nil)
	}
	chunk(object{}, finish)
	emit("", object{"id": id, "object": "chat.completion.chunk", "created": 1, "model": q.Model, "choices": []any{}, "usage": usage})
	emit("", "[DONE]")
	return true
}
