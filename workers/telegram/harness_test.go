package telegram_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel/channeltest"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	fake "github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
	"github.com/openclaw/openclaw-supervisor/workers/telegram"
)

// env is one worker with one account on one fake network.
type env struct {
	*channeltest.Host
	net *fake.Server
	bot *fake.Bot
	ctx context.Context
}

// unconnected starts worker and network, and no account.
func unconnected(t *testing.T, o telegram.Options) *env {
	t.Helper()
	s := &fake.Server{}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(t.Context(), channeltest.Patience)
	t.Cleanup(cancel)
	b := s.Bot(fake.Token)
	b.AddChat(fake.Chat{ID: person.ID})
	return &env{Host: channeltest.Start(t, telegram.New(o), nil), net: s, bot: b, ctx: ctx}
}

// connected starts the account, too.
func connected(t *testing.T) *env {
	t.Helper()
	e := unconnected(t, fast())
	e.StartAccount("default", 1, settings(e.net, "default"))
	e.AwaitPhase("default", plugin.AccountConnected)
	return e
}

// next waits for the n-th event, from 1, and gives it.
func (e *env) next(n int) channel.Event { return e.AwaitEvents(n)[n-1].Event }

// send sends to the person, or to where m says.
func (e *env) send(m channel.Outbound, files ...channel.MediaFile) channel.SendResult {
	m.Account, m.Delivery, m.Attempt = "default", "d1", 1
	if m.Conversation == "" {
		m.Conversation = "42"
	}
	for _, f := range files {
		m.Media = append(m.Media, f.Meta)
	}
	return e.Channel.Send(e.ctx, m, files)
}

// logs collects what is logged while a test runs. Such tests are not parallel.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func captureLogs(t *testing.T, level slog.Level) *logs {
	l, old := &logs{}, slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: level})))
	t.Cleanup(func() { slog.SetDefault(old) })
	return l
}

// withoutToken fails when a text holds a token.
func withoutToken(t *testing.T, where, text string) {
	t.Helper()
	if strings.Contains(text, fake.Token) || strings.Contains(text, strings.SplitN(fake.Token, ":", 2)[1]) {
		t.Errorf("%s holds the token: %s", where, text)
	}
}

// now is the date of a fresh message.
func now() int64 { return time.Now().Unix() }
