package clock_test

import (
	"context"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

func fired(t clock.Timer) (time.Time, bool) {
	select {
	case at := <-t.C():
		return at, true
	default:
		return time.Time{}, false
	}
}

func TestFakeFiresInOrderOfTime(t *testing.T) {
	start := time.UnixMilli(1000)
	f := clock.NewFake(start)
	late, early := f.NewTimer(2*time.Second), f.NewTimer(time.Second)
	f.Advance(999 * time.Millisecond)
	if _, ok := fired(early); ok {
		t.Fatal("a timer fired before its time")
	}
	f.Advance(5 * time.Second)
	if at, ok := fired(early); !ok || !at.Equal(start.Add(time.Second)) {
		t.Errorf("early timer: got %v %v, want its own time", at, ok)
	}
	if at, ok := fired(late); !ok || !at.Equal(start.Add(2*time.Second)) {
		t.Errorf("late timer: got %v %v, want its own time", at, ok)
	}
	if got, want := f.Now(), start.Add(5999*time.Millisecond); !got.Equal(want) {
		t.Errorf("now: got %v, want %v", got, want)
	}
}

func TestFakeStopAndResetLeaveNoStaleTick(t *testing.T) {
	f := clock.NewFake(time.UnixMilli(0))
	timer := f.NewTimer(time.Second)
	f.Advance(time.Second)
	if timer.Stop() {
		t.Error("Stop of a fired timer reported that it was set")
	}
	if _, ok := fired(timer); ok {
		t.Error("a stopped timer held a tick")
	}
	timer.Reset(time.Second)
	if !timer.Reset(3 * time.Second) {
		t.Error("Reset of a set timer reported that it was not")
	}
	f.Advance(time.Second)
	if _, ok := fired(timer); ok {
		t.Error("a reset timer fired at its old time")
	}
	f.Advance(2 * time.Second)
	if _, ok := fired(timer); !ok {
		t.Error("a reset timer did not fire at its new time")
	}
}

func TestAwaitTimersSeesOneThatIsSetLater(t *testing.T) {
	f := clock.NewFake(time.UnixMilli(0))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f.AwaitTimers(ctx, 1) }()
	f.NewTimer(time.Minute)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithCancel(t.Context())
	stop()
	if err := f.AwaitTimers(short, 2); err == nil {
		t.Error("AwaitTimers returned although too few timers are set")
	}
}

func TestSystemTimerFires(t *testing.T) {
	timer := clock.System().NewTimer(0)
	select {
	case <-timer.C():
	case <-time.After(5 * time.Second):
		t.Fatal("the timer never fired")
	}
}
