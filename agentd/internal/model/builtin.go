package model

import (
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
)

// known is what the catalogue knows of a provider without any config.
type known struct {
	id, api, baseURL string
	// env is the variable that holds its key; "" = it needs none.
	env    string
	models []settings.Model
}

// builtins in the order in which a key makes one the default.
var builtins = []known{
	{
		id: "anthropic", api: provider.APIMessages, baseURL: "https://api.anthropic.com", env: "ANTHROPIC_API_KEY",
		models: []settings.Model{
			claude("claude-opus-4-6", "Claude Opus 4.6", 5, 25), claude("claude-opus-4-5", "Claude Opus 4.5", 5, 25),
			claude("claude-sonnet-4-5", "Claude Sonnet 4.5", 3, 15), claude("claude-haiku-4-5", "Claude Haiku 4.5", 1, 5),
		},
	},
	{
		id: "openai", api: provider.APICompletions, baseURL: "https://api.openai.com/v1", env: "OPENAI_API_KEY",
		models: []settings.Model{{ID: "gpt-5.2", Name: "GPT-5.2", Reasoning: true, Input: textImage, ContextWindow: 400000}},
	},
	{
		id: "openrouter", api: provider.APICompletions, baseURL: "https://openrouter.ai/api/v1", env: "OPENROUTER_API_KEY",
		models: []settings.Model{{ID: "openrouter/auto", Name: "OpenRouter Auto", Input: textImage}},
	},
	{id: "groq", api: provider.APICompletions, baseURL: "https://api.groq.com/openai/v1", env: "GROQ_API_KEY"},
	{id: "xai", api: provider.APICompletions, baseURL: "https://api.x.ai/v1", env: "XAI_API_KEY"},
	{id: "cerebras", api: provider.APICompletions, baseURL: "https://api.cerebras.ai/v1", env: "CEREBRAS_API_KEY"},
	{id: "mistral", api: provider.APICompletions, baseURL: "https://api.mistral.ai/v1", env: "MISTRAL_API_KEY"},
	{id: "ollama", api: provider.APICompletions, baseURL: "http://127.0.0.1:11434/v1"},
}

var textImage = []string{"text", "image"}

// claude is an entry of Anthropic's list; prices are in US dollars per million tokens,
// and what the cache costs follows from the input's price.
func claude(id, name string, input, output float64) settings.Model {
	return settings.Model{
		ID: id, Name: name, Reasoning: true, Input: textImage, ContextWindow: 200000, MaxTokens: 32000,
		Cost: settings.Cost{Input: input, Output: output, CacheRead: input / 10, CacheWrite: input * 5 / 4},
	}
}

func builtin(id string) known {
	for _, b := range builtins {
		if b.id == id {
			return b
		}
	}
	return known{}
}

// Source says where a provider's credential comes from, for all providers that the
// catalogue or the config knows: provider id to "config", "env", "profile" or "none".
func (c *Catalogue) Source() map[string]string {
	out := map[string]string{}
	for _, b := range builtins {
		_, out[b.id] = c.set.Key(b.id)
	}
	for id := range c.set.Models.Providers {
		_, out[id] = c.set.Key(id)
	}
	return out
}
