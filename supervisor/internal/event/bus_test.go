package event

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

func everything(protocol.Scope) bool { return true }
func nothing(protocol.Scope) bool    { return false }

// attach adds an open connection to the bus.
func attach(b *Bus, id string, limit int, allows func(protocol.Scope) bool) (*sink, *Queue) {
	s := &sink{}
	q := NewQueue(s.config(limit))
	b.Attach(id, q, allows)
	q.Open(frame(`{"type":"res"}`))
	return s, q
}

// events are the frames after the first.
func (s *sink) events(t *testing.T) []protocol.Event {
	t.Helper()
	s.wg.Wait()
	var list []protocol.Event
	for _, f := range s.frames[1:] {
		var e protocol.Event
		if err := json.Unmarshal([]byte(f), &e); err != nil {
			t.Fatalf("frame %s: %v", f, err)
		}
		list = append(list, e)
	}
	return list
}

func numbers(list []protocol.Event) string {
	var out []string
	for _, e := range list {
		if e.Seq == nil {
			out = append(out, e.Event+":-")
			continue
		}
		out = append(out, fmt.Sprintf("%s:%d", e.Event, *e.Seq))
	}
	return strings.Join(out, " ")
}

func TestNumbersCountWhatAConnectionIsSent(t *testing.T) {
	b := NewBus()
	b.Publish(protocol.EventTick, protocol.TickPayload{TS: 1})
	admin, _ := attach(b, "admin", 1<<20, everything)
	reader, _ := attach(b, "reader", 1<<20, nothing)
	b.Publish(protocol.EventDevicePairResolved, map[string]string{"x": "y"})
	b.Publish(protocol.EventHealth, json.RawMessage(`{"ok":true}`))
	late, _ := attach(b, "late", 1<<20, everything)
	b.PublishVersioned(protocol.EventPresence, json.RawMessage(`{"presence":[]}`), protocol.StateVersion{Presence: 4, Health: 2})
	ok, err := b.Tell("reader", protocol.EventVoiceWakeChanged, map[string]int{"n": 1})
	if !ok || err != nil {
		t.Fatalf("tell: %v, %v", ok, err)
	}
	b.Detach("late")
	b.Publish(protocol.EventTick, protocol.TickPayload{TS: 2})
	for _, tt := range []struct {
		name string
		s    *sink
		want string
	}{
		{"admin", admin, "device.pair.resolved:2 health:3 presence:4 tick:5"},
		{"reader", reader, "health:2 presence:3 voicewake.changed:- tick:4"},
		{"late", late, "presence:4"},
	} {
		if got := numbers(tt.s.events(t)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	e := late.events(t)[0]
	if e.StateVersion == nil || *e.StateVersion != (protocol.StateVersion{Presence: 4, Health: 2}) {
		t.Errorf("got versions %+v", e.StateVersion)
	}
}

// A gap is seen if and only if something was dropped.
func TestGapMeansLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const seed = 7
		rnd := rand.New(rand.NewPCG(seed, seed))
		b := NewBus()
		fast, _ := attach(b, "fast", 1<<20, everything)
		slow, q := attach(b, "slow", 400, everything)
		stalled := false
		for i := range 500 {
			if rnd.IntN(20) == 0 {
				if stalled {
					slow.gate.Unlock()
				} else {
					slow.gate.Lock()
				}
				stalled = !stalled
			}
			b.Publish(protocol.EventChat, protocol.ChatEvent{RunID: fmt.Sprint(i), State: protocol.ChatDelta})
			synctest.Wait()
		}
		if stalled {
			slow.gate.Unlock()
		}
		if len(slow.failed) != 0 {
			t.Fatalf("deltas closed the connection: %v", slow.failed)
		}
		all, some := fast.events(t), slow.events(t)
		if len(all) != 500 || len(some) == 500 {
			t.Fatalf("fast got %d, slow got %d", len(all), len(some))
		}
		missed, last := uint64(0), uint64(0)
		for _, e := range some {
			missed += *e.Seq - last - 1
			last = *e.Seq
		}
		missed += q.Seq() - last
		if missed != uint64(500-len(some)) {
			t.Errorf("gaps tell of %d lost events, %d were lost", missed, 500-len(some))
		}
		for i, e := range all {
			if *e.Seq != uint64(i+1) {
				t.Fatalf("the fast reader's event %d has number %d", i, *e.Seq)
			}
		}
	})
}

func TestWhatMustNotBeDroppedClosesASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBus()
		s, _ := attach(b, "slow", 300, everything)
		other, _ := attach(b, "other", 1<<20, everything)
		synctest.Wait()
		s.gate.Lock()
		payload := protocol.ChatEvent{RunID: "r", SessionKey: strings.Repeat("k", 100), State: protocol.ChatFinal}
		for range 5 {
			b.Publish(protocol.EventChat, payload)
		}
		s.gate.Unlock()
		if len(other.events(t)) != 5 {
			t.Error("the others' time was taken")
		}
		s.wg.Wait()
		if len(s.failed) != 1 {
			t.Errorf("failed with %v, want one overflow", s.failed)
		}
	})
}

func TestDroppable(t *testing.T) {
	tests := []struct {
		name    string
		payload any
		want    bool
	}{
		{protocol.EventTick, nil, true},
		{protocol.EventPresence, nil, true},
		{protocol.EventChat, protocol.ChatEvent{State: protocol.ChatDelta}, true},
		{protocol.EventChat, &protocol.ChatEvent{State: protocol.ChatDelta}, true},
		{protocol.EventChat, protocol.ChatEvent{State: protocol.ChatFinal}, false},
		{protocol.EventAgent, nil, false},
		{protocol.EventHealth, nil, false},
		{protocol.EventShutdown, nil, false},
		{protocol.EventWorker, nil, false},
	}
	for _, tt := range tests {
		if got := isDroppable(tt.name, tt.payload); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestPublishTellsWhatCannotBeMarshalled(t *testing.T) {
	if err := NewBus().Publish("x", func() {}); err == nil {
		t.Error("got no error")
	}
}
