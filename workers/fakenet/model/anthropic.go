package model

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

func readAnthropic(body []byte) (Request, error) {
	var w struct {
		Model    string          `json:"model"`
		Stream   bool            `json:"stream"`
		System   json.RawMessage `json:"system"`
		Messages []struct {
			Role    string          `json:"role"`
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
		Tools []struct {
			Name string `json:"name"`
		} `json:"tools"`
	}
	if err := json.Unmarshal(body, &w); err != nil {
		return Request{}, err
	}
	q := Request{Model: w.Model, Stream: w.Stream}
	q.System, _ = contentText(w.System)
	for _, m := range w.Messages {
		text, result := contentText(m.Content)
		msg := Message{Role: m.Role, Text: text}
		if result != nil {
			msg.Text, msg.ToolResult = *result, true
		}
		msg.ToolCalls = toolUses(m.Content)
		q.Messages = append(q.Messages, msg)
	}
	for _, t := range w.Tools {
		q.Tools = append(q.Tools, t.Name)
	}
	return q, nil
}

func toolUses(content json.RawMessage) []string {
	var blocks []struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	if json.Unmarshal(content, &blocks) != nil {
		return nil
	}
	var out []string
	for _, b := range blocks {
		if b.Type == "tool_use" {
			out = append(out, b.Name)
		}
	}
	return out
}

func writeAnthropic(w http.ResponseWriter, r *http.Request, q Request, a Answer) bool {
	id := fmt.Sprintf("msg_%d", q.N)
	stop := "end_turn"
	block, start := object{"type": "text", "text": strings.Join(a.Parts, "")}, object{"type": "text", "text": ""}
	if a.Tool != "" {
		stop = "tool_use"
		block = object{"type": "tool_use", "id": fmt.Sprintf("toolu_%d", q.N), "name": a.Tool, "input": a.ToolArgs}
		start = object{"type": "tool_use", "id": block["id"], "name": a.Tool, "input": object{}}
	}
	if !q.Stream {
		for range a.Parts {
			if !pause(r, a.Gap) {
				return false
			}
		}
		writeJSON(w, http.StatusOK, object{
			"id": id, "type": "message", "role": "assistant", "model": q.Model, "content": []any{block}, "stop_reason": stop, "stop_sequence": nil,
			"usage": object{"input_tokens": 10, "output_tokens": len(a.Parts)},
		})
		return true
	}
	emit := stream(w)
	emit("message_start", object{"type": "message_start", "message": object{
		"id": id, "type": "message", "role": "assistant", "model": q.Model, "content": []any{}, "stop_reason": nil, "stop_sequence": nil,
		"usage": object{"input_tokens": 10, "output_tokens": 0},
	}})
	emit("content_block_start", object{"type": "content_block_start", "index": 0, "content_block": start})
	if a.Tool != "" {
		emit("content_block_delta", object{"type": "content_block_delta", "index": 0, "delta": object{"type": "input_json_delta", "partial_json": string(a.ToolArgs)}})
	}
	for _, p := range a.Parts {
		if !pause(r, a.Gap) {
			return false
		}
		emit("content_block_delta", object{"type": "content_block_delta", "index": 0, "delta": object{"type": "text_delta", "text": p}})
	}
	emit("content_block_stop", object{"type": "content_block_stop", "index": 0})
	emit("message_delta", object{"type": "message_delta", "delta": object{"stop_reason": stop, "stop_sequence": nil}, "usage": object{"output_tokens": len(a.Parts)}})
	emit("message_stop", object{"type": "message_stop"})
	return true
}
