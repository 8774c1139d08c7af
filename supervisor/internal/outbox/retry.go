package outbox

import (
	"math/rand/v2"
	"time"
)

// Retry says when a delivery is tried again that was certainly not sent (channels.<id>.retry).
type Retry struct {
	// Attempts is how many are made in quick succession; after them one a minute until the delivery expires.
	Attempts int
	// MinDelay is the wait after the first attempt; each further one doubles it, up to MaxDelay.
	MinDelay, MaxDelay time.Duration
	// Jitter is the part of a wait, 0 to 1, that is added at random.
	Jitter float64
}

// slowDelay is the wait between attempts after the quick ones.
const slowDelay = time.Minute

// DefaultRetry is what holds where the settings say nothing.
func DefaultRetry() Retry {
	return Retry{Attempts: 3, MinDelay: 400 * time.Millisecond, MaxDelay: 30 * time.Second, Jitter: 0.1}
}

// delay is the wait after the n-th attempt, n from 1. random gives numbers in [0, 1); nil = the usual ones.
func (r Retry) delay(n int, random func() float64) time.Duration {
	if random == nil {
		random = rand.Float64
	}
	wait := slowDelay
	if n < r.Attempts {
		wait = r.MinDelay << min(max(n-1, 0), 30)
		if r.MaxDelay > 0 && (wait > r.MaxDelay || wait <= 0) {
			wait = r.MaxDelay
		}
	}
	return wait + time.Duration(random()*r.Jitter*float64(wait))
}
