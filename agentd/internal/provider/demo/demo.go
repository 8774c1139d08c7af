// Package demo is the model that works without a key: it says what it is, repeats
// what it was told, and says how to get a real one. It needs no network and keeps nothing.
package demo

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
)

// Provider and Model make up the built-in reference demo/echo.
const (
	Provider = "demo"
	Model    = "echo"
)

// What stands around a message for the model's eyes and would only puzzle the person who wrote it: the envelope with
// its time, and the line with the message's id.
var (
	envelope  = regexp.MustCompile(`^\[[^\]\n]*\d{4}-\d{2}-\d{2} \d{2}:\d{2}[^\]\n]*\] `)
	messageID = regexp.MustCompile(`\n\[message_id: [^\]\n]*\]\s*$`)
)

// Echo is the demo model. Its zero value is ready.
type Echo struct{}

var _ provider.Provider = Echo{}

// Stream answers with a text that is built from the last user message, word by word.
func (Echo) Stream(ctx context.Context, req provider.Request, emit func(provider.Event) error) (provider.Answer, error) {
	text := answer(req.Messages)
	var said strings.Builder
	for _, word := range strings.SplitAfter(text, " ") {
		if ctx.Err() != nil {
			return provider.Answer{Content: chat.Blocks{chat.Text(said.String())}}, context.Cause(ctx)
		}
		said.WriteString(word)
		if err := emit(provider.Event{Kind: provider.TextDelta, Delta: word}); err != nil {
			return provider.Answer{Content: chat.Blocks{chat.Text(said.String())}}, err
		}
	}
	in, out := int64(len(req.System)/4), int64(len(text)/4)
	for _, m := range req.Messages {
		in += int64(len(m.Content.Text()) / 4)
	}
	return provider.Answer{
		Content:    chat.Blocks{chat.Text(text)},
		StopReason: chat.StopEnd,
		Usage:      chat.Usage{Input: in, Output: out, TotalTokens: in + out},
	}, nil
}

// answer repeats the last thing the user said, cut at 500 characters.
func answer(messages []chat.Message) string {
	heard := ""
	for _, m := range messages {
		if m.Role == chat.RoleUser {
			heard = m.Content.Text()
		}
	}
	heard = messageID.ReplaceAllString(envelope.ReplaceAllString(heard, ""), "")
	if r := []rune(heard); len(r) > 500 {
		heard = string(r[:500]) + "…"
	}
	return fmt.Sprintf("You said: %s\n\n(I am %s/%s, the built-in stand-in that only repeats. For a real model set ANTHROPIC_API_KEY, "+
		"OPENAI_API_KEY or OPENROUTER_API_KEY in the environment, or add an entry under models.providers in openclaw.json and name it in agents.defaults.model.primary.)",
		strings.TrimSpace(heard), Provider, Model)
}
