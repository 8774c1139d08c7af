package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// prober asks for health without a pause, over a connection of its own.
type prober struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	asked   int
	slowest time.Duration
	err     error
}

// probe starts to ask. The connection must outlive everything that happens to workers.
func (e *Env) probe() *prober {
	e.t.Helper()
	dial, cancel := e.within()
	defer cancel()
	client, err := e.dialFresh(dial)
	if err != nil {
		e.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(e.t.Context())
	p := &prober{stop: stop}
	p.done.Go(func() {
		defer func() { _ = client.Close() }()
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			start := time.Now()
			err := client.Call(ctx, protocol.MethodHealth, nil, nil)
			if ctx.Err() != nil {
				return
			}
			p.mu.Lock()
			p.asked++
			p.slowest = max(p.slowest, time.Since(start))
			p.err = err
			p.mu.Unlock()
			if err != nil {
				return
			}
			<-tick.C
		}
	})
	return p
}

// end stops asking and complains about any answer that failed to come.
func (p *prober) end(e *Env) {
	e.t.Helper()
	p.stop()
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		e.t.Errorf("health stopped answering, or the connection broke, after %d answers: %v", p.asked, p.err)
	}
	if p.asked == 0 {
		e.t.Error("health was never answered")
	}
	if p.slowest > time.Second {
		e.t.Errorf("the slowest answer to health took %s", p.slowest)
	}
	e.t.Logf("health: %d answers, the slowest after %s", p.asked, p.slowest)
}

// TestDeathOfAWorkerIsItsOwn takes workers away in turn, in several ways, while clients are
// connected: nobody else is touched, and one event tells what happened.
func TestDeathOfAWorkerIsItsOwn(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Tolerated = []string{"SIGABRT", "SIGSEGV"}
	e.Start()
	supervisor, client := e.PID(), e.Client()
	health := e.probe()
	for i, death := range []struct {
		worker string
		sig    syscall.Signal
		shown  string
	}{
		{telegramID, syscall.SIGKILL, "SIGKILL"},
		{agentdID, syscall.SIGKILL, "SIGKILL"},
		{telegramID, syscall.SIGKILL, "SIGKILL"},
		{agentdID, syscall.SIGABRT, ""}, // its runtime answers with a dump, and an exit code
	} {
		before := e.Workers()
		events := e.Hear(protocol.EventWorker)
		pid := e.Kill(death.worker, death.sig)
		var told protocol.WorkerEvent
		if err := events.Await("of the death of "+death.worker, tellsExit(death.worker)).Decode(&told); err != nil {
			t.Fatal(err)
		}
		if told.Exit.Kind == "" || told.Exit.Signal != death.shown {
			t.Errorf("the event says of the end of %s: %+v, want the signal %q", death.worker, *told.Exit, death.shown)
		}
		// While it backs off, the event counts the restarts until then; where it is restarted at once, this one too.
		want := before[death.worker].Restarts + 1
		if told.Restarts != want && (told.State != protocol.WorkerBackoff || told.Restarts != want-1) {
			t.Errorf("the event says %s, %d restarts of %s, want %d", told.State, told.Restarts, death.worker, want)
		}
		events.Await(death.worker+" running", IsWorker(death.worker, protocol.WorkerRunning))
		now := e.AwaitWorker(death.worker, pid)
		if now.Restarts != want {
			t.Errorf("the list shows %d restarts of %s, want %d", now.Restarts, death.worker, want)
		}
		if more := events.Count(tellsExit(death.worker)); more > 0 {
			t.Errorf("%d more events tell of the same death", more)
		}
		events.Close()
		for id, w := range e.Workers() {
			if id != death.worker && (w.PID != before[id].PID || w.Restarts != before[id].Restarts) {
				t.Errorf("the death of %s reached %s: pid %d, %d restarts; before pid %d, %d", death.worker, id, w.PID, w.Restarts, before[id].PID, before[id].Restarts)
			}
		}
		chat := int64(100 + i)
		e.Say(chat, fmt.Sprintf("say: still here %d", i))
		e.AwaitText(chat, fmt.Sprintf("still here %d", i))
	}
	health.end(e)
	if e.PID() != supervisor || e.Client() != client {
		t.Error("the supervisor, or a client's connection, was not the same throughout")
	}
	e.Stop()
}

// tellsExit fits the event that tells how a worker's process ended.
func tellsExit(id string) func(clientws.Event) bool {
	return func(event clientws.Event) bool {
		var w protocol.WorkerEvent
		return event.Name == protocol.EventWorker && event.Decode(&w) == nil && w.Worker == id && w.Exit != nil
	}
}

// TestHungWorkerIsReplaced: a worker that is stopped answers no probe, and is ended with its last words kept.
func TestHungWorkerIsReplaced(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Tolerated = []string{"SIGABRT", "goroutine"}
	e.Configure(func(c Config) { c.Set("supervisor.health.probeMs", 200).Set("supervisor.health.misses", 2) })
	e.Start()
	health := e.probe()
	pid := e.Kill(telegramID, syscall.SIGSTOP)
	e.AwaitWorker(telegramID, pid)
	health.end(e)
	e.Say(110, "say: back")
	e.AwaitText(110, "back")
	e.Stop()
}

// TestMessagesOfADeadTimeAreAnswered: what people wrote while the worker was away is answered, in order.
func TestMessagesOfADeadTimeAreAnswered(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	e.MustCLI("workers", "stop", telegramID)
	for i := range 5 {
		e.Say(120, fmt.Sprintf("say: number %d", i))
	}
	e.MustCLI("workers", "start", telegramID)
	e.AwaitSettled(5, 120)
	// A queue may answer several of them at once; each was read by the model once, in order.
	at := -1
	text := ""
	for _, s := range e.Spoken() {
		if s.Role == "user" {
			text += s.Text + "\n"
		}
	}
	for i := range 5 {
		next := indexAfter(text, fmt.Sprintf("number %d", i), at)
		if next < 0 {
			t.Fatalf("message %d is missing, or not in its place, in %q", i, text)
		}
		at = next
	}
	e.Stop()
}

func indexAfter(text, part string, at int) int {
	for i := at + 1; i+len(part) <= len(text); i++ {
		if text[i:i+len(part)] == part {
			return i
		}
	}
	return -1
}

// TestControlPlaneIsThereBeforeTheWorkers: the port answers before any worker runs, so that an operator is never locked out.
func TestControlPlaneIsThereBeforeTheWorkers(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.WorkersDir = e.workersWithout(agentdID)
	e.Launch()
	var snapshot protocol.HealthSnapshot
	e.Call(protocol.MethodHealth, nil, &snapshot)
	raw, err := json.Marshal(snapshot.Workers)
	if err != nil {
		t.Fatal(err)
	}
	if len(snapshot.Workers) == 0 {
		t.Errorf("health lists no worker: %s", raw)
	}
	e.Stop()
}
