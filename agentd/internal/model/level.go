package model

import "slices"

// Level is the thinking level of a run with the model: what was asked for, else what the
// config has as its default, else "low" for a model that reasons and "off" for others.
// Only some models know xhigh; the others take it for high.
func (m Model) Level(asked, byDefault string) string {
	level := first(asked, byDefault)
	switch {
	case level == "xhigh" && !slices.Contains(highest(), m.Ref()):
		return "high"
	case level != "":
		return level
	case m.Reasoning:
		return "low"
	}
	return "off"
}

// highest names the models that know the level xhigh.
func highest() []string {
	return []string{
		"openai/gpt-5.2", "openai-codex/gpt-5.3-codex", "openai-codex/gpt-5.2-codex", "openai-codex/gpt-5.1-codex",
		"github-copilot/gpt-5.2", "github-copilot/gpt-5.2-codex",
	}
}
