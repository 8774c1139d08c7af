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
		text, _ := contentText(m.Content)
		switch m.Role {
		case "system", "developer":
			q.System += text
		default:
			msg := Message{Role: m.Role, Text: text, ToolResult: m.Role == "tool"}
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

// contentText gives the text of a message's content, and of a tool's result in it.
func contentText(raw json.RawMessage) (plain string, result *string) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, nil
	}
	var blocks []struct {
		Type    string          `json:"type"`
		Text    string          `json:"text"`
		Content json.RawMessage `json:"content"`
	}
	if json.Unmarshal(raw, &blocks) != nil {
		return "", nil
	}
	for _, b := range blocks {
		if b.Type == "tool_result" {
			r, _ := contentText(b.Content)
			result = &r
			continue
		}
		plain += b.Text
	}
	return plain, result
}

func writeOpenAI(w http.ResponseWriter, r *http.Request, q Request, a Answer) bool {
	finish := "stop"
	var calls []any
	if a.Tool != "" {
		finish = "tool_calls"
		calls = []any{object{"index": 0, "id": fmt.Sprintf("call_%d", q.N), "type": "function", "function": object{"name": a.Tool, "arguments": string(a.ToolArgs)}}}
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
	if calls != nil {
		chunk(object{"tool_calls": calls}, nil)
	}
	for _, p := range a.Parts {
		if !pause(r, a.Gap) {
			return false
		}
		chunk(object{"content": p}, nil)
	}
	chunk(object{}, finish)
	emit("", object{"id": id, "object": "chat.completion.chunk", "created": 1, "model": q.Model, "choices": []any{}, "usage": usage})
	emit("", "[DONE]")
	return true
}
