package app

import (
	"context"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
)

// Figures of typing (spec: typing): shown again every interval, for as long as a run may reasonably take without a word.
const (
	typingEvery   = 6 * time.Second
	typingLongest = 2 * time.Minute
	typingTimeout = 5 * time.Second
)

// typist implements run.Typist: best effort, never stored, never retried.
type typist struct {
	channels *channels
	book     *book
}

// Typing implements run.Typist.
func (t *typist) Typing(r run.Route) (stop func()) {
	c := t.book.Config()
	mode := c.Session.TypingMode
	if mode == "" {
		mode = c.Agents.Defaults.TypingMode
	}
	if mode == "never" || !t.channels.has(r.Channel, channel.FeatureTyping) {
		return func() {}
	}
	every := typingEvery
	if n := c.Agents.Defaults.TypingIntervalSeconds; n > 0 {
		every = time.Duration(n) * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), typingLongest)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			t.show(ctx, r)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (t *typist) show(ctx context.Context, r run.Route) {
	client, ok := t.channels.client(r.Channel)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, typingTimeout)
	defer cancel()
	_ = client.Typing(ctx, channel.Place{Account: r.Account, Conversation: r.Conversation, Thread: r.Thread}, true)
}
