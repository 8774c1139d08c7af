// Package clock gives the time, so that tests can be its master.
//
// Clock is the whole interface: the present, and timers. System is the machine's
// clock; Fake stands still until a test moves it. Stamps are unix milliseconds UTC
// (Millis); waiting goes by timers, which are monotonic.
//
// Concurrency: every method may be called from any goroutine. The package starts
// no goroutine and never sleeps.
package clock

import "time"

// Clock tells the time and makes timers.
type Clock interface {
	Now() time.Time
	// NewTimer fires once after d; d <= 0 fires at once.
	NewTimer(d time.Duration) Timer
}

// Timer is one alarm. Stop and Reset behave as those of time.Timer (Go 1.23 and
// later): after either no stale tick is received.
type Timer interface {
	C() <-chan time.Time
	Stop() bool
	Reset(d time.Duration) bool
}

// Millis is the present as unix milliseconds UTC, the form of every stored time.
func Millis(c Clock) int64 { return c.Now().UnixMilli() }

// System is the machine's clock.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time { return time.Now() }

func (system) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d)} }

type systemTimer struct{ t *time.Timer }

func (t systemTimer) C() <-chan time.Time        { return t.t.C }
func (t systemTimer) Stop() bool                 { return t.t.Stop() }
func (t systemTimer) Reset(d time.Duration) bool { return t.t.Reset(d) }
