package echo_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/openclaw/openclaw-supervisor/proto/examples/echo"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel/channeltest"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

func TestContract(t *testing.T) { channeltest.Run(t, subject) }

func subject(tb channeltest.TB) channeltest.Subject {
	dir, err := os.MkdirTemp("", "echo") // tb.TempDir is too long for a socket's path
	if err != nil {
		tb.Fatalf("%v", err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	people := map[channel.AccountID]*client{}
	chat := func(id channel.AccountID) *client {
		if people[id] == nil {
			people[id] = dial(tb, dir+"/"+string(id))
		}
		return people[id]
	}
	return channeltest.Subject{
		Plugin: echo.New("test"), InvalidConfig: []byte(`{"listen":"192.0.2.1:80"}`), InvalidPath: "listen",
		Account: func(id channel.AccountID) json.RawMessage {
			return fmt.Appendf(nil, `{"listen":"unix:%s/%s"}`, dir, id)
		},
		BadAccount: []byte(`{"listen":"unix:/nonexistent/dir/socket"}`),
		Conversation: func(id channel.AccountID) channel.ConversationID {
			chat(id)
			return echo.Conversation
		},
		Deliver: func(id channel.AccountID, text string) { chat(id).say(text) },
		Sent:    func(id channel.AccountID) []string { return chat(id).heard(2) },
	}
}

// client is a person with a terminal.
type client struct {
	tb   channeltest.TB
	conn net.Conn

	mu    sync.Mutex // guards all below
	cond  *sync.Cond
	lines []string
	ended bool
}

func dial(tb channeltest.TB, path string) *client {
	conn, err := net.Dial("unix", path)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	c := &client{tb: tb, conn: conn}
	c.cond = sync.NewCond(&c.mu)
	in := bufio.NewScanner(conn)
	if !in.Scan() || !strings.HasPrefix(in.Text(), "connected") {
		tb.Fatalf("no greeting: %q", in.Text())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for in.Scan() {
			c.mu.Lock()
			c.lines = append(c.lines, in.Text())
			c.cond.Broadcast()
			c.mu.Unlock()
		}
		c.mu.Lock()
		c.ended = true
		c.cond.Broadcast()
		c.mu.Unlock()
	}()
	tb.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return c
}

func (c *client) say(text string) {
	if _, err := fmt.Fprintln(c.conn, text); err != nil {
		c.tb.Fatalf("%v", err)
	}
}

// heard gives the lines that came, once there are n or the connection has ended.
func (c *client) heard(n int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.lines) < n && !c.ended {
		c.cond.Wait()
	}
	return append([]string(nil), c.lines...)
}

func TestSendWithoutReader(t *testing.T) {
	s := subject(t)
	h := channeltest.Start(t, s.Plugin, nil)
	h.StartAccount("default", 1, s.Account("default"))
	h.AwaitPhase("default", plugin.AccountConnected)
	if r := h.Send("default", echo.Conversation, "hello"); r.Outcome != message.NotSent || r.Code != "nobody_connected" {
		t.Errorf("got %+v, want not sent", r)
	}
	s.Conversation("default")
	if r := h.Send("default", "elsewhere", "hello"); r.Outcome != message.Refused {
		t.Errorf("got %+v, want refused", r)
	}
	if r := h.Send("default", echo.Conversation, "two\nlines"); r.Outcome != message.Sent {
		t.Errorf("got %+v, want sent", r)
	}
}
