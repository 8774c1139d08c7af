package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider/demo"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
)

// UnknownError says that a reference names no model that can be used.
type UnknownError struct {
	Ref, Reason string
}

// Error names the reference and the remedy.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("model %q cannot be used: %s", e.Ref, e.Reason)
}

// Find resolves a reference: "<provider>/<model>", an alias, or the bare id of a
// model. A provider that is known may serve models that no list names.
func (c *Catalogue) Find(ref string) (Model, error) {
	ref = strings.TrimSpace(ref)
	if !strings.Contains(ref, "/") {
		for full, p := range c.set.Agents.Defaults.Models {
			if p.Alias != "" && strings.EqualFold(p.Alias, ref) {
				return c.Find(full)
			}
		}
		for _, m := range c.models {
			if m.ID == ref {
				return m, nil
			}
		}
		// The usual short names stand for a model only where it can be used.
		if full := short(strings.ToLower(ref)); full != "" {
			pid, id := Split(full)
			if i := slices.IndexFunc(c.models, func(m Model) bool { return m.Provider == pid && m.ID == id }); i >= 0 {
				return c.models[i], nil
			}
		}
		return Model{}, &UnknownError{Ref: ref, Reason: "write it as provider/model"}
	}
	pid, id := Split(ref)
	if pid == demo.Provider && id == demo.Model {
		return Echo(), nil
	}
	for _, m := range c.models {
		if m.Provider == pid && m.ID == id {
			return m, nil
		}
	}
	p, listed := c.set.Models.Providers[pid]
	b := builtin(pid)
	switch {
	case listed && c.set.Models.Mode == "replace":
		return Model{}, &UnknownError{Ref: ref, Reason: fmt.Sprintf("models.providers.%s.models does not list it", pid)}
	case !listed && b.id == "":
		return Model{}, &UnknownError{Ref: ref, Reason: fmt.Sprintf("no provider %q is configured; add models.providers.%s", pid, pid)}
	case first(p.BaseURL, b.baseURL) == "":
		return Model{}, &UnknownError{Ref: ref, Reason: fmt.Sprintf("models.providers.%s.baseUrl is missing", pid)}
	}
	unlisted := settings.Model{ID: id}
	if first(p.API, b.api) == provider.APIMessages { // its models all see, and all but the oldest reason
		unlisted.Input = textImage
		unlisted.Reasoning = strings.HasPrefix(id, "claude-") && (!strings.HasPrefix(id, "claude-3-") || strings.HasPrefix(id, "claude-3-7-"))
	}
	m := c.configured(pid, p, unlisted)
	if m.Endpoint.Key == "" && b.env != "" {
		return Model{}, &UnknownError{Ref: ref, Reason: fmt.Sprintf("there is no key for provider %s; set %s or models.providers.%s.apiKey", pid, b.env, pid)}
	}
	return m, nil
}

// Split cuts a reference at its first slash and gives the provider's real name.
func Split(ref string) (providerID, id string) {
	p, id, ok := strings.Cut(ref, "/")
	if !ok {
		return "anthropic", ref
	}
	p = strings.ToLower(strings.TrimSpace(p))
	switch p {
	case "z.ai", "z-ai":
		p = "zai"
	case "opencode-zen":
		p = "opencode"
	case "qwen":
		p = "qwen-portal"
	case "kimi-code":
		p = "kimi-coding"
	}
	return p, longName(p, strings.TrimSpace(id))
}

// longName is a model's own name for one that people use.
func longName(providerID, id string) string {
	if providerID != "anthropic" {
		return id
	}
	switch id {
	case "opus-4.6":
		return "claude-opus-4-6"
	case "opus-4.5":
		return "claude-opus-4-5"
	case "sonnet-4.5":
		return "claude-sonnet-4-5"
	}
	return id
}

// short gives the model that a short name stands for.
func short(name string) string {
	switch name {
	case "opus":
		return "anthropic/claude-opus-4-6"
	case "sonnet":
		return "anthropic/claude-sonnet-4-5"
	case "gpt":
		return "openai/gpt-5.2"
	}
	return ""
}
