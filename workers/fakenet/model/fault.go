package model

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
)

// Fault is something that goes wrong. Set the fields, then Inject it.
type Fault struct {
	// Match narrows it to some requests; nil = all. It must not call the Server.
	Match func(Request) bool
	// Times it happens; 0 = until Remove.
	Times int
	// Status answers with an HTTP error; RetryAfter (seconds) is its header.
	Status     int
	RetryAfter int
	// Hold keeps the request open, before a byte of the answer, until Release.
	Hold bool
	// StallAfter stops in the stream after so many bytes, until Release; 0 = never.
	StallAfter int
	// CutAfter cuts the connection after so many bytes of the body; 0 = never, -1 = before the first.
	CutAfter int

	s        *Server
	hits     int
	release  chan struct{}
	released sync.Once
}

// Inject makes a fault happen from now on; of several that fit the first does.
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
	for {
		f.s.mu.Lock()
		if f.hits >= n {
			f.s.mu.Unlock()
			return nil
		}
		ch := f.s.change()
		f.s.mu.Unlock()
		select {
		case <-ch:
		case <-ctx.Done():
			return fmt.Errorf("fake model: await fault: %w", ctx.Err())
		}
	}
}

// fault picks the fault of a request; nil = none. Called with mu held.
func (s *Server) fault(r Request) *Fault {
	for _, f := range s.faults {
		if f.Times > 0 && f.hits >= f.Times || f.Match != nil && !f.Match(r) {
			continue
		}
		f.hits++
		s.wake()
		return f
	}
	return nil
}

func (f *Fault) wait(r *http.Request) bool {
	select {
	case <-f.release:
		return true
	case <-r.Context().Done():
		return false
	}
}

// faultyWriter counts the body's bytes and stalls or cuts where a fault says so.
type faultyWriter struct {
	http.ResponseWriter
	r *http.Request
	f *Fault
	n int
}

// Write passes on what comes before the fault's place.
func (w *faultyWriter) Write(p []byte) (int, error) {
	written := 0
	for _, c := range []struct {
		at  int
		act func()
	}{
		{w.f.StallAfter, func() { w.flush(); w.f.wait(w.r) }},
		{w.f.CutAfter, func() { w.flush(); panic(http.ErrAbortHandler) }},
	} {
		if rest := p[written:]; c.at != 0 && w.n <= max(c.at, 0) && w.n+len(rest) > max(c.at, 0) {
			head := rest[:max(c.at, 0)-w.n]
			n, err := w.ResponseWriter.Write(head)
			w.n += n
			written += n
			if err != nil {
				return written, err
			}
			c.act()
		}
	}
	n, err := w.ResponseWriter.Write(p[written:])
	w.n += n
	return written + n, err
}

func (w *faultyWriter) flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Flush implements http.Flusher.
func (w *faultyWriter) Flush() { w.flush() }
