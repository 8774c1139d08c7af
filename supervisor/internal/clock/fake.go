package clock

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Fake is a clock that a test moves. Timers fire inside Advance, in the order of
// their times.
type Fake struct {
	mu      sync.Mutex // guards all below
	now     time.Time
	timers  []*fakeTimer // those that are set
	changed chan struct{}
}

var _ Clock = (*Fake)(nil)

// NewFake starts a Fake at start.
func NewFake(start time.Time) *Fake {
	return &Fake{now: start, changed: make(chan struct{})}
}

// Now is where the test moved the clock to.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// NewTimer makes a timer that fires when Advance passes its time.
func (f *Fake) NewTimer(d time.Duration) Timer {
	t := &fakeTimer{clock: f, c: make(chan time.Time, 1)}
	t.Reset(d)
	return t
}

// Advance moves the clock by d and fires every timer that falls due on the way.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	end := f.now.Add(d)
	for {
		var next *fakeTimer
		for _, t := range f.timers {
			if !t.at.After(end) && (next == nil || t.at.Before(next.at)) {
				next = t
			}
		}
		if next == nil {
			break
		}
		if next.at.After(f.now) {
			f.now = next.at
		}
		f.remove(next)
		next.c <- f.now
	}
	f.now = end
}

// AwaitTimers blocks until at least n timers are set, so that a test can be sure that
// the code under test waits before it moves the clock. The error is that of ctx.
func (f *Fake) AwaitTimers(ctx context.Context, n int) error {
	for {
		f.mu.Lock()
		set, changed := len(f.timers), f.changed
		f.mu.Unlock()
		if set >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// remove is called with mu held; it reports whether t was set.
func (f *Fake) remove(t *fakeTimer) bool {
	i := slices.Index(f.timers, t)
	if i < 0 {
		return false
	}
	f.timers = slices.Delete(f.timers, i, i+1)
	f.tell()
	return true
}

// tell is called with mu held.
func (f *Fake) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

type fakeTimer struct {
	clock *Fake
	at    time.Time // guarded by clock.mu
	c     chan time.Time
}

func (t *fakeTimer) C() <-chan time.Time { return t.c }

func (t *fakeTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	return t.stop()
}

// stop is called with the clock's mu held.
func (t *fakeTimer) stop() bool {
	was := t.clock.remove(t)
	select {
	case <-t.c:
	default:
	}
	return was
}

func (t *fakeTimer) Reset(d time.Duration) bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	was := t.stop()
	t.at = t.clock.now.Add(d)
	if d <= 0 {
		t.c <- t.clock.now
		return was
	}
	t.clock.timers = append(t.clock.timers, t)
	t.clock.tell()
	return was
}
