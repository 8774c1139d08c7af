package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// check refuses what the real server refuses: turns that do not alternate or do not begin
// with the user, blank texts, calls without their results right behind them, thoughts
// without a signature, and thinking that the rest of the request does not allow.
func (w messagesRequest) check() error {
	switch {
	case w.MaxTokens < 1:
		return errors.New("max_tokens: is required")
	case len(w.Messages) == 0:
		return errors.New("messages: at least one is required")
	case w.Thinking.Type != "" && w.Temperature != nil && *w.Temperature != 1:
		return errors.New("temperature: may only be 1 when thinking is enabled")
	case w.Thinking.Type == "enabled" && (w.Thinking.Budget < 1024 || w.Thinking.Budget >= w.MaxTokens):
		return errors.New("thinking.budget_tokens: must be at least 1024 and less than max_tokens")
	}
	var open []string // calls of the turn before
	spoken := true    // the present turn of the model began with thoughts
	for i, m := range w.Messages {
		if want := []string{"user", "assistant"}[i%2]; m.Role != want {
			return fmt.Errorf("messages.%d: roles must alternate: expected %s", i, want)
		}
		blocks, err := messageBlocks(m.Content)
		if err != nil || len(blocks) == 0 {
			return fmt.Errorf("messages.%d: content must not be empty", i)
		}
		results := 0
		for j, b := range blocks {
			at := fmt.Sprintf("messages.%d.content.%d", i, j)
			switch b.Type {
			case "text":
				if strings.TrimSpace(b.Text) == "" {
					return fmt.Errorf("%s: text content blocks must contain non-whitespace text", at)
				}
			case "thinking":
				if b.Signature == "" {
					return fmt.Errorf("%s: signature: is required", at)
				}
			case "tool_result":
				if j != results || results >= len(open) || !slices.Contains(open, b.ToolUseID) {
					return fmt.Errorf("%s: unexpected tool_use_id %q", at, b.ToolUseID)
				}
				results++
			}
		}
		if results != len(open) {
			return fmt.Errorf("messages.%d: tool_use ids were found without tool_result blocks immediately after", i)
		}
		open = nil
		for _, b := range blocks {
			if b.Type == "tool_use" {
				open = append(open, b.ID)
			}
		}
		if m.Role == "user" {
			continue
		}
		first := blocks[0].Type == "thinking" || blocks[0].Type == "redacted_thinking"
		if i == 0 || !w.goesOn(i) {
			spoken = first
		}
	}
	last := w.Messages[len(w.Messages)-1]
	if last.Role != "user" {
		return errors.New("messages: the last one must be the user's")
	}
	if w.Thinking.Type == "enabled" && w.goesOn(len(w.Messages)) && !spoken {
		return errors.New("expected thinking or redacted_thinking, but found tool_use")
	}
	return nil
}

// goesOn reports whether what stands before message i is nothing but results of tools, so
// that the model's turn goes on with it.
func (w messagesRequest) goesOn(i int) bool {
	blocks, err := messageBlocks(w.Messages[i-1].Content)
	if err != nil {
		return false
	}
	for _, b := range blocks {
		if b.Type != "tool_result" {
			return false
		}
	}
	return true
}
