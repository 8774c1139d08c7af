// Package model is the catalogue: which models can be used now, where they are
// served, what they cost, and which one a run gets when nothing names another.
//
// A Catalogue is built from one revision of the settings, does no network call and
// is safe for concurrent use.
package model

import (
	"fmt"
	"slices"
	"sort"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider/demo"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
)

// DefaultWindow is the context window, in tokens, of a model that says nothing of it.
const DefaultWindow = 200000

// Model is one that can be used, with all that a call needs.
type Model struct {
	Provider      string
	ID, Name      string
	Endpoint      provider.Endpoint
	ContextWindow int64
	MaxTokens     int64
	Temperature   *float64
	Reasoning     bool
	// Effort says that the server takes a thinking level.
	Effort bool
	Input  []string
	Cost   settings.Cost
	Cache  provider.CacheRetention
}

// Ref returns "<provider>/<model>".
func (m Model) Ref() string { return m.Provider + "/" + m.ID }

// Sees reports whether the model takes input of a kind ("text", "image").
func (m Model) Sees(kind string) bool { return slices.Contains(m.Input, kind) }

// Price puts the cost of u into it, by the model's price table.
func (m Model) Price(u chat.Usage) chat.Usage {
	const million = 1e6
	u.Cost = chat.Cost{
		Input:      float64(u.Input) * m.Cost.Input / million,
		Output:     float64(u.Output) * m.Cost.Output / million,
		CacheRead:  float64(u.CacheRead) * m.Cost.CacheRead / million,
		CacheWrite: float64(u.CacheWrite) * m.Cost.CacheWrite / million,
	}
	u.Cost.Total = u.Cost.Input + u.Cost.Output + u.Cost.CacheRead + u.Cost.CacheWrite
	return u
}

// Catalogue knows all models of one revision of the settings.
type Catalogue struct {
	set    *settings.Settings
	models []Model
}

// New builds the catalogue. In mode "merge" the built-in models of each provider
// that has a key are added to what the config lists.
func New(set *settings.Settings) *Catalogue {
	c := &Catalogue{set: set}
	ids := make([]string, 0, len(set.Models.Providers))
	for id := range set.Models.Providers {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		p := set.Models.Providers[id]
		for _, m := range p.Models {
			c.models = append(c.models, c.configured(id, p, m))
		}
	}
	if set.Models.Mode != "replace" {
		for _, b := range builtins {
			if key, _ := set.Key(b.id); key == "" {
				continue
			}
			for _, m := range b.models {
				if !c.has(b.id, m.ID) {
					c.models = append(c.models, c.configured(b.id, set.Models.Providers[b.id], m))
				}
			}
		}
	}
	return c
}

func (c *Catalogue) has(providerID, id string) bool {
	return slices.ContainsFunc(c.models, func(m Model) bool { return m.Provider == providerID && m.ID == id })
}

// configured makes a Model of a config entry, with the built-in facts where it is silent.
func (c *Catalogue) configured(id string, p settings.Provider, m settings.Model) Model {
	b := builtin(id)
	key, _ := c.set.Key(id)
	out := Model{
		Provider: id, ID: m.ID, Name: m.Name, ContextWindow: m.ContextWindow, MaxTokens: m.MaxTokens,
		Reasoning: m.Reasoning, Input: m.Input, Cost: m.Cost,
		Endpoint: provider.Endpoint{
			Provider: id, API: first(m.API, p.API, b.api, provider.APICompletions), BaseURL: first(p.BaseURL, b.baseURL),
			Key: key, Headers: merge(p.Headers, m.Headers),
			MaxTokensField: m.Compat.MaxTokensField,
			NoStreamUsage:  isFalse(m.Compat.SupportsUsageInStreaming),
			NoStore:        isFalse(m.Compat.SupportsStore) || id != "openai",
		},
	}
	out.Effort = m.Reasoning && !isFalse(m.Compat.SupportsReasoningEffort)
	if out.Name == "" {
		out.Name = m.ID
	}
	if out.ContextWindow <= 0 {
		out.ContextWindow = DefaultWindow
	}
	if len(out.Input) == 0 {
		out.Input = []string{"text"}
	}
	if limit := c.set.Agents.Defaults.ContextTokens; limit > 0 && limit < out.ContextWindow {
		out.ContextWindow = limit
	}
	for ref, params := range c.set.Agents.Defaults.Models {
		if pid, mid := Split(ref); pid == id && mid == m.ID {
			out.Temperature = params.Params.Temperature
			out.Cache = provider.CacheRetention(params.Params.Retention())
			if params.Params.MaxTokens > 0 {
				out.MaxTokens = params.Params.MaxTokens
			}
		}
	}
	return out
}

// Echo is the built-in model that needs no key.
func Echo() Model {
	return Model{
		Provider: demo.Provider, ID: demo.Model, Name: "Echo (built-in demo)", ContextWindow: DefaultWindow,
		Input: []string{"text"}, Endpoint: provider.Endpoint{Provider: demo.Provider, API: provider.APIDemo},
	}
}

// List returns the models that may be chosen now: all that the allowlist
// (agents.defaults.models) lets through, or the demo where there is none.
func (c *Catalogue) List() []Model {
	var out []Model
	for _, m := range c.models {
		if c.allowed(m) {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return []Model{Echo()}
	}
	return out
}

func (c *Catalogue) allowed(m Model) bool {
	list := c.set.Agents.Defaults.Models
	if len(list) == 0 {
		return true
	}
	if d := c.set.Agents.Defaults.Model; d != nil {
		if p, id := Split(d.Primary); p == m.Provider && id == m.ID {
			return true
		}
	}
	for ref := range list {
		if p, id := Split(ref); p == m.Provider && id == m.ID {
			return true
		}
	}
	return false
}

// Default returns the model of a run for which nothing names another, and why:
// the config's primary, else the first provider with a key, else the demo.
func (c *Catalogue) Default(agentID string) (Model, string, error) {
	if choice := c.set.Agent(agentID).Model; choice != nil && choice.Primary != "" {
		m, err := c.Find(choice.Primary)
		return m, "config: agents.defaults.model.primary", err
	}
	for _, m := range c.models {
		if m.Endpoint.API != provider.APICompletions && m.Endpoint.API != provider.APIMessages {
			continue
		}
		if _, source := c.set.Key(m.Provider); source != "none" {
			return m, fmt.Sprintf("%s: the first provider with a key (%s)", source, m.Provider), nil
		}
	}
	return Echo(), "no provider has a key: built-in demo", nil
}

// Candidates returns the models that a run tries in turn: the one asked for (or
// the default), then the fallbacks. Fallbacks that cannot be resolved are left out.
func (c *Catalogue) Candidates(agentID, ref string, fallbacks []string) ([]Model, error) {
	var m Model
	var err error
	if ref == "" {
		m, _, err = c.Default(agentID)
	} else {
		m, err = c.Find(ref)
	}
	if err != nil {
		return nil, err
	}
	out := []Model{m}
	if fallbacks == nil {
		if choice := c.set.Agent(agentID).Model; choice != nil {
			fallbacks = choice.Fallbacks
		}
	}
	for _, f := range fallbacks {
		next, err := c.Find(f)
		if err == nil && !slices.ContainsFunc(out, func(m Model) bool { return m.Ref() == next.Ref() }) {
			out = append(out, next)
		}
	}
	return out, nil
}

func first(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}

func isFalse(b *bool) bool { return b != nil && !*b }

func merge(a, b map[string]string) map[string]string {
	if len(a)+len(b) == 0 {
		return nil
	}
	out := make(map[string]string, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[k] = v
	}
	return out
}
