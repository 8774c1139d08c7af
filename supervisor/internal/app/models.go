package app

import (
	"context"
	"strings"
	"sync"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
)

// fallbackContext is the context window of a model of which nothing is known (spec: model references).
const fallbackContext = 200_000

// models answers what model a run gets when nothing names another. What the agent
// runtime said last is kept, so that the answer is there while it is away.
type models struct {
	store  *config.Store
	agents *agents

	mu       sync.Mutex // guards all below
	last     agent.Models
	revision uint64 // of the configuration that last belongs to
}

// current asks the runtime once per revision of the configuration.
func (m *models) current(ctx context.Context) (agent.Models, bool) {
	revision := m.store.Snapshot().Revision
	m.mu.Lock()
	last, known := m.last, m.revision == revision
	m.mu.Unlock()
	if known {
		return last, true
	}
	client := m.agents.client()
	if client == nil {
		return last, last.DefaultModel != ""
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	now, err := client.Models(ctx)
	if err != nil {
		return last, last.DefaultModel != ""
	}
	m.mu.Lock()
	m.last, m.revision = now, revision
	m.mu.Unlock()
	return now, true
}

// fallback is the default model, as sessions.list and status show it.
func (m *models) fallback(ctx context.Context) protocol.ModelDefault {
	ref := m.store.Snapshot().Config.Agents.Defaults.Model.Primary
	out := protocol.ModelDefault{ContextTokens: fallbackContext}
	if ms, ok := m.current(ctx); ok {
		ref = ms.DefaultModel
		if ms.DefaultContextWindow > 0 {
			out.ContextTokens = ms.DefaultContextWindow
		}
	}
	if n := m.store.Snapshot().Config.Agents.Defaults.ContextTokens; n > 0 && int64(n) < out.ContextTokens {
		out.ContextTokens = int64(n)
	}
	out.ModelProvider, out.Model = splitModel(ref)
	return out
}

// splitModel cuts a reference at its first slash.
func splitModel(ref string) (provider, model string) {
	if p, m, ok := strings.Cut(ref, "/"); ok {
		return strings.ToLower(p), m
	}
	return "", ref
}

// allowed finds the model that a session is to use.
func (m *models) allowed(ctx context.Context, ref string) (provider, model string, err error) {
	provider, model = splitModel(strings.TrimSpace(ref))
	ms, ok := m.current(ctx)
	if !ok {
		return "", "", agentAway()
	}
	for _, have := range ms.Models {
		if have.ID == model && (provider == "" || have.Provider == provider) {
			return have.Provider, have.ID, nil
		}
	}
	return "", "", protocol.Invalid("model not allowed: %s", ref)
}
