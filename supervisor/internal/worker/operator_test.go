package worker

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"
)

// memoryStore is a Store that tests can look into.
type memoryStore struct {
	mu      sync.Mutex
	records map[string]Record
	err     error
}

func newStore(rs ...Record) *memoryStore {
	m := &memoryStore{records: map[string]Record{}}
	for _, r := range rs {
		m.records[r.ID] = r
	}
	return m
}

func (m *memoryStore) LoadWorkers(context.Context) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Record
	for _, r := range m.records {
		out = append(out, r)
	}
	return out, nil
}

func (m *memoryStore) SaveWorker(_ context.Context, r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.records[r.ID] = r
	return nil
}

func (m *memoryStore) get(id string) Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[id]
}

func TestAnOperatorsStopOutlivesTheSupervisor(t *testing.T) {
	store := newStore()
	b := runPool(t, Config{Policy: quick(), Store: store})
	b.apply(b.fault("a", nil), b.fault("b", nil))
	up, _ := b.sink.awaitEvent(t, 0, "running", is("a", Running))
	b.sink.awaitEvent(t, 0, "the other running", is("b", Running))
	if err := b.Stop(within(t), "a"); err != nil {
		t.Fatal(err)
	}
	awaitDead(t, 0, up.PID)
	if r := store.get("a"); !r.Off {
		t.Errorf("the record is %+v", r)
	}
	b.stop()
	if r := store.get("b"); r.Off || r.PID != 0 {
		t.Errorf("after an orderly end the record is %+v", r)
	}

	c := runPool(t, Config{Policy: quick(), Store: store})
	c.apply(c.fault("a", nil), c.fault("b", nil))
	e, _ := c.sink.awaitEvent(t, 0, "stopped", is("a", Stopped))
	if e.Condition == nil || e.Condition.Code != CodeStoppedByUser {
		t.Errorf("condition is %+v", e.Condition)
	}
	c.sink.awaitEvent(t, 0, "the other running", is("b", Running))
	if err := c.Start(within(t), "a"); err != nil {
		t.Fatal(err)
	}
	h, err := c.Get("a")
	if err != nil {
		t.Fatal(err)
	}
	if r := store.get("a"); r.Off {
		t.Errorf("the record is %+v", r)
	}
	// The identity of the living process is on record, for the next life to know it by.
	deadline := within(t)
	for store.get("a").PID != h.PID {
		select {
		case <-deadline.Done():
			t.Fatalf("record is %+v, the process %d", store.get("a"), h.PID)
		case <-time.After(time.Millisecond):
		}
	}
	if r := store.get("a"); r.StartTicks == 0 || r.Executable != faultworker {
		t.Errorf("the record is %+v", r)
	}
}

func TestAStopThatCannotBeStoredSaysSo(t *testing.T) {
	store := newStore()
	b := runPool(t, Config{Policy: quick(), Store: store})
	b.apply(b.fault("a", nil))
	b.sink.awaitEvent(t, 0, "running", is("a", Running))
	full := errors.New("disk full")
	store.mu.Lock()
	store.err = full
	store.mu.Unlock()
	if err := b.Stop(within(t), "a"); !errors.Is(err, full) {
		t.Errorf("stop says %v", err)
	}
	if s, _ := b.Status("a"); s.State != Stopped {
		t.Errorf("it is %s; the stop itself needs no disk", s.State)
	}
}

func TestAStubbornWorkerIsGoneBeforeTheNextStarts(t *testing.T) {
	p := quick()
	p.DrainTimeout, p.TermWait = 300*time.Millisecond, 200*time.Millisecond
	b := runPool(t, Config{Policy: p})
	b.apply(b.fault("a", map[string]any{"drain": "hang"}))
	up, n := b.sink.awaitEvent(t, 0, "running", is("a", Running))
	began := time.Now()
	if err := b.Restart(within(t), "a"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < p.DrainTimeout+p.TermWait {
		t.Errorf("restarted after %s although it obeys neither drain nor SIGTERM", took)
	}
	end, _ := b.sink.awaitEvent(t, n, "the end", func(e Event) bool { return e.Exit != nil })
	if end.Exit.Kind != ExitDrained || end.Exit.Signal != "SIGKILL" {
		t.Errorf("exit is %s", end.Exit)
	}
	awaitDead(t, 0, up.PID)
	if s, _ := b.Status("a"); s.Restarts != 0 || s.Failures != 0 {
		t.Errorf("an asked restart counts as %d restarts and %v failures", s.Restarts, s.Failures)
	}
}

func TestKillEndsOneProcessOnly(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	b.apply(b.fault("a", nil), b.fault("b", nil))
	up, n := b.sink.awaitEvent(t, 0, "a running", is("a", Running))
	other, _ := b.sink.awaitEvent(t, 0, "b running", is("b", Running))
	if err := b.Kill(within(t), "a"); err != nil {
		t.Fatal(err)
	}
	awaitDead(t, 0, up.PID)
	end, n := b.sink.awaitEvent(t, n, "the end", func(e Event) bool { return e.Exit != nil })
	if end.Exit.Kind != ExitKilled {
		t.Errorf("exit is %s", end.Exit)
	}
	b.sink.awaitEvent(t, n, "a running again", is("a", Running))
	if s, _ := b.Status("b"); s.PID != other.PID {
		t.Error("the other worker has another process")
	}
	if err := b.Kill(within(t), "c"); !errors.Is(err, ErrUnknown) {
		t.Errorf("kill of nobody says %v", err)
	}
}

func TestWhatIsLeftOutOfAnApplyEnds(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	b.apply(b.fault("a", nil), b.fault("b", nil))
	gone, n := b.sink.awaitEvent(t, 0, "a running", is("a", Running))
	kept, _ := b.sink.awaitEvent(t, 0, "b running", is("b", Running))
	b.apply(b.fault("b", nil))
	b.sink.awaitEvent(t, n, "a stopped", is("a", Stopped))
	awaitDead(t, 0, gone.PID)
	b.apply(b.fault("a", nil), b.fault("b", nil))
	b.sink.awaitEvent(t, n, "a running again", is("a", Running))
	if s, _ := b.Status("b"); s.PID != kept.PID || s.State != Running {
		t.Errorf("b is %+v", s)
	}
}

func TestAStopDuringAStartLeavesNothing(t *testing.T) {
	for _, where := range []map[string]any{{"handshake": "never"}, {"describe": "hang"}, {"configure": "hang"}} {
		b := runPool(t, Config{Policy: quick()})
		b.apply(b.fault("a", where))
		deadline := within(t)
		var pid int
		for pid == 0 {
			s, err := b.Status("a")
			if err != nil {
				t.Fatal(err)
			}
			pid = s.PID
			select {
			case <-deadline.Done():
				t.Fatal("no process")
			case <-time.After(time.Millisecond):
			}
		}
		b.stop()
		awaitDead(t, 0, pid)
	}
}

func TestEndingWhileStartingAtOnce(t *testing.T) {
	for range 10 {
		b := runPool(t, Config{Policy: quick()})
		b.apply(b.fault("a", nil), b.fault("b", nil), b.fault("c", nil))
		b.stop()
		for _, s := range b.List() {
			if s.State != Stopped || s.PID != 0 {
				t.Errorf("%s is %s with pid %d", s.ID, s.State, s.PID)
			}
		}
	}
}

func TestNothingIsTakenBeforeRunOrAfterIt(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir()}
	p := New(Config{Sink: newSink()})
	if err := p.Apply([]Spec{b.fault("a", nil)}); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(within(t), "a"); !errors.Is(err, ErrNotServing) {
		t.Errorf("start says %v", err)
	}
	for name, bad := range map[string]func(*Spec){
		"no id":         func(s *Spec) { s.ID = "" },
		"relative path": func(s *Spec) { s.Path = "x" },
		"no state dir":  func(s *Spec) { s.StateDir = "" },
		"no settings":   func(s *Spec) { s.Configure = nil },
	} {
		s := b.fault("b", nil)
		bad(&s)
		if err := p.Apply([]Spec{s}); err == nil {
			t.Errorf("%s: applied", name)
		}
	}
	if err := p.Apply([]Spec{b.fault("x", nil), b.fault("x", nil)}); err == nil {
		t.Error("one name twice: applied")
	}
	if len(p.List()) != 1 {
		t.Errorf("a refused apply left %d workers", len(p.List()))
	}
}

func TestAnExitIsKnownWhenTheLastExitIsStored(t *testing.T) {
	store := newStore()
	b := runPool(t, Config{Policy: quick(), Store: store})
	b.apply(b.fault("a", nil))
	up, n := b.sink.awaitEvent(t, 0, "running", is("a", Running))
	_ = syscall.Kill(up.PID, syscall.SIGKILL)
	b.sink.awaitEvent(t, n, "running again", is("a", Running))
	b.stop()
	var e Exit
	if err := json.Unmarshal([]byte(store.get("a").LastExit), &e); err != nil || e.Kind != ExitDrained {
		t.Errorf("stored exit is %+v, %v", e, err)
	}
	if store.get("a").Restarts != 1 {
		t.Errorf("stored record is %+v", store.get("a"))
	}
}
