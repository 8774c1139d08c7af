package echo

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// maxLine is the longest line in bytes.
const maxLine = 64 << 10

// writeTimeout is how long a reader may be slow before its connection is dropped.
const writeTimeout = 5 * time.Second

// account is one listener and its connections.
type account struct {
	id       channel.AccountID
	revision uint64
	line     *channel.Line
	// run makes keys unique over restarts: lines are never given twice.
	run string

	cancel context.CancelFunc // ends what start began
	wg     sync.WaitGroup

	mu       sync.Mutex // guards all below
	listener net.Listener
	conns    map[net.Conn]bool
	stopped  bool
	received int
	sent     int
}

func newAccount(id channel.AccountID, revision uint64, line *channel.Line) *account {
	return &account{id: id, revision: revision, line: line, run: rand.Text()[:8], cancel: func() {}, conns: map[net.Conn]bool{}}
}

// start listens; that it cannot is a state and not an error, as for every network.
func (a *account) start(network, address string) {
	now := time.Now().UnixMilli()
	var lc net.ListenConfig
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	l, err := lc.Listen(ctx, network, address)
	if err != nil {
		slog.Warn("cannot listen", "account", string(a.id), "error", err)
		a.line.State(channel.AccountState{
			Account: a.id, Phase: plugin.AccountTerminal, Code: "cannot_listen", Text: err.Error(), Action: "choose another address for listen",
		})
		return
	}
	a.listener = l
	ok := channel.Condition{Code: "ok", SinceMS: now, LastProofMS: now}
	a.line.State(channel.AccountState{Account: a.id, Phase: plugin.AccountConnected, Receive: ok, Send: ok})
	a.wg.Go(func() { a.accept(ctx, l) })
}

// stop ends all that start began; nothing is reported afterwards but "off".
func (a *account) stop() {
	a.cancel()
	a.mu.Lock()
	a.stopped = true
	if a.listener != nil {
		_ = a.listener.Close()
	}
	for c := range a.conns {
		_ = c.Close()
	}
	a.mu.Unlock()
	a.wg.Wait()
	a.line.State(channel.AccountState{Account: a.id, Phase: plugin.AccountOff})
}

func (a *account) accept(ctx context.Context, l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed by stop
		}
		if !a.add(c) {
			return
		}
		a.wg.Go(func() {
			a.read(ctx, c)
			a.remove(c)
		})
	}
}

func (a *account) add(c net.Conn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		_ = c.Close()
		return false
	}
	a.conns[c] = true
	_, _ = fmt.Fprintln(c, "connected: write a line")
	return true
}

func (a *account) remove(c net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.conns, c)
	_ = c.Close()
}

// read reports line after line. The next line is read only once this one is stored:
// that is all the back-pressure there is to build.
func (a *account) read(ctx context.Context, c net.Conn) {
	lines := bufio.NewScanner(c)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		text := strings.TrimRight(strings.ToValidUTF8(lines.Text(), "\uFFFD"), "\r")
		if strings.TrimSpace(text) == "" {
			continue
		}
		ack, err := a.line.Inbound(ctx, a.inbound(text))
		if err != nil {
			return // stopped, or the supervisor is gone
		}
		if ack.Code == plugin.RefusedEvent {
			slog.Warn("a line was refused", "account", string(a.id), "reason", ack.Reason)
		}
	}
}

func (a *account) inbound(text string) channel.Inbound {
	a.mu.Lock()
	a.received++
	n := a.received
	a.mu.Unlock()
	id := fmt.Sprintf("%s-%d", a.run, n)
	return channel.Inbound{
		Account: a.id, EventKey: "line:" + id, ID: channel.MessageID(id), Conversation: Conversation, ChatKind: message.ChatDirect,
		Sender: channel.Sender{ID: "local", Name: "You"}, Text: text, NetworkTimeMS: time.Now().UnixMilli(),
	}
}

// write puts one line on every connection. It is sent when at least one took it.
func (a *account) write(text string) channel.SendResult {
	out := strings.ReplaceAll(text, "\n", `\n`) + "\n"
	a.mu.Lock()
	defer a.mu.Unlock()
	taken, doubtful := 0, false
	for c := range a.conns {
		_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
		n, err := c.Write([]byte(out))
		if err != nil {
			doubtful = doubtful || n > 0
			_ = c.Close()
			continue
		}
		taken++
	}
	switch {
	case taken > 0:
		a.sent++
		return channel.SendResult{Outcome: message.Sent, ID: channel.MessageID(fmt.Sprintf("%s-out-%d", a.run, a.sent))}
	case doubtful:
		return channel.SendResult{Outcome: message.Unknown, Code: "cut", Text: "the connection broke within the line"}
	}
	return channel.SendResult{Outcome: message.NotSent, Code: "nobody_connected", Text: "nobody is connected"}
}
