package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

// TestTelegramMessageIsAnsweredWithATool follows one message through every process, with a
// tool call in between.
func TestTelegramMessageIsAnsweredWithATool(t *testing.T) {
	t.Parallel()
	e := New(t)
	if err := os.WriteFile(filepath.Join(e.Workspace(), "note.txt"), []byte("the first line\nthe second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.Start()

	e.Say(7, "tool: read note.txt")
	if got, want := e.AwaitReply(7).Text, "tool result: the first line"; got != want {
		t.Errorf("the answer is %q, want %q", got, want)
	}
	e.AwaitSettled(1, 7)
	e.ExpectTexts(7, "tool result: the first line")
	if n := len(e.Model.Requests()); n != 2 {
		t.Errorf("the model was asked %d times, want 2: once for the tool, once for the answer", n)
	}
	if n := e.Heard("tool: read note.txt"); n != 1 {
		t.Errorf("the transcript holds the message %d times, want once", n)
	}
	ctx, cancel := e.within()
	defer cancel()
	if err := e.Telegram.Bot(telegram.Token).AwaitAction(ctx, 7); err != nil {
		t.Errorf("nobody was shown that an answer is being written: %v", err)
	}
	e.Stop()
}

// TestFiveChatsAtOnce: each is answered in its own chat, exactly once.
func TestFiveChatsAtOnce(t *testing.T) {
	t.Parallel()
	for _, scope := range []string{"per-channel-peer", "main"} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			e := New(t)
			e.Configure(func(c Config) { c.Set("session.dmScope", scope) })
			e.Start()

			chats := []int64{11, 12, 13, 14, 15}
			var all sync.WaitGroup
			for _, chat := range chats {
				all.Go(func() { e.Say(chat, fmt.Sprintf("say: hello chat %d", chat)) })
			}
			all.Wait()
			for _, chat := range chats {
				if got, want := e.AwaitReply(chat).Text, fmt.Sprintf("hello chat %d", chat); got != want {
					t.Errorf("chat %d was answered %q, want %q", chat, got, want)
				}
			}
			e.AwaitSettled(1, chats...)
			for _, chat := range chats {
				e.ExpectTexts(chat, fmt.Sprintf("hello chat %d", chat))
			}
			e.Stop()
		})
	}
}

// TestConversationGoesOn: the next message is answered with what was said before in mind,
// also by the next life of the supervisor.
func TestConversationGoesOn(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	e.Say(21, "say: one")
	e.AwaitText(21, "one")
	e.AwaitSettled(1, 21)
	e.Say(21, "count")
	e.AwaitText(21, "users=2")
	e.AwaitSettled(2, 21)
	e.Stop()
	e.Start()
	e.Say(21, "count again")
	e.AwaitText(21, "users=3")
	e.AwaitSettled(3, 21)
	e.ExpectTexts(21, "one", "users=2", "users=3")
	e.Stop()
}

// TestWhoMayWrite: allowlist lets in those on it, and says nothing to others.
func TestWhoMayWrite(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Configure(func(c Config) {
		c.Set("channels.telegram.dmPolicy", "allowlist").Set("channels.telegram.allowFrom", []any{"31"})
	})
	e.Start()
	e.Say(32, "say: let me in")
	e.Say(31, "say: welcome")
	e.AwaitText(31, "welcome")
	e.AwaitSettled(1, 31, 32)
	e.ExpectTexts(32)
	for _, r := range e.Model.Requests() {
		if strings.Contains(r.LastUser(), "let me in") {
			t.Error("the model was shown what a stranger wrote")
		}
	}
	e.Stop()
}
