package telegram

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Break says where a connection is cut.
type Break int

// The places.
const (
	NoBreak Break = iota
	// BreakBefore cuts before anything was done: the request is not accepted.
	BreakBefore
	// BreakAfter accepts the request and cuts before a byte of the answer.
	BreakAfter
	// BreakWithin accepts the request and cuts in the middle of the answer.
	BreakWithin
)

// Fault is something that goes wrong. Set the fields, then Inject it. The steps are
// taken in the order of the fields.
type Fault struct {
	// Method it applies to; empty = all.
	Method string
	// Match narrows it to some requests; nil = all of the method. It must not call the Server.
	Match func(Params) bool
	// Times it happens; 0 = until Remove.
	Times int
	// Hold keeps the request open until Release, or until the bot hangs up.
	Hold bool
	// Delay before the request is looked at.
	Delay time.Duration
	// Status answers with an error instead of doing anything; Description is its text and
	// RetryAfter (seconds) its parameter.
	Status      int
	Description string
	RetryAfter  int
	// RawBody, with Status, is sent instead of the Bot API's JSON, as a proxy would.
	RawBody string
	// Swallow accepts a message and shows it to nobody: Sent does not list it.
	Swallow bool
	// HoldAnswer keeps the answer back, once the request is accepted, until Release.
	HoldAnswer bool
	// Break cuts the connection.
	Break Break

	s        *Server
	hits     int
	release  chan struct{}
	released sync.Once
}

// Inject makes a fault happen from now on. Of several that fit, the one that was
// injected first does.
func (s *Server) Inject(f *Fault) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.s, f.release = s, make(chan struct{})
	s.faults = append(s.faults, f)
	return f
}

// Remove ends a fault and lets go what it holds.
func (f *Fault) Remove() {
	f.s.mu.Lock()
	f.s.faults = slices.DeleteFunc(f.s.faults, func(o *Fault) bool { return o == f })
	f.s.mu.Unlock()
	f.Release()
}

// Release lets go every request that the fault holds, now and later.
func (f *Fault) Release() { f.released.Do(func() { close(f.release) }) }

// Hits tells how often it happened.
func (f *Fault) Hits() int {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.hits
}

// Await blocks until it happened n times.
func (f *Fault) Await(ctx context.Context, n int) error {
	return f.s.await(ctx, "a fault", func() bool { return f.hits >= n })
}

// fault picks the fault of a request; nil = none. Called with mu held.
func (s *Server) fault(method string, p Params) *Fault {
	for _, f := range s.faults {
		if f.Method != "" && f.Method != method || f.Times > 0 && f.hits >= f.Times || f.Match != nil && !f.Match(p) {
			continue
		}
		f.hits++
		s.wake()
		return f
	}
	return nil
}

// wait holds a request; false = the bot has hung up.
func (f *Fault) wait(r *http.Request) bool {
	select {
	case <-f.release:
		return true
	case <-r.Context().Done():
		return false
	}
}

func pause(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// cut resets the connection of a request; part, if any, is written first.
func cut(w http.ResponseWriter, part []byte) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	c, buf, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if len(part) > 0 {
		_, _ = buf.Write(part)
		_ = buf.Flush()
		_ = c.Close() // an orderly end, so that the part arrives
		return
	}
	reset(c)
}
