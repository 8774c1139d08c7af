package channeltest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel/channeltest"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// complaints is a TB that keeps what a suite complains about. It runs the subtests one
// after the other, each in a goroutine that Fatalf ends.
type complaints struct {
	*testing.T
	mu   *sync.Mutex
	said *[]string
	name string
}

func (c complaints) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.said = append(*c.said, c.name+": "+fmt.Sprintf(format, args...))
}

func (c complaints) Errorf(format string, args ...any) { c.say(format, args...) }

func (c complaints) Fatalf(format string, args ...any) {
	c.say(format, args...)
	c.SkipNow()
}

func (c complaints) Run(name string, f func(complaints)) bool {
	return c.T.Run(name, func(t *testing.T) { f(complaints{t, c.mu, c.said, name}) })
}

// local is a scripted channel whose network is the test itself.
type local struct {
	channeltest.Scripted
	mu   sync.Mutex
	line *channel.Line
	sent []string
	n    int
}

func newLocal() *local {
	l := &local{}
	l.StartAccountFunc = func(ctx context.Context, a channel.AccountStart) error {
		line, err := l.Line(ctx)
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.line = line
		l.mu.Unlock()
		ok := channel.Condition{Code: "ok", LastProofMS: 1}
		line.State(channel.AccountState{Account: a.Account, Phase: plugin.AccountConnected, Receive: ok, Send: ok})
		return nil
	}
	l.StopAccountFunc = func(ctx context.Context, id channel.AccountID, _ uint64) error {
		line, err := l.Line(ctx)
		if err == nil {
			line.State(channel.AccountState{Account: id, Phase: plugin.AccountOff})
		}
		return err
	}
	l.SendFunc = func(_ context.Context, m channel.Outbound, _ [][]byte) channel.SendResult {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sent = append(l.sent, m.Text.Plain)
		return channel.SendResult{Outcome: message.Sent, ID: "1"}
	}
	return l
}

func (l *local) deliver(tb channeltest.TB, text string) {
	l.mu.Lock()
	line := l.line
	l.n++
	m := channel.Inbound{Account: "default", EventKey: fmt.Sprint(l.n), ID: "1", Conversation: "c", ChatKind: message.ChatDirect, Sender: channel.Sender{ID: "p"}, Text: text}
	l.mu.Unlock()
	go func() { _, _ = line.Report(tb.Context(), channel.Event{Inbound: &m}) }()
}

func (l *local) subject(tb channeltest.TB) channeltest.Subject {
	return channeltest.Subject{
		Plugin: l, Account: func(channel.AccountID) json.RawMessage { return json.RawMessage("{}") },
		Conversation: func(channel.AccountID) channel.ConversationID { return "c" },
		Deliver:      func(_ channel.AccountID, text string) { l.deliver(tb, text) },
		Sent: func(channel.AccountID) []string {
			l.mu.Lock()
			defer l.mu.Unlock()
			return append([]string(nil), l.sent...)
		},
	}
}

// TestSuiteFindsFaults: a channel that breaks the contract does not pass.
func TestSuiteFindsFaults(t *testing.T) {
	for _, c := range []struct {
		name, subtest string
		spoil         func(*local, *channeltest.Subject)
	}{
		{"an id in capitals", "describe is pure and repeatable", func(l *local, _ *channeltest.Subject) { l.ID = "Local" }},
		{"a description that changes", "describe is pure and repeatable", func(l *local, _ *channeltest.Subject) {
			n := 0
			l.DescribeFunc = func() channel.Description {
				n++
				return channel.Description{ID: "local", Version: fmt.Sprint(n), ConfigSchema: []byte(`{"a":1}`)}
			}
		}},
		{"invalid settings that are taken", "configure names the path of what it refuses", func(_ *local, s *channeltest.Subject) {
			s.InvalidConfig, s.InvalidPath = []byte(`{"x":1}`), "x"
		}},
		{"a send that is not made", "a send is sent", func(l *local, _ *channeltest.Subject) {
			l.SendFunc = func(context.Context, channel.Outbound, [][]byte) channel.SendResult {
				return channel.SendResult{Outcome: message.Sent, ID: "1"}
			}
		}},
		{"a refusal that is called sent", "a refusal is refused", func(_ *local, s *channeltest.Subject) { s.Refuse = func() {} }},
		{"a stopped account that sends", "an account that does not run sends nothing", func(*local, *channeltest.Subject) {}},
		{"a message that is confirmed at once", "a message is confirmed only after it is stored", func(_ *local, s *channeltest.Subject) {
			s.Confirmed = func(channel.AccountID) int { return 1 }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			var said []string
			channeltest.Run(complaints{t, &mu, &said, ""}, func(tb channeltest.TB) channeltest.Subject {
				if name := tb.(complaints).name; name != c.subtest {
					tb.Skipf("not this one")
				}
				l := newLocal()
				s := l.subject(tb)
				c.spoil(l, &s)
				return s
			})
			if len(said) == 0 || !strings.HasPrefix(said[0], c.subtest) {
				t.Errorf("the suite complains of %q, want something about %q", said, c.subtest)
			}
		})
	}
}

// TestScriptedTakesFiles: the files of a send arrive whole and in order.
func TestScriptedTakesFiles(t *testing.T) {
	l := newLocal()
	var got []string
	l.SendFunc = func(_ context.Context, _ channel.Outbound, files [][]byte) channel.SendResult {
		for _, f := range files {
			got = append(got, string(f))
		}
		return channel.SendResult{Outcome: message.Sent, ID: "7"}
	}
	h := channeltest.Start(t, l, nil)
	ctx, cancel := h.Context()
	defer cancel()
	big := strings.Repeat("x", 200_000)
	r := h.Channel.Send(ctx, channel.Outbound{Account: "default", Media: []channel.MediaMeta{{Size: 200_000}, {Size: 3}}}, []channel.MediaFile{file(big), file("two")})
	if r.Outcome != message.Sent || r.ID != "7" || len(got) != 2 || got[0] != big || got[1] != "two" {
		t.Errorf("got %+v with %d files", r, len(got))
	}
}

func file(body string) channel.MediaFile {
	return channel.MediaFile{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }}
}
