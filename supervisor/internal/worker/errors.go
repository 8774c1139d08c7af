package worker

import (
	"errors"
	"fmt"
)

// ErrUnknown says that no worker of that name is configured.
var ErrUnknown = errors.New("no such worker")

// ErrNotServing says that the pool does not run, or is shutting down.
var ErrNotServing = errors.New("the worker pool is not running")

// ErrSuperseded says that a later command or a config change took the place of the
// one that was waited for.
var ErrSuperseded = errors.New("another command took its place")

// NotRunningError says that a worker cannot be used now, and why.
type NotRunningError struct {
	Worker    string
	State     State
	Condition *Condition
	// StoppedByOperator tells a Stopped worker that will not come back by itself.
	StoppedByOperator bool
}

// Error gives the state and, where there is one, the condition's text.
func (e *NotRunningError) Error() string {
	if e.Condition != nil && e.Condition.Text != "" {
		return fmt.Sprintf("worker %s is %s: %s", e.Worker, e.State, e.Condition.Text)
	}
	return fmt.Sprintf("worker %s is %s", e.Worker, e.State)
}

// Transient reports whether the worker is expected to run again without help, so that
// waiting makes sense.
func (e *NotRunningError) Transient() bool {
	switch e.State {
	case Starting, Backoff:
		return true
	case Draining:
		return !e.StoppedByOperator
	}
	return false
}
