package event

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// sink collects what a queue writes; while gate is held, writing blocks.
type sink struct {
	wg   sync.WaitGroup
	gate gate

	mu     sync.Mutex
	frames []string
	failed []error
	err    error
}

// gate stops writers while it is shut. It blocks on a channel, which the test
// bubble understands.
type gate struct {
	mu   sync.Mutex
	shut chan struct{}
}

func (g *gate) Lock() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = make(chan struct{})
}

func (g *gate) Unlock() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.shut)
	g.shut = nil
}

func (g *gate) pass() {
	g.mu.Lock()
	c := g.shut
	g.mu.Unlock()
	if c != nil {
		<-c
	}
}

func (s *sink) config(limit int) QueueConfig {
	return QueueConfig{
		MaxBytes: limit,
		Spawn:    s.wg.Go,
		Write: func(b []byte) error {
			s.gate.pass()
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.err != nil {
				return s.err
			}
			s.frames = append(s.frames, string(b))
			return nil
		},
		Fail: func(err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.failed = append(s.failed, err)
		},
	}
}

func (s *sink) got() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.frames, " ")
}

func frame(s string) Frame { return Frame{Bytes: []byte(s)} }

func TestQueueHoldsBackUntilOpen(t *testing.T) {
	var s sink
	q := NewQueue(s.config(100))
	q.Send(frame("b"))
	q.SendHere(frame("c"))
	s.wg.Wait()
	if s.got() != "" {
		t.Fatalf("wrote %q before Open", s.got())
	}
	q.Open(frame("a"))
	s.wg.Wait()
	if s.got() != "a b c" {
		t.Errorf("got %q, want a b c", s.got())
	}
}

func TestQueueOverflowFailsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s sink
		q := NewQueue(s.config(10))
		q.Open(frame("first"))
		s.wg.Wait()
		s.gate.Lock()
		recycled := 0
		f := Frame{Bytes: []byte("123456"), Recycle: func([]byte) { recycled++ }}
		if err := q.Send(f); err != nil {
			t.Fatal(err)
		}
		if err := q.Send(f); !errors.Is(err, ErrOverflow) {
			t.Fatalf("got %v, want overflow", err)
		}
		if err := q.Send(f); !errors.Is(err, ErrClosed) {
			t.Fatalf("got %v, want closed", err)
		}
		s.gate.Unlock()
		s.wg.Wait()
		if len(s.failed) != 1 || !errors.Is(s.failed[0], ErrOverflow) {
			t.Errorf("failed with %v", s.failed)
		}
		if recycled != 3 {
			t.Errorf("%d of 3 frames were recycled", recycled)
		}
	})
}

func TestQueueTakesOneLargeFrame(t *testing.T) {
	var s sink
	q := NewQueue(s.config(4))
	q.Open(frame("larger than the bound"))
	s.wg.Wait()
	if s.got() != "larger than the bound" || len(s.failed) != 0 {
		t.Errorf("got %q, failed %v", s.got(), s.failed)
	}
}

func TestQueueFinishWritesTheRest(t *testing.T) {
	var s sink
	q := NewQueue(s.config(100))
	q.Open(frame("a"))
	s.wg.Wait()
	s.gate.Lock()
	q.Send(frame("b"))
	q.Send(frame("c"))
	done := make(chan string, 2)
	q.Finish(func() { done <- s.got() })
	if err := q.Send(frame("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want closed", err)
	}
	s.gate.Unlock()
	if got := <-done; got != "a b c" {
		t.Errorf("at the end got %q", got)
	}
	s.wg.Wait()
}

func TestQueueFailsWithItsWriter(t *testing.T) {
	broken := errors.New("broken")
	s := sink{err: broken}
	q := NewQueue(s.config(100))
	q.Open(frame("a"))
	s.wg.Wait()
	if len(s.failed) != 1 || !errors.Is(s.failed[0], broken) {
		t.Errorf("failed with %v", s.failed)
	}
	if err := q.Send(frame("b")); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want closed", err)
	}
}

func TestQueueKeepsOrderOfManySenders(t *testing.T) {
	var s sink
	q := NewQueue(s.config(1 << 20))
	q.Open(frame("start"))
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for range 200 {
				q.SendHere(frame("x"))
				q.Send(frame("y"))
			}
		})
	}
	senders.Wait()
	s.wg.Wait()
	if n := len(s.frames); n != 1+8*400 {
		t.Errorf("%d frames were written", n)
	}
}
