package app

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/router"
)

func TestChannelSettings(t *testing.T) {
	for block, want := range map[string]router.ChannelSettings{
		`{}`: {DMPolicy: "pairing"},
		`{"dmPolicy":"allowlist","allowFrom":["@ada",123456789012345678]}`:             {DMPolicy: "allowlist", AllowFrom: []string{"@ada", "123456789012345678"}},
		`{"dm":{"policy":"open","allowFrom":["*"]}}`:                                   {DMPolicy: "open", AllowFrom: []string{"*"}},
		`{"dm":{"enabled":true}}`:                                                      {DMPolicy: "pairing"},
		`{"dmPolicy":"open","allowFrom":["*"],"dm":{"enabled":false,"policy":"open"}}`: {DMPolicy: "disabled", AllowFrom: []string{"*"}},
	} {
		if diff := cmp.Diff(channelSettings(json.RawMessage(block)), want); diff != "" {
			t.Errorf("%s, got before want:\n%s", block, diff)
		}
	}
	for profile, want := range map[string]string{"": "openclaw", "x": "openclaw --profile x"} {
		if got := program(profile); got != want {
			t.Errorf("profile %q: got %q, want %q", profile, got, want)
		}
	}
}
