package app

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
)

// assistantName is what an agent is called that has no name of its own.
const assistantName = "Assistant"

// directory implements gateway.Directory and gateway.Avatars.
type directory struct {
	store  *config.Store
	agents *agents
}

// Agents implements gateway.Directory.
func (d *directory) Agents(context.Context) (protocol.AgentsListResult, error) {
	c := d.store.Snapshot().Config
	out := protocol.AgentsListResult{DefaultID: c.DefaultAgentID(), MainKey: mainKey(c.Session.MainKey), Scope: c.Session.Scope, Agents: []protocol.AgentSummary{}}
	if out.Scope == "" {
		out.Scope = "per-sender"
	}
	for _, id := range c.AgentIDs() {
		row := protocol.AgentSummary{ID: id}
		if a, ok := c.Agent(id); ok {
			row.Name = a.Name
			if i := a.Identity; i.Name != "" || i.Theme != "" || i.Emoji != "" || i.Avatar != "" {
				row.Identity = &protocol.AgentIdentity{Name: i.Name, Theme: i.Theme, Emoji: i.Emoji, Avatar: i.Avatar}
			}
		}
		out.Agents = append(out.Agents, row)
	}
	return out, nil
}

func mainKey(set string) string {
	if set = strings.ToLower(strings.TrimSpace(set)); set != "" {
		return set
	}
	return "main"
}

// Identity implements gateway.Directory.
func (d *directory) Identity(_ context.Context, agentID string) (protocol.AgentIdentityResult, error) {
	out := protocol.AgentIdentityResult{AgentID: agentID, Name: assistantName, Avatar: "A"}
	if a, ok := d.store.Snapshot().Config.Agent(agentID); ok {
		for _, name := range []string{a.Identity.Name, a.Name} {
			if name != "" {
				out.Name = name
				break
			}
		}
		out.Emoji = a.Identity.Emoji
		switch {
		case a.Identity.Avatar != "":
			out.Avatar = a.Identity.Avatar
		case a.Identity.Emoji != "":
			out.Avatar = a.Identity.Emoji
		default:
			out.Avatar = strings.ToUpper(string([]rune(out.Name)[:1]))
		}
	}
	return out, nil
}

// Models implements gateway.Directory.
func (d *directory) Models(ctx context.Context) (protocol.ModelsListResult, error) {
	client := d.agents.client()
	if client == nil {
		return protocol.ModelsListResult{}, agentAway()
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ms, err := client.Models(ctx)
	if err != nil {
		return protocol.ModelsListResult{}, agentFailed(err)
	}
	out := protocol.ModelsListResult{Models: []protocol.ModelChoice{}}
	for _, m := range ms.Models {
		out.Models = append(out.Models, protocol.ModelChoice{ID: m.ID, Name: m.Name, Provider: m.Provider, ContextWindow: m.ContextWindow, Reasoning: &m.Reasoning, Input: m.Input})
	}
	return out, nil
}

// Avatar implements gateway.Avatars: a picture in the agent's workspace, or a URL.
func (d *directory) Avatar(agentID string) (file, url string) {
	s := d.store.Snapshot()
	a, ok := s.Config.Agent(agentID)
	if !ok || a.Identity.Avatar == "" {
		return "", ""
	}
	v := a.Identity.Avatar
	if strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "data:") {
		return "", v
	}
	if !strings.ContainsAny(v, "./") {
		return "", "" // an emoji or a letter
	}
	root := s.AgentWorkspace(agentID)
	path := filepath.Clean(filepath.Join(root, v))
	if rel, err := filepath.Rel(root, path); err != nil || strings.HasPrefix(rel, "..") {
		return "", ""
	}
	return path, ""
}
