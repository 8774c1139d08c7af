// Package telegram is a fake Bot API server for tests: the far side of a Telegram
// bot's socket, with knobs.
//
// The zero Server is usable: Start it, give a bot its URL as API root and any
// well-formed token. Every token is a bot of its own. A test speaks as people do
// (Say, Push), watches what the bots sent (Sent, AwaitSend), and injects faults (Inject).
// It keeps the real server's rules that matter to delivery: updates are handed out
// again until a higher offset confirms them, a second poller ends the first, and
// texts, threads, replies and HTML are checked.
//
// All methods are safe for concurrent use. The server never retries, never forgets,
// and knows nothing of this product.
package telegram

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"
)

// Token is a well-formed token for tests with one bot.
const Token = "100000001:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// TokenOf gives the well-formed token of the n-th bot of a test; TokenOf(1) is Token.
func TokenOf(n int) string {
	return fmt.Sprintf("%d:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 100000000+n)
}

var tokenForm = regexp.MustCompile(`^(\d+):[\w-]{35}$`)

// Server is the fake. Exported fields are set before Start.
type Server struct {
	// Addr to listen on; empty = a free port of 127.0.0.1.
	Addr string
	// Tokens, if any, are the only ones that are known; others get 401.
	Tokens []string
	// PollCap bounds how long a getUpdates is held, whatever the bot asks; 0 = as asked.
	PollCap time.Duration

	http     *http.Server
	listener net.Listener
	served   chan struct{}

	mu      sync.Mutex // guards all below
	changed chan struct{}
	bots    map[string]*Bot
	order   []*Bot
	revoked map[string]bool
	faults  []*Fault
	counts  map[string]int
	files   map[string]file
	conns   map[net.Conn]bool
	closed  bool
}

// Start listens and serves until Close.
func (s *Server) Start() error {
	addr := s.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("fake telegram: %w", err)
	}
	s.mu.Lock()
	s.listener, s.served = l, make(chan struct{})
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ConnState: s.track}
	s.closed = false
	srv, served := s.http, s.served
	s.mu.Unlock()
	go func() {
		defer close(served)
		_ = srv.Serve(l)
	}()
	return nil
}

// URL is the API root to give to a bot.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String()
}

// Close ends all connections and waits until nothing is served any more.
func (s *Server) Close() {
	s.mu.Lock()
	srv, served := s.http, s.served
	s.closed = true
	s.wake()
	s.mu.Unlock()
	if srv == nil {
		return
	}
	_ = srv.Close()
	<-served
}

// Stop closes the port, so that connections are refused, and cuts those that are
// open. What is queued stays; Restart opens the same port again.
func (s *Server) Stop() {
	addr := s.listenerAddr()
	s.Close()
	s.Addr = addr
}

// Restart opens the port that Stop closed.
func (s *Server) Restart() error { return s.Start() }

func (s *Server) listenerAddr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return s.Addr
	}
	return s.listener.Addr().String()
}

// CutAll resets every open connection, as a network that changes does.
func (s *Server) CutAll() {
	s.mu.Lock()
	conns := make([]net.Conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		reset(c)
	}
}

func (s *Server) track(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		s.conns = map[net.Conn]bool{}
	}
	switch state {
	case http.StateNew:
		s.conns[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(s.conns, c)
	}
}

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// Bot gives the bot behind a token, made on first use.
func (s *Server) Bot(token string) *Bot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bot(token)
}

// bot is called with mu held.
func (s *Server) bot(token string) *Bot {
	if b := s.bots[token]; b != nil {
		return b
	}
	if s.bots == nil {
		s.bots = map[string]*Bot{}
	}
	b := newBot(s, token)
	s.bots[token] = b
	s.order = append(s.order, b)
	return b
}

// known is called with mu held.
func (s *Server) known(token string) bool {
	if !tokenForm.MatchString(token) || s.revoked[token] {
		return false
	}
	return len(s.Tokens) == 0 || slices.Contains(s.Tokens, token)
}

// Revoke makes a token invalid, as BotFather does: 401 from now on, polls included.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revoked == nil {
		s.revoked = map[string]bool{}
	}
	s.revoked[token] = true
	s.wake()
}

// Count tells how often a method was called, faults included.
func (s *Server) Count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[method]
}

// wake is called with mu held: something that a poll or an await looks at has changed.
func (s *Server) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// change is called with mu held.
func (s *Server) change() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

var errClosed = errors.New("fake telegram: closed")

// await blocks until cond holds, which is asked with mu held.
func (s *Server) await(ctx context.Context, what string, cond func() bool) error {
	for {
		s.mu.Lock()
		if cond() {
			s.mu.Unlock()
			return nil
		}
		if s.closed {
			s.mu.Unlock()
			return fmt.Errorf("await %s: %w", what, errClosed)
		}
		ch := s.change()
		s.mu.Unlock()
		select {
		case <-ch:
		case <-ctx.Done():
			return fmt.Errorf("fake telegram: await %s: %w", what, ctx.Err())
		}
	}
}
