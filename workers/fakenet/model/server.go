// Package model is a fake model provider for tests: OpenAI Chat Completions
// (/v1/chat/completions, streamed or not), the streamed Anthropic Messages API
// (/v1/messages), and the list of models (/v1/models).
//
// The zero Server is usable. What it answers is chosen by the last user message (see
// Script), or by the Answer hook. Every request is recorded, so that a test can tell
// whether anything was paid twice. All methods are safe for concurrent use.
package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Server is the fake. Exported fields are set before Start.
type Server struct {
	// Addr to listen on; empty = a free port of 127.0.0.1.
	Addr string
	// Key, if set, is the only API key that is accepted; others get 401.
	Key string
	// Gap is the pause between two parts of an answer; 0 = none.
	Gap time.Duration
	// Answer, if set, chooses the answer; with ok false the Script does.
	Answer func(Request) (a Answer, ok bool)

	http   *http.Server
	addr   net.Addr
	served chan struct{}

	mu       sync.Mutex // guards all below
	changed  chan struct{}
	requests []Request
	faults   []*Fault
	closed   bool
}

// Request is one call of the provider.
type Request struct {
	// N counts from 1.
	N int
	// API is "openai" or "anthropic".
	API      string
	Model    string
	Stream   bool
	System   string
	Messages []Message
	// Tools are the names of those that were offered.
	Tools []string
	Key   string
	At    time.Time
	// Body is the request as it came, and Header what it came with.
	Body   json.RawMessage
	Header http.Header
	// Finished tells that the whole answer was written.
	Finished bool
}

// Message is one of a request's messages, without its form on the wire.
type Message struct {
	Role string
	Text string
	// ToolResult tells that Text is what a tool returned.
	ToolResult bool
	// ToolCalls are the names of the tools that an assistant message calls.
	ToolCalls []string
	// Images counts the pictures, those in a tool's result included.
	Images int
}

// LastUser is the text of the last user message.
func (r Request) LastUser() string {
	for _, m := range slices.Backward(r.Messages) {
		if m.Role == "user" && !m.ToolResult {
			return m.Text
		}
	}
	return ""
}

// Users counts the user messages.
func (r Request) Users() int {
	n := 0
	for _, m := range r.Messages {
		if m.Role == "user" && !m.ToolResult {
			n++
		}
	}
	return n
}

// ToolResult is what the tools returned after the last user message; ok is false where none did.
func (r Request) ToolResult() (text string, ok bool) {
	if n := len(r.Messages); n > 0 && r.Messages[n-1].ToolResult {
		return r.Messages[n-1].Text, true
	}
	return "", false
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
		return fmt.Errorf("fake model: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.serve("openai", readOpenAI, writeOpenAI))
	mux.HandleFunc("POST /v1/messages", s.serve("anthropic", readAnthropic, writeAnthropic))
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, object{"object": "list", "data": []any{object{"id": "fake", "object": "model", "created": 1, "owned_by": "test"}}})
	})
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	s.addr, s.served = l.Addr(), make(chan struct{})
	go func() {
		defer close(s.served)
		_ = s.http.Serve(l)
	}()
	return nil
}

// URL is the base URL to give to a client, with /v1.
func (s *Server) URL() string { return "http://" + s.addr.String() + "/v1" }

// Root is the server's URL without /v1, as Anthropic's clients want it.
func (s *Server) Root() string { return "http://" + s.addr.String() }

// Close ends all connections and waits until nothing is served any more.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.wake()
	s.mu.Unlock()
	if s.http == nil {
		return
	}
	_ = s.http.Close()
	<-s.served
}

// Requests lists all calls so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Calls counts the calls whose last user message is text: more than one for an
// answer without tools means that it was asked for again.
func (s *Server) Calls(match func(Request) bool) int {
	n := 0
	for _, r := range s.Requests() {
		if match(r) {
			n++
		}
	}
	return n
}

// AwaitCall blocks until a call that matches has come.
func (s *Server) AwaitCall(ctx context.Context, match func(Request) bool) (Request, error) {
	for {
		s.mu.Lock()
		i := slices.IndexFunc(s.requests, match)
		if i >= 0 {
			r := s.requests[i]
			s.mu.Unlock()
			return r, nil
		}
		if s.closed {
			s.mu.Unlock()
			return Request{}, errors.New("fake model: closed")
		}
		ch := s.change()
		s.mu.Unlock()
		select {
		case <-ch:
		case <-ctx.Done():
			return Request{}, fmt.Errorf("fake model: await call: %w", ctx.Err())
		}
	}
}

// wake is called with mu held.
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

type object = map[string]any

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
