package router

import (
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// DefaultAccount is the account that a binding without accountId means.
const DefaultAccount message.AccountID = "default"

// peer is what bindings are matched against.
type peer struct {
	channel string
	account message.AccountID
	kind    message.ChatKind
	id      string
}

// chooseAgent applies the bindings: an exact peer first, then a rule for the account,
// then one for every account of the channel, then the default agent. Within a tier the
// first in file order wins; a binding to an agent that does not exist means the default one.
func chooseAgent(c config.Config, p peer) string {
	tiers := []func(config.Binding) bool{
		func(b config.Binding) bool {
			return b.Match.Peer != nil && peerKind(b.Match.Peer.Kind) == p.kind.String() && strings.EqualFold(string(b.Match.Peer.ID), p.id)
		},
		func(b config.Binding) bool { return unscoped(b) && b.Match.AccountID != anyone },
		func(b config.Binding) bool { return unscoped(b) && b.Match.AccountID == anyone },
	}
	for _, matches := range tiers {
		for _, b := range c.Bindings {
			if !strings.EqualFold(b.Match.Channel, p.channel) || !accountMatches(b.Match.AccountID, p.account) || !matches(b) {
				continue
			}
			if _, ok := c.Agent(b.AgentID); ok {
				return b.AgentID
			}
			return c.DefaultAgentID()
		}
	}
	return c.DefaultAgentID()
}

func unscoped(b config.Binding) bool {
	return b.Match.Peer == nil && b.Match.GuildID == "" && b.Match.TeamID == ""
}

func accountMatches(want string, have message.AccountID) bool {
	switch want {
	case anyone:
		return true
	case "":
		return have == DefaultAccount
	}
	return strings.EqualFold(want, string(have))
}

// peerKind reads the older word "dm" as "direct".
func peerKind(k string) string {
	if k == "dm" {
		return "direct"
	}
	return k
}
