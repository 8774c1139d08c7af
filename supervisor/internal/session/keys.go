package session

import (
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Scopes of direct messages (session.dmScope).
const (
	ScopeMain                  = "main"
	ScopePerPeer               = "per-peer"
	ScopePerChannelPeer        = "per-channel-peer"
	ScopePerAccountChannelPeer = "per-account-channel-peer"
)

// Reserved keys that name no conversation of an agent.
const (
	GlobalKey  = "global"
	UnknownKey = "unknown"
)

const (
	defaultMainKey = "main"
	defaultAccount = "default"
)

// Keys is the one place that builds session keys, from today's settings.
type Keys struct {
	// DefaultAgent is the agent that short keys belong to.
	DefaultAgent string
	// MainKey names the direct conversation; empty = main.
	MainKey string
	// Global is session.scope="global": one bucket for everything.
	Global bool
	// DMScope is session.dmScope; empty = main.
	DMScope string
	// IdentityLinks give people one name over channels: name → "<channel>:<peer>" or "<peer>".
	IdentityLinks map[string][]string
}

func (k Keys) main() string {
	if m := clean(k.MainKey); m != "" {
		return m
	}
	return defaultMainKey
}

// Main is the key of an agent's main session; an empty agent is the default one.
func (k Keys) Main(agentID string) string {
	if agentID == "" {
		agentID = k.DefaultAgent
	}
	return "agent:" + clean(agentID) + ":" + k.main()
}

// Direct is the key of a direct conversation with a peer.
func (k Keys) Direct(agentID, channel string, account message.AccountID, peer string) string {
	if k.Global {
		return GlobalKey
	}
	peer = k.linked(channel, peer)
	acc := clean(string(account))
	if acc == "" {
		acc = defaultAccount
	}
	base := "agent:" + clean(agentID) + ":"
	switch k.DMScope {
	case ScopePerPeer:
		return base + "direct:" + peer
	case ScopePerChannelPeer:
		return base + clean(channel) + ":direct:" + peer
	case ScopePerAccountChannelPeer:
		return base + clean(channel) + ":" + acc + ":direct:" + peer
	}
	return k.Main(agentID)
}

// linked replaces a peer by the name it is linked to.
func (k Keys) linked(channel, peer string) string {
	peer = clean(peer)
	names := make([]string, 0, len(k.IdentityLinks))
	for name := range k.IdentityLinks {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, id := range k.IdentityLinks[name] {
			if id = clean(id); id == peer || id == clean(channel)+":"+peer {
				return clean(name)
			}
		}
	}
	return peer
}

// Canonical gives the stored form of a key as a client spells it, and its agent: lower-case,
// main and the main key resolved, short keys given to the default agent. An empty key is the main session.
func (k Keys) Canonical(key string) (canonical, agentID string) {
	key = clean(key)
	if key == GlobalKey || key == UnknownKey {
		return key, k.DefaultAgent
	}
	if k.Global && (key == "" || key == defaultMainKey || key == k.main()) {
		return GlobalKey, k.DefaultAgent
	}
	agentID, rest := clean(k.DefaultAgent), key
	if tail, ok := strings.CutPrefix(key, "agent:"); ok {
		if id, r, ok := strings.Cut(tail, ":"); ok && id != "" && r != "" {
			agentID, rest = id, r
		}
	}
	if rest == "" || rest == defaultMainKey || rest == k.main() {
		rest = k.main()
	}
	return "agent:" + agentID + ":" + directSpelling(rest), agentID
}

// directSpelling writes "direct" where older keys have "dm": at the front, or behind channel and account.
func directSpelling(rest string) string {
	parts := strings.SplitN(rest, ":", 4)
	for i, p := range parts {
		if p == "dm" && i < len(parts)-1 {
			parts[i] = "direct"
			break
		}
	}
	return strings.Join(parts, ":")
}

// Group is the key of a group, or with ChatChannel of a room.
func (k Keys) Group(agentID, channel string, kind message.ChatKind, conversation message.ConversationID) string {
	if k.Global {
		return GlobalKey
	}
	word := "group"
	if kind == message.ChatChannel {
		word = "channel"
	}
	return "agent:" + clean(agentID) + ":" + clean(channel) + ":" + word + ":" + clean(string(conversation))
}

// Thread is the key of a thread inside the conversation of a key.
func (k Keys) Thread(base string, thread message.ThreadID) string {
	return k.under(base, "thread", thread)
}

// Topic is the key of a forum topic inside the group of a key.
func (k Keys) Topic(base string, thread message.ThreadID) string {
	return k.under(base, "topic", thread)
}

func (k Keys) under(base, word string, thread message.ThreadID) string {
	if base == GlobalKey || thread == "" {
		return base
	}
	return base + ":" + word + ":" + clean(string(thread))
}

// stored is the key under which an entry of somebody else's sessions.json is kept. An
// old "group:<id>" gets the channel that the entry names.
func (k Keys) stored(key string, f Fields) string {
	if id, ok := strings.CutPrefix(clean(key), "group:"); ok {
		if channel := (Entry{Fields: f}).Text("channel"); channel != "" {
			return k.Group(k.DefaultAgent, channel, message.ChatGroup, message.ConversationID(id))
		}
	}
	canonical, _ := k.Canonical(key)
	return canonical
}

func clean(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// Kind tells what a key is for, in the words of sessions.list: direct, group, global or unknown.
func Kind(key string) string {
	switch {
	case key == GlobalKey, key == UnknownKey:
		return key
	case strings.Contains(key, ":group:"), strings.Contains(key, ":channel:"):
		return "group"
	}
	return "direct"
}
