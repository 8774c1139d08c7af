package demo

import (
	"strings"
	"testing"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
)

func TestTheAnswerRepeatsWhatThePersonWrote(t *testing.T) {
	for in, want := range map[string]string{
		"[Tue 2026-11-24 19:34 UTC] hello\n[message_id: k-1]":                "You said: hello\n",
		"[Telegram Ada id:42 Tue 2026-11-24 19:34 UTC] hi there":             "You said: hi there\n",
		"[not an envelope] stays":                                            "You said: [not an envelope] stays\n",
		"[Tue 2026-11-24 19:34 UTC] two\nlines\n[message_id: not the end] x": "You said: two\nlines\n[message_id: not the end] x\n",
	} {
		got := answer([]chat.Message{{Role: chat.RoleUser, Content: chat.Blocks{chat.Text(in)}}})
		if !strings.HasPrefix(got, want) {
			t.Errorf("answer to %q begins %q, want %q", in, got, want)
		}
	}
}
