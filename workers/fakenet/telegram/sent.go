package telegram

import (
	"context"
	"slices"
	"time"
)

// Sent is one message that a bot sent and that the server accepted.
type Sent struct {
	Bot       int64
	Method    string
	Chat      int64
	Thread    int
	MessageID int
	// Text is what a person reads: the text or the caption without markup.
	Text string
	// Raw is the text as the bot sent it, in ParseMode.
	Raw       string
	ParseMode string
	Entities  []Entity
	ReplyTo   int
	Silent    bool
	NoPreview bool
	// File is what was uploaded, if anything.
	File     []byte
	FileName string
	FileMIME string
	// Album is equal for the items of one album.
	Album string
	// Edits counts changes of the text; Deleted tells that it was taken back.
	Edits   int
	Deleted bool
	At      time.Time
}

// Action is a chat action ("typing") that a bot showed.
type Action struct {
	Chat   int64
	Thread int
	Action string
}

// Reaction is what a bot put on a message; empty = taken away.
type Reaction struct {
	Chat      int64
	MessageID int
	Emoji     string
}

// Sent lists all that the bot sent, in order.
func (b *Bot) Sent() []Sent {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return slices.Clone(b.sent)
}

// Actions lists the chat actions that the bot showed.
func (b *Bot) Actions() []Action {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return slices.Clone(b.actions)
}

// Reactions lists the reactions that the bot put and took away.
func (b *Bot) Reactions() []Reaction {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return slices.Clone(b.reactions)
}

// Sent lists all that all bots sent, in order of time.
func (s *Server) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all()
}

// all is called with mu held.
func (s *Server) all() []Sent {
	var out []Sent
	for _, b := range s.order {
		out = append(out, b.sent...)
	}
	slices.SortStableFunc(out, func(a, b Sent) int { return a.At.Compare(b.At) })
	return out
}

// To matches what was sent to a chat.
func To(chat int64) func(Sent) bool { return func(m Sent) bool { return m.Chat == chat } }

// Saying matches what was sent to a chat with exactly this text.
func Saying(chat int64, text string) func(Sent) bool {
	return func(m Sent) bool { return m.Chat == chat && m.Text == text }
}

// Copies counts what matches: the helper of every exactly-once check.
func (s *Server) Copies(match func(Sent) bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return count(s.all(), match)
}

func count(sent []Sent, match func(Sent) bool) int {
	n := 0
	for _, m := range sent {
		if match(m) {
			n++
		}
	}
	return n
}

// AwaitSend blocks until something that matches was sent, and gives the first of it.
func (s *Server) AwaitSend(ctx context.Context, match func(Sent) bool) (Sent, error) {
	all, err := s.AwaitSends(ctx, 1, match)
	if err != nil {
		return Sent{}, err
	}
	return all[0], nil
}

// AwaitSends blocks until at least n messages that match were sent, and gives them.
func (s *Server) AwaitSends(ctx context.Context, n int, match func(Sent) bool) ([]Sent, error) {
	var got []Sent
	err := s.await(ctx, "a message of the bot", func() bool {
		got = got[:0]
		for _, m := range s.all() {
			if match(m) {
				got = append(got, m)
			}
		}
		return len(got) >= n
	})
	return got, err
}

// AwaitAction blocks until the bot showed an action in a chat.
func (b *Bot) AwaitAction(ctx context.Context, chat int64) error {
	return b.s.await(ctx, "a chat action", func() bool {
		return slices.ContainsFunc(b.actions, func(a Action) bool { return a.Chat == chat })
	})
}
