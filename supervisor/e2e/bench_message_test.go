package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

// messageWarmUp messages come before the messageRounds that are counted. One begins every
// messageEvery: the Telegram worker keeps a distance between what it sends, which is its
// manners and not its speed, so that messages that come closer would measure that.
const (
	messageChats  = 5
	messageWarmUp = 4 * messageChats
	messageRounds = 200
	messageEvery  = 75 * time.Millisecond
)

// message measures a Telegram message, from the moment the network has it for the worker,
// until the answer's sendMessage has reached the network; and until the worker confirms
// the update, which it may do only once the message is stored. The model takes no time.
func (d *board) message(b *testing.B) {
	e := installation(b)
	tap := tapTelegram(e.Telegram)
	defer tap.remove()
	e.Start()
	ctx, cancel := context.WithTimeout(b.Context(), 2*time.Minute)
	defer cancel()
	begin := time.NewTicker(messageEvery)
	defer begin.Stop()
	var answered, stored spans
	for i := range messageWarmUp + messageRounds {
		<-begin.C
		chat := int64(900 + i%messageChats)
		text := fmt.Sprintf("answer %d", i)
		began := time.Now()
		posted := e.Say(chat, "say: "+text) // a poll is held, which this ends
		if _, err := e.Telegram.AwaitSend(ctx, telegram.Saying(chat, text)); err != nil {
			b.Fatal(err)
		}
		if err := e.Telegram.Bot(telegram.Token).AwaitConfirmed(ctx, posted.UpdateID); err != nil {
			b.Fatal(err)
		}
		sent, confirmed := tap.of(chat, text, posted.UpdateID)
		if sent.IsZero() || confirmed.IsZero() {
			b.Fatalf("message %d: sendMessage came at %v, the confirming poll at %v", i, sent, confirmed)
		}
		if i >= messageWarmUp {
			answered = append(answered, sent.Sub(began))
			stored = append(stored, confirmed.Sub(began))
		}
	}
	d.spans(b, "telegram message in to answer out", answered, time.Millisecond, goal{8, 3}, goal{})
	d.spans(b, "telegram message in to stored and confirmed", stored, time.Millisecond, goal{3, 1}, goal{})
	e.Stop()
}

// telegramTap notes when requests reach the network.
type telegramTap struct {
	faults []*telegram.Fault

	mu    sync.Mutex
	sent  map[string]time.Time // by chat and text: the first sendMessage
	polls []confirmingPoll     // whose offset was higher than any before
}

// confirmingPoll is the first getUpdates that confirmed all updates below an offset.
type confirmingPoll struct {
	offset int64
	at     time.Time
}

// tapTelegram listens in by faults that look at each request and never happen.
func tapTelegram(s *telegram.Server) *telegramTap {
	tap := &telegramTap{sent: map[string]time.Time{}}
	for method, note := range map[string]func(telegram.Params, time.Time){"sendMessage": tap.noteSend, "getUpdates": tap.notePoll} {
		tap.faults = append(tap.faults, s.Inject(&telegram.Fault{Method: method, Match: func(p telegram.Params) bool {
			now := time.Now()
			tap.mu.Lock()
			defer tap.mu.Unlock()
			note(p, now)
			return false
		}}))
	}
	return tap
}

func (t *telegramTap) noteSend(p telegram.Params, now time.Time) {
	key := p.String("chat_id") + " " + p.String("text")
	if _, again := t.sent[key]; !again {
		t.sent[key] = now
	}
}

func (t *telegramTap) notePoll(p telegram.Params, now time.Time) {
	offset := p.Int("offset")
	if len(t.polls) == 0 || offset > t.polls[len(t.polls)-1].offset {
		t.polls = append(t.polls, confirmingPoll{offset: offset, at: now})
	}
}

// of gives when a message was sent, and when an update was confirmed; zero = not seen.
func (t *telegramTap) of(chat int64, text string, update int64) (sent, confirmed time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.polls {
		if p.offset > update {
			confirmed = p.at
			break
		}
	}
	return t.sent[fmt.Sprintf("%d %s", chat, text)], confirmed
}

func (t *telegramTap) remove() {
	for _, f := range t.faults {
		f.Remove()
	}
}
