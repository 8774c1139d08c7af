package router

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
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
	Label    string
	DMPolicy string
	// AllowFrom is the configured list, Paired are the senders who were let in by a pairing code.
	AllowFrom, Paired []string
	// DefaultAccount is the channel's account that is meant where none is named.
	DefaultAccount message.AccountID
}

// causes for which a message is denied.
const (
	causeNotListed   = "sender_not_in_allowlist"
	causePairing     = "pairing_required"
	causePairingFull = "pairing_full"
)

// verdict is whether a message is let in; cause says why not. ask says that the sender
// is to be told how to be let in.
type verdict struct {
	admitted, ask bool
	cause         string
}

// admit applies the direct-message policy. No group is let in yet.
func admit(channel string, s ChannelSettings, m message.Inbound) verdict {
	if m.ChatKind != message.ChatDirect {
		return verdict{cause: "group_not_served"}
	}
	listed := allowed(channel, s.AllowFrom, m.Sender) || allowed(channel, s.Paired, m.Sender)
	switch {
	case s.DMPolicy == PolicyDisabled:
		return verdict{cause: "dm_policy_disabled"}
	case s.DMPolicy == PolicyOpen, listed && (s.DMPolicy == PolicyAllowlist || s.DMPolicy == PolicyPairing):
		return verdict{admitted: true}
	case s.DMPolicy == PolicyAllowlist:
		return verdict{cause: causeNotListed}
	case s.DMPolicy == PolicyPairing:
		return verdict{ask: true, cause: causePairing}
	}
	return verdict{cause: "dm_policy_unknown:" + s.DMPolicy}
}

// mayCommand reports whether a sender who was let in may use commands: one of the lists
// that are set holds them, or none is set. Where commands.useAccessGroups is false everybody may;
// WhatsApp, whose number is a person's own, takes commands from owners alone.
func mayCommand(channel string, s ChannelSettings, c config.Commands, who message.Sender) bool {
	owners := ownerList(c)
	if channel == "whatsapp" {
		if len(owners) == 0 {
			owners = slices.DeleteFunc(slices.Clone(s.AllowFrom), func(e string) bool { return strings.TrimSpace(e) == anyone })
		}
		return len(owners) == 0 || allowed(channel, owners, who)
	}
	lists := slices.Concat(s.AllowFrom, s.Paired, owners)
	return !c.UseAccessGroups || len(lists) == 0 || allowed(channel, lists, who)
}

// ownerList is commands.ownerAllowFrom; ids may be written as numbers.
func ownerList(c config.Commands) []string {
	var out []string
	for _, entry := range c.OwnerAllowFrom {
		switch v := entry.(type) {
		case string:
			out = append(out, v)
		case float64:
			out = append(out, strconv.FormatFloat(v, 'f', -1, 64))
		case json.Number:
			out = append(out, v.String())
		}
	}
	return out
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
			who.E164 != "" && phone(lower) == phone(who.E164):
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
	case "discord":
		out = append(out, "user:", "pk:")
	}
	return out
}

// phone is a number with its leading plus, without spaces and other marks; "" where there is no digit.
func phone(text string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	if digits == "" {
		return ""
	}
	return "+" + digits
}
