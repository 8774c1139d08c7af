package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// Effective gives a copy of a resolved tree with the schema's defaults where it says nothing. Lists are never merged.
func Effective(tree map[string]any) map[string]any {
	defaults, err := json5.Normalize(defaultsTree(loadSchema()))
	if err != nil {
		panic(fmt.Sprintf("config: schema.json: defaults: %v", err))
	}
	return MergePatch(defaults, tree).(map[string]any)
}

// Decode turns a valid resolved tree into its typed form, defaults filled in.
func Decode(tree map[string]any) (Config, error) {
	var c Config
	data, err := json.Marshal(Effective(tree))
	if err != nil {
		return c, fmt.Errorf("write configuration: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("decode configuration: %w", err)
	}
	return c, nil
}

// defaultsTree gathers the defaults of fixed keys. Keys below names of the user's choice have theirs where they are read.
func defaultsTree(r *rule) any {
	if r.Default != nil {
		return r.Default
	}
	out := map[string]any{}
	for name, sub := range r.Properties {
		if value := defaultsTree(sub); value != nil {
			out[name] = value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// DefaultAgentID is the agent that answers where nothing names one: the first marked default, else the first of the
// list, else main.
func (c Config) DefaultAgentID() string {
	if i := slices.IndexFunc(c.Agents.List, func(a Agent) bool { return a.Default }); i >= 0 {
		return c.Agents.List[i].ID
	}
	if len(c.Agents.List) > 0 {
		return c.Agents.List[0].ID
	}
	return "main"
}

// AgentIDs lists all agents in their order; main when none is listed.
func (c Config) AgentIDs() []string {
	if len(c.Agents.List) == 0 {
		return []string{"main"}
	}
	ids := make([]string, len(c.Agents.List))
	for i, agent := range c.Agents.List {
		ids[i] = agent.ID
	}
	return ids
}

// Agent gives an agent by id (letter case aside), and whether it exists. The implicit main exists while the list is empty.
func (c Config) Agent(id string) (Agent, bool) {
	for _, agent := range c.Agents.List {
		if strings.EqualFold(agent.ID, id) {
			return agent, true
		}
	}
	return Agent{ID: "main", Default: true}, len(c.Agents.List) == 0 && strings.EqualFold(id, "main")
}
