package anthropic

import (
	"strconv"
	"strings"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
)

const (
	// defaultMaxTokens bounds the visible answer where nothing else does.
	defaultMaxTokens = 8192
	// minBudget is the smallest number of tokens that the dialect lets a model think for.
	minBudget = 1024
)

// budget is how many tokens a model may think for at a level.
func budget(level string) int64 {
	switch level {
	case "minimal":
		return 1024
	case "low":
		return 2048
	case "medium":
		return 8192
	case "high":
		return 16384
	case "xhigh":
		return 32768
	}
	return 0
}

// effort is the level's name for models that choose their budget themselves.
func effort(level string) anthropicsdk.OutputConfigEffort {
	switch level {
	case "medium":
		return anthropicsdk.OutputConfigEffortMedium
	case "high":
		return anthropicsdk.OutputConfigEffortHigh
	case "xhigh":
		return anthropicsdk.OutputConfigEffortMax
	}
	return anthropicsdk.OutputConfigEffortLow
}

// think asks for thoughts at the request's level, and reports whether it did.
// Thoughts count as part of the answer: where the request sets no bound it is raised
// by the budget, otherwise the budget has to fit.
func think(req provider.Request, p *anthropicsdk.MessageNewParams) bool {
	tokens := budget(req.Thinking)
	if tokens == 0 {
		return false
	}
	if adaptive(req.Model) {
		if req.MaxTokens <= 0 {
			p.MaxTokens += tokens
		}
		p.Thinking.OfAdaptive = &anthropicsdk.ThinkingConfigAdaptiveParam{Display: anthropicsdk.ThinkingConfigAdaptiveDisplaySummarized}
		p.OutputConfig.Effort = effort(req.Thinking)
		return true
	}
	if !resumable(req) {
		return false
	}
	if req.MaxTokens <= 0 {
		p.MaxTokens += tokens
	} else if tokens = min(tokens, req.MaxTokens-minBudget); tokens < minBudget {
		return false
	}
	p.Thinking = anthropicsdk.ThinkingConfigParamOfEnabled(tokens)
	return true
}

// adaptive reports whether a model chooses its budget itself: version 4.6 and later.
// The names are claude-<family>-<major>[-<minor>][-<date>].
func adaptive(model string) bool {
	parts := strings.Split(model[strings.LastIndex(model, "/")+1:], "-")
	if len(parts) < 3 || parts[0] != "claude" {
		return false
	}
	if _, err := strconv.Atoi(parts[1]); err == nil { // the number comes first in older names
		return false
	}
	major, err := strconv.Atoi(parts[2])
	if err != nil || len(parts[2]) > 2 {
		return false
	}
	minor := 0
	if len(parts) > 3 && len(parts[3]) <= 2 {
		if minor, err = strconv.Atoi(parts[3]); err != nil {
			minor = 0
		}
	}
	return major > 4 || major == 4 && minor >= 6
}

// ours reports whether the model that is asked now wrote a message: only then do the
// signatures of its thoughts mean anything.
func ours(m chat.Message, req provider.Request) bool {
	return m.API == provider.APIMessages && m.Provider == req.Endpoint.Provider && m.Model == req.Model
}

// resumable reports whether the model may think now. In the middle of a turn, that
// is after a tool's result, it may only go on with thoughts that the turn began with:
// another model may have begun it, or the same one without thinking.
func resumable(req provider.Request) bool {
	n := len(req.Messages)
	if n == 0 || req.Messages[n-1].Role != chat.RoleToolResult {
		return true
	}
	begin := 0
	for i, m := range req.Messages {
		if m.Role == chat.RoleUser {
			begin = i + 1
		}
	}
	for _, m := range req.Messages[begin:] {
		if m.Role == chat.RoleAssistant {
			return ours(m, req) && len(m.Content) > 0 && m.Content[0].Type == chat.BlockThinking && m.Content[0].ThinkingSignature != ""
		}
	}
	return true
}
