package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

const (
	faultworkerModule = "github.com/openclaw/openclaw-supervisor/workers/fakenet/cmd/faultworker"
	patience          = 20 * time.Second
	hostFlag          = "OPENCLAW_TEST_HOST" // makes the test binary a host that is killed
)

var faultworker string // the built binary; set once, by TestMain

func TestMain(m *testing.M) {
	if dir := os.Getenv(hostFlag); dir != "" {
		hostMain(dir)
		return
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "fw")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		faultworker = filepath.Join(dir, "openclaw-channel-fault")
		build := exec.Command("go", "build", "-o", faultworker, faultworkerModule)
		build.Dir = filepath.Join("..", "..", "..", "workers", "fakenet")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the fault worker: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// recordingSink remembers everything and stores every event.
type recordingSink struct {
	mu      sync.Mutex
	changed chan struct{}
	events  []Event
	inbound []string // event keys, in order
	running []Handle
	gone    []string
	calls   []plugin.Call
	// start, where set, is called in Running.
	start func(ctx context.Context, h Handle)
}

func newSink() *recordingSink { return &recordingSink{changed: make(chan struct{})} }

func (s *recordingSink) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *recordingSink) HandleEvent(_ string, ev plugin.Event, ack func(plugin.Ack)) {
	s.change(func() {
		if ev.Inbound != nil {
			s.inbound = append(s.inbound, ev.Inbound.EventKey)
		}
	})
	ack(plugin.Ack{Code: plugin.Stored})
}

func (s *recordingSink) HandleCall(_ context.Context, _ string, c plugin.Call) (json.RawMessage, *plugin.CallError) {
	s.change(func() { s.calls = append(s.calls, c) })
	return json.RawMessage(`{}`), nil
}

func (s *recordingSink) WorkerEvent(ev Event) { s.change(func() { s.events = append(s.events, ev) }) }

func (s *recordingSink) Running(ctx context.Context, h Handle) {
	s.change(func() { s.running = append(s.running, h) })
	if s.start != nil {
		s.start(ctx, h)
	}
}

func (s *recordingSink) Gone(id string) { s.change(func() { s.gone = append(s.gone, id) }) }

// await blocks until f, called with the sink locked, is true.
func (s *recordingSink) await(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		ok, changed := f(), s.changed
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			s.mu.Lock()
			defer s.mu.Unlock()
			t.Fatalf("%s did not come about; events: %s", what, describe(s.events))
		}
	}
}

// awaitEvent gives the first event from the from-th on that f accepts, and the index after it.
func (s *recordingSink) awaitEvent(t testing.TB, from int, what string, f func(Event) bool) (Event, int) {
	t.Helper()
	var found Event
	next := 0
	s.await(t, what, func() bool {
		for i := from; i < len(s.events); i++ {
			if f(s.events[i]) {
				found, next = s.events[i], i+1
				return true
			}
		}
		return false
	})
	return found, next
}

func describe(evs []Event) string {
	var b strings.Builder
	for _, e := range evs {
		fmt.Fprintf(&b, "\n  %s %s pid=%d restarts=%d", e.Worker, e.State, e.PID, e.Restarts)
		if e.Exit != nil {
			fmt.Fprintf(&b, " exit=%s", e.Exit)
		}
		if e.Condition != nil {
			fmt.Fprintf(&b, " %s: %s", e.Condition.Code, e.Condition.Text)
		}
		if e.Account != nil {
			fmt.Fprintf(&b, " account %s %s", e.Account.Account, e.Account.Phase)
		}
	}
	return b.String()
}

func is(id string, s State) func(Event) bool {
	return func(e Event) bool { return e.Worker == id && e.State == s && e.Account == nil }
}

// bench is a pool that runs for one test.
type bench struct {
	*Pool
	t    testing.TB
	sink *recordingSink
	dir  string
	stop func()
	// sockets is the root of the socket directories.
	sockets string
}

// quick is a policy for tests: the real bounds are shown by the owner's tests with a false clock.
func quick() Policy {
	return Policy{
		StartTimeout: 5 * time.Second, BackoffFirst: 20 * time.Millisecond, BackoffMax: 100 * time.Millisecond, Jitter: -1,
		ProbeEvery: 200 * time.Millisecond, ProbeTimeout: time.Second, MissedProbes: 3,
		DrainTimeout: 2 * time.Second, TermWait: 500 * time.Millisecond, AbortWait: time.Second, LostWait: 2 * time.Second,
	}
}

func runPool(t testing.TB, cfg Config) *bench {
	t.Helper()
	b := &bench{t: t, sink: newSink(), dir: t.TempDir()}
	if cfg.Sink == nil {
		cfg.Sink = b.sink
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
		if testing.Verbose() && os.Getenv("SHOW_LOG") != "" {
			cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
	}
	if cfg.SocketRoot == "" {
		root, err := os.MkdirTemp("", "s")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(root) })
		cfg.SocketRoot = root
	}
	b.sockets = cfg.SocketRoot
	cfg.InstanceID = "test"
	b.Pool = New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("pool: %v", err)
			}
		case <-time.After(patience):
			t.Error("the pool does not end")
		}
		left, err := os.ReadDir(cfg.SocketRoot)
		if err != nil || len(left) > 0 {
			t.Errorf("sockets left behind: %v, %v", left, err)
		}
	})
	t.Cleanup(func() {
		b.stop()
		if tt, ok := t.(*testing.T); ok {
			goleak.VerifyNone(tt)
		}
	})
	return b
}

// fault is the spec of a fault worker.
func (b *bench) fault(id string, f map[string]any) Spec {
	raw, err := json.Marshal(f)
	if err != nil {
		b.t.Fatal(err)
	}
	return Spec{
		ID: id, Kind: plugin.KindChannel, Path: faultworker, StateDir: filepath.Join(b.dir, id),
		Env: []string{"FAULTWORKER_ID=" + id, "FAULTWORKER_FAULT=" + string(raw)},
		Configure: func(context.Context) (plugin.Configuration, error) {
			return plugin.Configuration{JSON: json.RawMessage(`{}`)}, nil
		},
	}
}

func (b *bench) apply(specs ...Spec) {
	b.t.Helper()
	if err := b.Apply(specs); err != nil {
		b.t.Fatal(err)
	}
}

// within is a context for one wait.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	return len(fields) > 0 && !slices.Contains([]string{"Z", "X"}, fields[0])
}

// awaitDead waits until none of pids lives; a zombie counts as dead.
func awaitDead(t testing.TB, bound time.Duration, pids ...int) {
	t.Helper()
	deadline, tick := time.NewTimer(bound), time.NewTicker(2*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for slices.ContainsFunc(pids, alive) {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("still alive after %s: %v", bound, slices.DeleteFunc(slices.Clone(pids), func(p int) bool { return !alive(p) }))
		}
	}
}
