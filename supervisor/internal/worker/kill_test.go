package worker

import (
	"syscall"
	"testing"
)

func TestAKilledWorkerRunsAgainAtOnce(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	b.apply(b.fault("a", nil), b.fault("b", nil))
	first, n := b.sink.awaitEvent(t, 0, "a running", is("a", Running))
	other, _ := b.sink.awaitEvent(t, 0, "b running", is("b", Running))
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	dead, n := b.sink.awaitEvent(t, n, "the death", func(e Event) bool { return e.Worker == "a" && e.Exit != nil })
	if dead.Exit.Kind != ExitSignal || dead.Exit.Signal != "SIGKILL" || dead.Restarts != 1 || dead.State != Starting {
		t.Errorf("the event of the death is %s", describe([]Event{dead}))
	}
	again, _ := b.sink.awaitEvent(t, n, "a running again", is("a", Running))
	if again.PID == first.PID || again.PID == 0 {
		t.Errorf("pid is %d after %d", again.PID, first.PID)
	}
	if s, _ := b.Status("b"); s.PID != other.PID || s.Restarts != 0 {
		t.Errorf("the other worker has pid %d, was %d, and %d restarts", s.PID, other.PID, s.Restarts)
	}
	h, err := b.Get("a")
	if err != nil || h.PID != again.PID {
		t.Errorf("handle is %+v, %v", h, err)
	}
	if _, err := h.Client.Health(within(t)); err != nil {
		t.Errorf("the new process does not answer: %v", err)
	}
}
