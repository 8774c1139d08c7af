package router

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

func TestAdmit(t *testing.T) {
	ada := message.Sender{ID: "42", Username: "Ada_L", Name: "Ada"}
	for _, c := range []struct {
		name   string
		s      ChannelSettings
		kind   message.ChatKind
		who    message.Sender
		admits bool
		cause  string
	}{
		{"open", ChannelSettings{DMPolicy: "open"}, message.ChatDirect, ada, true, ""},
		{"listed by id", ChannelSettings{DMPolicy: "allowlist", AllowFrom: []string{"42"}}, message.ChatDirect, ada, true, ""},
		{"listed by name", ChannelSettings{DMPolicy: "allowlist", AllowFrom: []string{"tg:@ada_l"}}, message.ChatDirect, ada, true, ""},
		{"listed by prefix", ChannelSettings{DMPolicy: "allowlist", AllowFrom: []string{"telegram:42"}}, message.ChatDirect, ada, true, ""},
		{"anyone", ChannelSettings{DMPolicy: "allowlist", AllowFrom: []string{"*"}}, message.ChatDirect, ada, true, ""},
		{"not listed", ChannelSettings{DMPolicy: "allowlist", AllowFrom: []string{"4", "421"}}, message.ChatDirect, ada, false, "sender_not_in_allowlist"},
		{"display name is no name", ChannelSettings{DMPolicy: "allowlist", AllowFrom: []string{"Ada"}}, message.ChatDirect, ada, false, "sender_not_in_allowlist"},
		{"empty list", ChannelSettings{DMPolicy: "allowlist"}, message.ChatDirect, ada, false, "sender_not_in_allowlist"},
		{"empty entries match nobody", ChannelSettings{DMPolicy: "allowlist", AllowFrom: []string{"", "@", "tg:"}}, message.ChatDirect, message.Sender{}, false, "sender_not_in_allowlist"},
		{"let in by a code", ChannelSettings{DMPolicy: "allowlist", Paired: []string{"42"}}, message.ChatDirect, ada, true, ""},
		{"pairing, configured", ChannelSettings{DMPolicy: "pairing", AllowFrom: []string{"42"}}, message.ChatDirect, ada, true, ""},
		{"pairing, let in by a code", ChannelSettings{DMPolicy: "pairing", Paired: []string{"42"}}, message.ChatDirect, ada, true, ""},
		{"pairing, a stranger", ChannelSettings{DMPolicy: "pairing", AllowFrom: []string{"4"}, Paired: []string{"421"}}, message.ChatDirect, ada, false, "pairing_required"},
		{"disabled", ChannelSettings{DMPolicy: "disabled", AllowFrom: []string{"*"}, Paired: []string{"42"}}, message.ChatDirect, ada, false, "dm_policy_disabled"},
		{"a policy that is none", ChannelSettings{DMPolicy: "opne", AllowFrom: []string{"*"}}, message.ChatDirect, ada, false, "dm_policy_unknown:opne"},
		{"group", ChannelSettings{DMPolicy: "open"}, message.ChatGroup, ada, false, "group_not_served"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := admit("telegram", c.s, message.Inbound{ChatKind: c.kind, Sender: c.who})
			if got.admitted != c.admits || got.cause != c.cause || got.ask != (c.cause == causePairing) {
				t.Errorf("got %+v, want %v %q", got, c.admits, c.cause)
			}
		})
	}
}

func TestAllowedPhones(t *testing.T) {
	who := message.Sender{ID: "4915111@s.whatsapp.net", E164: "+4915111"}
	for entry, want := range map[string]bool{"+4915111": true, "whatsapp:+49 151-11": true, "4915111": true, "+491511": false, "": false} {
		if got := allowed("whatsapp", []string{entry}, who); got != want {
			t.Errorf("%q: got %v, want %v", entry, got, want)
		}
	}
}

func TestMayCommand(t *testing.T) {
	groups := config.Commands{UseAccessGroups: true}
	owner := func(ids ...any) config.Commands {
		return config.Commands{UseAccessGroups: true, OwnerAllowFrom: ids}
	}
	for _, c := range []struct {
		name, channel string
		s             ChannelSettings
		c             config.Commands
		want          bool
	}{
		{"nothing is set", "telegram", ChannelSettings{}, groups, true},
		{"configured", "telegram", ChannelSettings{AllowFrom: []string{"42"}}, groups, true},
		{"let in by a code", "telegram", ChannelSettings{AllowFrom: []string{"1"}, Paired: []string{"42"}}, groups, true},
		{"an owner", "telegram", ChannelSettings{AllowFrom: []string{"1"}}, owner("telegram:42"), true},
		{"an owner as a number", "telegram", ChannelSettings{AllowFrom: []string{"1"}}, owner(json.Number("42")), true},
		{"another channel's owner", "telegram", ChannelSettings{AllowFrom: []string{"1"}}, owner("discord:42"), false},
		{"on no list", "telegram", ChannelSettings{AllowFrom: []string{"1"}}, groups, false},
		{"on no list, groups off", "telegram", ChannelSettings{AllowFrom: []string{"1"}}, config.Commands{}, true},
		{"whatsapp: let in, no owner", "whatsapp", ChannelSettings{AllowFrom: []string{"*", "1"}, Paired: []string{"42"}}, groups, false},
		{"whatsapp: the list is the owner's", "whatsapp", ChannelSettings{AllowFrom: []string{"*", "42"}}, groups, true},
		{"whatsapp: nothing is set", "whatsapp", ChannelSettings{AllowFrom: []string{"*"}}, groups, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := mayCommand(c.channel, c.s, c.c, message.Sender{ID: "42"}); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestEnvelope(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		in   message.Inbound
		want string
	}{
		{"name and id", message.Inbound{Text: "hi", Sender: message.Sender{ID: "42", Name: "Ada"}}, "[Telegram Ada id:42 Tue 2026-11-24 09:05 UTC] hi"},
		{"id alone", message.Inbound{Text: "a\r\nb", Sender: message.Sender{ID: "42"}}, "[Telegram 42 Tue 2026-11-24 09:05 UTC] a\nb"},
		{"quoted", message.Inbound{Text: "yes", Sender: message.Sender{ID: "42"}, ReplyTo: &message.Quoted{ID: "7", Text: "sure?", Sender: message.Sender{Username: "bob"}}},
			"[Telegram 42 Tue 2026-11-24 09:05 UTC] yes\n\n[Replying to bob id:7]\nsure?\n[/Replying]"},
		{"media alone", message.Inbound{Sender: message.Sender{ID: "42"}, Media: []message.MediaRef{{Kind: message.MediaImage}, {Kind: message.MediaImage}}},
			"[Telegram 42 Tue 2026-11-24 09:05 UTC] <media:image> (2 images)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := envelope("Telegram", c.in, at); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestChooseAgent(t *testing.T) {
	c := config.Config{
		Agents: config.Agents{List: []config.Agent{{ID: "main", Default: true}, {ID: "work"}, {ID: "home"}}},
		Bindings: []config.Binding{
			{AgentID: "home", Match: config.BindingMatch{Channel: "telegram", AccountID: "*"}},
			{AgentID: "work", Match: config.BindingMatch{Channel: "telegram", AccountID: "office"}},
			{AgentID: "main", Match: config.BindingMatch{Channel: "telegram", AccountID: "*", Peer: &config.BindingPeer{Kind: "dm", ID: "7"}}},
			{AgentID: "ghost", Match: config.BindingMatch{Channel: "discord"}},
		},
	}
	for _, tc := range []struct {
		p    peer
		want string
	}{
		{peer{"telegram", "default", message.ChatDirect, "1"}, "home"},
		{peer{"telegram", "office", message.ChatDirect, "1"}, "work"},
		{peer{"telegram", "office", message.ChatDirect, "7"}, "main"},
		{peer{"discord", "default", message.ChatDirect, "1"}, "main"},
		{peer{"mattermost", "default", message.ChatDirect, "1"}, "main"},
	} {
		if got := chooseAgent(c, tc.p); got != tc.want {
			t.Errorf("%+v goes to %s, want %s", tc.p, got, tc.want)
		}
	}
}
