package telegram_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel/channeltest"
	fake "github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
	"github.com/openclaw/openclaw-supervisor/workers/telegram"
)

// TestContract runs the suite that every channel passes.
func TestContract(t *testing.T) { channeltest.Run(t, subject) }

// person is who writes to the bots of the tests.
var person = fake.User{ID: 42, FirstName: "Ada", LastName: "L", Username: "ada"}

// tokens of the accounts: each is a bot of its own.
func token(id channel.AccountID) string {
	if id == "default" {
		return fake.Token
	}
	return fake.TokenOf(2)
}

// fast are options with short waits.
func fast() telegram.Options {
	return telegram.Options{
		Version: "test", PollTimeout: time.Second, PollMargin: 2 * time.Second, FirstDelay: 5 * time.Millisecond, MaxDelay: 20 * time.Millisecond,
		AlbumWait: 30 * time.Millisecond, FragmentWait: 30 * time.Millisecond,
	}
}

func settings(s *fake.Server, id channel.AccountID) json.RawMessage {
	return fmt.Appendf(nil, `{"apiRoot":%q,"botToken":%q}`, s.URL(), token(id))
}

func subject(tb channeltest.TB) channeltest.Subject {
	s := &fake.Server{}
	if err := s.Start(); err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(s.Close)
	once := func(f *fake.Fault) func() {
		f.Method, f.Times = "sendMessage", 1
		return func() { s.Inject(f) }
	}
	for _, id := range []channel.AccountID{"default", "second"} {
		s.Bot(token(id)).AddChat(fake.Chat{ID: person.ID})
	}
	posted := map[channel.AccountID][]fake.Posted{}
	return channeltest.Subject{
		Plugin: telegram.New(fast()), InvalidConfig: []byte(`{"apiRoot":"not a url"}`), InvalidPath: "apiRoot",
		Account: func(id channel.AccountID) json.RawMessage { return settings(s, id) }, BadAccount: []byte(`{"botToken":"123:abc"}`),
		Conversation: func(channel.AccountID) channel.ConversationID { return "42" },
		Deliver: func(id channel.AccountID, text string) {
			posted[id] = append(posted[id], s.Bot(token(id)).Say(person.ID, person, text))
		},
		Confirmed: func(id channel.AccountID) (n int) {
			for _, p := range posted[id] {
				if s.Bot(token(id)).Confirmed(p.UpdateID) {
					n++
				}
			}
			return n
		},
		Redelivers: true,
		Sent: func(id channel.AccountID) (texts []string) {
			for _, m := range s.Bot(token(id)).Sent() {
				texts = append(texts, m.Text)
			}
			return texts
		},
		Refuse: once(&fake.Fault{Status: 403, Description: "Forbidden: bot was blocked by the user"}),
		Reject: once(&fake.Fault{Status: 429, RetryAfter: 1, Description: "Too Many Requests"}), LoseAnswer: once(&fake.Fault{Break: fake.BreakAfter}),
		Hold: func() (<-chan struct{}, func()) {
			f := s.Inject(&fake.Fault{Method: "sendMessage", Times: 1, Hold: true})
			held := make(chan struct{})
			go func() {
				defer close(held)
				_ = f.Await(tb.Context(), 1)
			}()
			return held, f.Release
		},
	}
}
