package app

import (
	"path/filepath"
	"strings"
	"time"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/pairing"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/router"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/session"
)

// book answers, from today's settings and the session index, where a conversation is kept.
type book struct {
	store    *config.Store
	index    *session.Index
	channels *channels
	pairing  *pairing.Store
}

// place is a session and its agent.
type place struct{ key, agentID string }

func (b *book) keys() session.Keys {
	c := b.store.Snapshot().Config
	return session.Keys{
		DefaultAgent: c.DefaultAgentID(), MainKey: c.Session.MainKey, Global: c.Session.Scope == "global",
		DMScope: c.Session.DMScope, IdentityLinks: c.Session.IdentityLinks,
	}
}

// resolve gives the canonical session of a key as a client spells it. agentID, where it
// is set, must be the key's.
func (b *book) resolve(key, agentID string) (place, error) {
	keys := b.keys()
	if strings.TrimSpace(key) == "" && agentID != "" {
		return place{keys.Main(agentID), agentID}, nil
	}
	canonical, owner := keys.Canonical(key)
	return place{canonical, owner}, nil
}

// resolveAgent gives the session of an agent request, whose agent and key the gateway has checked.
func (b *book) resolveAgent(p protocol.AgentParams) (place, error) {
	if p.SessionKey == "" && p.SessionID != "" {
		if e, ok := b.index.Find(func(e session.Entry) bool { return e.SessionID == p.SessionID }); ok {
			return place{e.Key, e.AgentID}, nil
		}
		return place{}, protocol.Invalid("No session found: %s", p.SessionID)
	}
	return b.resolve(p.SessionKey, p.AgentID)
}

// sendAllowed refuses what the session's own policy, or the settings', forbids.
func (b *book) sendAllowed(key string) error {
	blocked := protocol.Invalid("send blocked by session policy")
	e, _ := b.index.Get(key)
	switch e.Text("sendPolicy") {
	case "deny":
		return blocked
	case "allow":
		return nil
	}
	policy := b.store.Snapshot().Config.Session.SendPolicy
	if policy == nil {
		return nil
	}
	allowed := policy.Default != "deny"
	for _, r := range policy.Rules {
		if !scopeMatches(r, key, e) {
			continue
		}
		if r.Action == "deny" {
			return blocked
		}
		allowed = true
	}
	if !allowed {
		return blocked
	}
	return nil
}

func scopeMatches(r source.ScopeRule, key string, e session.Entry) bool {
	m := r.Match
	kind := e.Text("chatType")
	if kind == "" {
		kind = session.Kind(key)
	}
	wantKind := m.ChatType
	if wantKind == "room" {
		wantKind = "channel"
	}
	return (m.Channel == "" || m.Channel == e.Text("channel") || m.Channel == e.Text("lastChannel")) &&
		(wantKind == "" || wantKind == kind) && (m.KeyPrefix == "" || strings.HasPrefix(key, strings.ToLower(m.KeyPrefix)))
}

// storePath is where an agent's sessions.json lies.
func (b *book) storePath(agentID string) string { return storePath(b.store.Snapshot(), agentID) }

func storePath(s *config.Snapshot, agentID string) string {
	if t := s.Config.Session.Store; t != "" {
		return s.Paths.Expand(strings.ReplaceAll(t, "{agentId}", agentID))
	}
	return filepath.Join(s.Paths.SessionsDir(agentID), "sessions.json")
}

// transcript names the transcript of a session that exists.
func (b *book) transcript(key string) (agent.TranscriptRef, bool) {
	e, ok := b.index.Get(key)
	if !ok || e.SessionID == "" {
		return agent.TranscriptRef{}, false
	}
	return agent.TranscriptRef{AgentID: e.AgentID, SessionKey: key, SessionID: e.SessionID, Path: b.transcriptPath(e.AgentID, e.SessionID)}, true
}

func (b *book) transcriptPath(agentID, sessionID string) string {
	return filepath.Join(filepath.Dir(b.storePath(agentID)), sessionID+".jsonl")
}

func (b *book) workspace(agentID string) string { return b.store.Snapshot().AgentWorkspace(agentID) }

// thinking is the level that a session's next run has, as chat.history shows it.
func (b *book) thinking(key string) string {
	e, _ := b.index.Get(key)
	for _, level := range []string{e.Text("thinkingLevel"), b.store.Snapshot().Config.Agents.Defaults.ThinkingDefault} {
		if level != "" {
			return level
		}
	}
	return "off"
}

// resetRules are the settings' rules for when a conversation begins anew.
func (b *book) resetRules() session.Rules {
	c := b.store.Snapshot().Config.Session
	rules := session.Rules{Default: session.DefaultRule(), ByType: map[string]session.Rule{}, ByChannel: map[string]session.Rule{}}
	switch {
	case c.Reset != nil:
		rules.Default = resetRule(*c.Reset)
	case c.IdleMinutes > 0:
		rules.Default = session.Rule{Idle: minutes(c.IdleMinutes)}
	}
	for kind, r := range c.ResetByType {
		if kind == "dm" {
			kind = "direct"
		}
		rules.ByType[kind] = resetRule(r)
	}
	for channel, r := range c.ResetByChannel {
		rules.ByChannel[channel] = resetRule(r)
	}
	return rules
}

func resetRule(r source.Reset) session.Rule {
	out := session.Rule{Daily: r.Mode != "idle", AtHour: session.DefaultRule().AtHour, Idle: minutes(r.IdleMinutes)}
	if r.AtHour != nil {
		out.AtHour = *r.AtHour
	}
	if r.Mode == "idle" && out.Idle == 0 {
		out.Idle = time.Hour
	}
	return out
}

func minutes(n int) time.Duration { return time.Duration(max(n, 0)) * time.Minute }

// Direct implements router.Keys.
func (b *book) Direct(agentID, channel string, account message.AccountID, peer string) string {
	return b.keys().Direct(agentID, channel, account, peer)
}

// Config implements router.Settings.
func (b *book) Config() source.Config { return b.store.Snapshot().Config }

// Channel implements router.Settings.
func (b *book) Channel(channel string, account message.AccountID) (router.ChannelSettings, bool) {
	block, ok := b.store.Snapshot().ChannelBlock(channel)
	if !ok {
		return router.ChannelSettings{}, false
	}
	a, ok := block.Account(string(account))
	if !ok || !a.Enabled {
		return router.ChannelSettings{}, false
	}
	out := channelSettings(a.JSON)
	out.Label, out.DefaultAccount = channel, message.AccountID(block.DefaultAccount)
	out.Paired = b.pairing.Allowed(channel)
	if d, ok := b.channels.description(channel); ok && d.Label != "" {
		out.Label = d.Label
	}
	return out, true
}
