package health_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/health"
)

// clock is moved by the test.
type clock struct{ now time.Time }

func newBoard(src health.Source) (*health.Board, *clock) {
	c := &clock{now: time.UnixMilli(1_800_000_000_000)}
	return health.NewBoard(health.Config{Source: src, Now: func() time.Time { return c.now }}), c
}

func read(t *testing.T, s health.Snapshot, err error) protocol.HealthSnapshot {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var h protocol.HealthSnapshot
	if err := json.Unmarshal(s.JSON, &h); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSnapshotIsRenderedOncePerChange(t *testing.T) {
	asked := 0
	b, c := newBoard(health.Source{Workers: func() []protocol.WorkerView { asked++; return nil }})
	first, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	again, _ := b.Snapshot()
	if asked != 1 || first.Version != again.Version {
		t.Errorf("asked %d times, versions %d and %d", asked, first.Version, again.Version)
	}
	b.Touch()
	if s, _ := b.Snapshot(); s.Version != first.Version+1 {
		t.Errorf("after a change: version %d", s.Version)
	}
	if s, _ := b.Refresh(); s.Version != first.Version+2 {
		t.Errorf("after a refresh: version %d", s.Version)
	}
	c.now = c.now.Add(health.MaxAge)
	if s, _ := b.Snapshot(); s.Version != first.Version+3 {
		t.Errorf("a minute later: version %d", s.Version)
	}
}

func TestConditions(t *testing.T) {
	b, c := newBoard(health.Source{})
	since := c.now.UnixMilli()
	b.Raise(protocol.Condition{Code: "b", Title: "B", Severity: protocol.SeverityWarning})
	<-b.Changed()
	c.now = c.now.Add(time.Second)
	b.Raise(protocol.Condition{Code: "b", Title: "B", Severity: protocol.SeverityWarning, Text: "worse"})
	b.Raise(protocol.Condition{Code: "disk", Title: "Disk full", Severity: protocol.SeverityCritical, Action: "make room"})
	b.Raise(protocol.Condition{Code: "a", Title: "A", Severity: protocol.SeverityWarning})
	var codes []string
	for _, x := range b.Conditions() {
		codes = append(codes, x.Code)
	}
	if want := []string{"disk", "a", "b"}; !slices.Equal(codes, want) {
		t.Errorf("got %v, want %v", codes, want)
	}
	if x := b.Conditions()[2]; x.Since != since || x.Text != "worse" {
		t.Errorf("raised again: %+v", x)
	}
	s, err := b.Snapshot()
	if h := read(t, s, err); h.OK || len(h.Conditions) != 3 {
		t.Errorf("got ok %v with %d conditions", h.OK, len(h.Conditions))
	}
	<-b.Changed()
	b.Raise(protocol.Condition{Code: "a", Title: "A", Severity: protocol.SeverityWarning})
	b.Clear("unknown")
	select {
	case <-b.Changed():
		t.Error("nothing changed, and it was told")
	default:
	}
	b.Clear("disk")
	s, err = b.Snapshot()
	if h := read(t, s, err); !h.OK {
		t.Error("not ok after the critical condition is gone")
	}
}

func TestEmptySnapshotHasNoNull(t *testing.T) {
	b, _ := newBoard(health.Source{
		Agents: func() []protocol.AgentHealth { return []protocol.AgentHealth{{AgentID: "main"}} },
	})
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"channels":{}`, `"channelOrder":[]`, `"workers":[]`, `"conditions":[]`, `"recent":[]`} {
		if !strings.Contains(string(s.JSON), want) {
			t.Errorf("%s is missing in %s", want, s.JSON)
		}
	}
	if strings.Contains(string(s.JSON), `"recent":null`) {
		t.Errorf("null in %s", s.JSON)
	}
}

// A channel is connected only if its process runs and the network said so.
func TestChannels(t *testing.T) {
	worker := func(state string, accounts ...protocol.WorkerAccount) protocol.WorkerView {
		return protocol.WorkerView{ID: "telegram", Kind: health.KindChannel, State: state, Accounts: accounts}
	}
	good := protocol.WorkerAccount{ID: "default", Phase: health.PhaseConnected}
	login := protocol.WorkerAccount{ID: "work", Phase: health.PhaseNeedsLogin, Text: "scan the code"}
	tests := []struct {
		name               string
		worker             protocol.WorkerView
		running, connected bool
		lastError          string
	}{
		{"connected", worker(protocol.WorkerRunning, good), true, true, ""},
		{"one of two", worker(protocol.WorkerRunning, login, good), true, true, "scan the code"},
		{"needs a login", worker(protocol.WorkerRunning, login), true, false, "scan the code"},
		{"dead with a good last word", worker(protocol.WorkerBackoff, good), false, false, ""},
		{"degraded is connected", worker(protocol.WorkerRunning, protocol.WorkerAccount{ID: "d", Phase: health.PhaseDegraded, Text: "deaf"}), true, true, "deaf"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			channels, order, labels := health.Channels([]protocol.WorkerView{{ID: "agentd", Kind: health.KindAgent}, tt.worker}, func(string) string { return "Telegram" })
			if !slices.Equal(order, []string{"telegram"}) || labels["telegram"] != "Telegram" {
				t.Errorf("got order %v, labels %v", order, labels)
			}
			got := channels["telegram"]
			if got.Running != tt.running || *got.Connected != tt.connected || *got.Linked != tt.connected || got.LastError != tt.lastError {
				t.Errorf("got running %v, connected %v, linked %v, error %q", got.Running, *got.Connected, *got.Linked, got.LastError)
			}
		})
	}
}

func TestChannelsStatus(t *testing.T) {
	r := health.ChannelsStatus([]protocol.WorkerView{{
		ID: "telegram", Kind: health.KindChannel, State: protocol.WorkerRunning,
		Accounts: []protocol.WorkerAccount{{ID: "b", Phase: health.PhaseConnected}, {ID: "a", Phase: health.PhaseOff}},
	}}, nil, 5)
	accounts := r.ChannelAccounts["telegram"]
	if len(accounts) != 2 || accounts[0].AccountID != "a" || *accounts[0].Enabled || !*accounts[1].Connected {
		t.Errorf("got %+v", accounts)
	}
	if r.ChannelDefaultAccountID["telegram"] != "b" || r.TS != 5 || r.ChannelMeta[0].Label != "telegram" {
		t.Errorf("got %+v", r)
	}
	lines := health.Summary([]protocol.WorkerView{{ID: "telegram", Kind: health.KindChannel, State: protocol.WorkerStopped, Desired: "off"}}, nil)
	if !slices.Equal(lines, []string{"telegram: stopped by the operator"}) {
		t.Errorf("got %q", lines)
	}
}

// Whoever reports a change may hold the lock that the Source needs.
func TestRaiseUnderTheSourcesLock(t *testing.T) {
	var pool sync.Mutex
	b, _ := newBoard(health.Source{Workers: func() []protocol.WorkerView {
		pool.Lock()
		defer pool.Unlock()
		return nil
	}})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 500 {
				if i%2 == 0 {
					if _, err := b.Snapshot(); err != nil {
						t.Error(err)
					}
					continue
				}
				pool.Lock()
				b.Raise(protocol.Condition{Code: "c", Since: int64(n)})
				b.Touch()
				b.Clear("c")
				pool.Unlock()
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("board and source wait for each other")
	}
}
