package access

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of guessing, per origin address.
const (
	// FailuresBeforeDelay wrong secrets a minute are answered at once.
	FailuresBeforeDelay = 5
	// FailuresBeforeLockout wrong secrets a minute lock the address out.
	FailuresBeforeLockout = 20

	failureWindow = time.Minute
	firstDelay    = 100 * time.Millisecond
	maxDelay      = 2 * time.Second
	maxAddresses  = 4096
)

// throttle counts wrong secrets per address over a sliding minute.
type throttle struct {
	mu       sync.Mutex
	failures map[netip.Addr][]time.Time // oldest first, at most the lockout's number
}

func newThrottle() *throttle { return &throttle{failures: make(map[netip.Addr][]time.Time)} }

// lockedFor is how long the address is still locked out, or zero.
func (t *throttle) lockedFor(a netip.Addr, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.recent(a, now)
	if len(list) < FailuresBeforeLockout {
		return 0
	}
	return list[0].Add(failureWindow).Sub(now)
}

// fail counts one more wrong secret and says how long to wait before saying
// so.
func (t *throttle) fail(a netip.Addr, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.recent(a, now)
	if len(t.failures) >= maxAddresses && len(list) == 0 {
		t.sweep(now)
	}
	if len(list) == FailuresBeforeLockout {
		list = list[1:]
	}
	list = append(list, now)
	t.failures[a] = list
	over := len(list) - FailuresBeforeDelay
	if over <= 0 {
		return 0
	}
	return min(firstDelay<<min(over-1, 8), maxDelay)
}

// recent drops what is older than the window, with t.mu held.
func (t *throttle) recent(a netip.Addr, now time.Time) []time.Time {
	list := t.failures[a]
	for len(list) > 0 && now.Sub(list[0]) >= failureWindow {
		list = list[1:]
	}
	if len(list) == 0 {
		delete(t.failures, a)
		return nil
	}
	t.failures[a] = list
	return list
}

// sweep makes room: what has expired goes, and if that is nothing an
// arbitrary address is forgotten. t.mu is held.
func (t *throttle) sweep(now time.Time) {
	for a := range t.failures {
		t.recent(a, now)
	}
	for a := range t.failures {
		if len(t.failures) < maxAddresses {
			return
		}
		delete(t.failures, a)
	}
}
