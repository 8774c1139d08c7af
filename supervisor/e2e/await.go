package e2e

import (
	"context"
	"fmt"
	"time"

	"github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

// glance is how often something is looked at that cannot be waited on.
const glance = 10 * time.Millisecond

// Await looks at something until it is so; what it is still missing stands in the failure.
func (e *Env) Await(what string, limit time.Duration, look func() error) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), limit)
	defer cancel()
	if err := await(ctx, look); err != nil {
		e.t.Fatalf("await %s, %s: %v", what, limit, err)
	}
}

// await gives the last complaint when ctx ends first.
func await(ctx context.Context, look func() error) error {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		err := look()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// within bounds a wait by the patience of tests.
func (e *Env) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(e.t.Context(), patience)
}

// Person is who writes in a private chat: the chat's number is theirs.
func Person(chat int64) telegram.User {
	return telegram.User{ID: chat, FirstName: fmt.Sprintf("Person%d", chat)}
}

// Say lets the person of a private chat write to the bot.
func (e *Env) Say(chat int64, text string) telegram.Posted {
	return e.Telegram.Say(chat, Person(chat), text)
}

// AwaitReply waits for the bot's first message in a chat, and gives it.
func (e *Env) AwaitReply(chat int64) telegram.Sent {
	e.t.Helper()
	ctx, cancel := e.within()
	defer cancel()
	sent, err := e.Telegram.AwaitSend(ctx, telegram.To(chat))
	if err != nil {
		e.t.Fatalf("await a reply in chat %d: %v", chat, err)
	}
	return sent
}

// AwaitText waits until the bot has written this text in a chat.
func (e *Env) AwaitText(chat int64, text string) {
	e.t.Helper()
	ctx, cancel := e.within()
	defer cancel()
	if _, err := e.Telegram.AwaitSend(ctx, telegram.Saying(chat, text)); err != nil {
		e.t.Fatalf("await %q in chat %d: %v; sent were %q", text, chat, err, e.Texts(chat))
	}
}

// Texts lists what the bot wrote in a chat.
func (e *Env) Texts(chat int64) []string {
	var texts []string
	for _, s := range e.Telegram.Sent() {
		if s.Chat == chat {
			texts = append(texts, s.Text)
		}
	}
	return texts
}

// ExpectTexts fails unless the bot wrote exactly this in a chat.
func (e *Env) ExpectTexts(chat int64, want ...string) {
	e.t.Helper()
	if got := e.Texts(chat); !equal(got, want) {
		e.t.Errorf("chat %d was sent %q, want %q", chat, got, want)
	}
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// errorText is a complaint of an await.
type errorText string

// Error gives it.
func (t errorText) Error() string { return string(t) }
