package config

import (
	"maps"
	"slices"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

// Origin says where a snapshot's settings come from.
type Origin string

// The origins.
const (
	FromFile     Origin = "file"
	FromLastGood Origin = "last-good"
	FromDefaults Origin = "defaults"
)

// Snapshot is one revision of the configuration. It never changes; nobody may change what it hands out.
type Snapshot struct {
	// Revision grows by one with each configuration that is taken over; the first is 1.
	Revision uint64
	// Origin is where the settings come from, Hash the SHA-256 in hex of the file they were read from ("" for none).
	Origin Origin
	Hash   string
	// Config is the typed form with defaults.
	Config source.Config
	// Tree is the resolved form without defaults: includes, environment and legacy keys are done.
	Tree map[string]any
	// Paths are the places of this installation; Environ is the environment with .env files and the env section.
	Paths   source.Paths
	Environ source.Environ

	overrides Overrides
	merged    map[string]any
	warnings  []source.Problem
}

// Set tells whether the file says something about a key (dotted path), as opposed to a default.
func (s *Snapshot) Set(path string) bool {
	_, ok := s.lookup(path)
	return ok
}

func (s *Snapshot) lookup(path string) (any, bool) {
	steps, err := json5.ParsePath(path)
	if err != nil {
		return nil, false
	}
	var at any = s.Tree
	for _, step := range steps {
		object, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = object[step]; !ok {
			return nil, false
		}
	}
	return at, true
}

// section gives an object of the tree, an empty one where there is none.
func (s *Snapshot) section(path string) map[string]any {
	value, _ := s.lookup(path)
	object, _ := value.(map[string]any)
	return object
}

// SkipChannels tells whether the environment asks to start no channel at all.
func (s *Snapshot) SkipChannels() bool {
	value, _ := s.Environ.First("OPENCLAW_SKIP_CHANNELS", "OPENCLAW_SKIP_PROVIDERS")
	return value != "" && value != "0" && value != "false"
}

// PluginAllowed tells whether the operator lets a plugin run: plugins.enabled, allow, deny, entries.<id>.enabled.
// Bundled plugins are not touched by plugins.enabled and allow.
func (s *Snapshot) PluginAllowed(id string, bundled bool) bool {
	p := s.Config.Plugins
	if slices.Contains(p.Deny, id) {
		return false
	}
	if entry, ok := p.Entries[id]; ok && entry.Enabled != nil && !*entry.Enabled {
		return false
	}
	return bundled || (p.Enabled && (len(p.Allow) == 0 || slices.Contains(p.Allow, id)))
}

// WorkerLimit gives the limits of one worker; a zero figure means the built-in default.
func (s *Snapshot) WorkerLimit(worker string) source.WorkerLimit {
	return s.Config.Supervisor.Limits[worker]
}

// AgentWorkspace is the absolute workspace of an agent.
func (s *Snapshot) AgentWorkspace(agentID string) string {
	if agent, ok := s.Config.Agent(agentID); ok && agent.Workspace != "" {
		return s.Paths.Expand(agent.Workspace)
	}
	if agentID == s.Config.DefaultAgentID() || agentID == "main" || agentID == "" {
		if dir := s.Config.Agents.Defaults.Workspace; dir != "" {
			return s.Paths.Expand(dir)
		}
		return s.Paths.Workspace()
	}
	return s.Paths.AgentWorkspace(agentID)
}

func cloneTree(tree map[string]any) map[string]any {
	if tree == nil {
		return map[string]any{}
	}
	return maps.Clone(tree)
}
