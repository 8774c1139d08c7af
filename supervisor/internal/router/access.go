package router

import (
	"strings"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Words of dmPolicy.
const (
	PolicyPairing   = "pairing"
	PolicyAllowlist = "allowlist"
	PolicyOpen      = "open"
	PolicyDisabled  = "disabled"
)

// anyone in an allow-list lets everybody in.
const anyone = "*"

// ChannelSettings are what access and routing read of a channel account's settings.
type ChannelSettings struct {
	// Label is the name people know the channel by ("Telegram").
	Label     string
	DMPolicy  string
	AllowFrom []string
}

// verdict is whether a message is let in; cause says why not.
type verdict struct {
	admitted bool
	cause    string
}

// admit applies the direct-message policy. Until pairing is built, a policy that is
// neither open nor allowlist lets nobody in; neither does any group.
func admit(channel string, s ChannelSettings, m message.Inbound) verdict {
	if m.ChatKind != message.ChatDirect {
		return verdict{cause: "group_not_served"}
	}
	listed := allowed(channel, s.AllowFrom, m.Sender)
	switch s.DMPolicy {
	case PolicyOpen:
		return verdict{admitted: true}
	case PolicyAllowlist:
		if listed {
			return verdict{admitted: true}
		}
		return verdict{cause: "sender_not_in_allowlist"}
	case PolicyDisabled:
		return verdict{cause: "dm_policy_disabled"}
	}
	return verdict{cause: "dm_policy_not_served:" + s.DMPolicy}
}

// allowed reports whether a sender stands in an allow-list: by id, or by username,
// with or without @ and the channel's prefix; names are compared without case.
func allowed(channel string, list []string, who message.Sender) bool {
	for _, raw := range list {
		entry := strings.TrimSpace(raw)
		if entry == anyone {
			return true
		}
		lower := strings.ToLower(entry)
		for _, prefix := range prefixes(channel) {
			if rest, ok := strings.CutPrefix(lower, prefix); ok {
				lower = rest
				break
			}
		}
		lower = strings.TrimPrefix(lower, "@")
		switch {
		case lower == "":
		case lower == strings.ToLower(string(who.ID)),
			who.Username != "" && lower == strings.ToLower(strings.TrimPrefix(who.Username, "@")),
			who.E164 != "" && lower == who.E164:
			return true
		}
	}
	return false
}

func prefixes(channel string) []string {
	out := []string{channel + ":"}
	switch channel {
	case "telegram":
		out = append(out, "tg:")
	case "mattermost":
		out = append(out, "user:")
	}
	return out
}
