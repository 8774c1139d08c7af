package e2e

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// BenchmarkBars measures the real binaries and prints, when all is measured, one table of
// the figures beside the bars of ../shared/bench. Each part measures an installation of
// its own, one after the other, and does its own repeating: -benchtime changes nothing.
// A figure over its bar is printed like any other; only what is broken fails.
func BenchmarkBars(b *testing.B) {
	d := newBoard()
	b.Run("Start", d.start)
	b.Run("IdleMemory", d.idleMemory)
	b.Run("Health", d.health)
	b.Run("Crash", d.crash)
	b.Run("Message", d.message)
	if err := d.print(os.Stdout); err != nil {
		b.Error(err)
	}
}

// installation is an Env as an owner has it: what the harness sets to be quick, or to see
// more, is left at the product's own defaults.
func installation(b *testing.B, change ...func(Config)) *Env {
	b.Helper()
	e := New(b)
	e.Configure(func(c Config) {
		c.Set("logging.level", "info")
		delete(c, "supervisor")
		for _, f := range change {
			f(c)
		}
	})
	return e
}

// startPasses is how often a start and a stop are measured; their median is reported.
const startPasses = 5

// start measures a start with warm files, and a stop. The first start, which makes the
// journal, is not counted.
func (d *board) start(b *testing.B) {
	e := installation(b)
	e.Start()
	e.Stop()
	var hello, agent, all, connected, stop spans
	for range startPasses {
		began := time.Now()
		e.Launch()
		client := e.dialAtOnce(b)
		hello = append(hello, time.Since(began))
		w := watchWorkers(b, client)
		w.until(func(list map[string]protocol.WorkerView) bool { return list[agentdID].State == protocol.WorkerRunning })
		agent = append(agent, time.Since(began))
		w.until(func(list map[string]protocol.WorkerView) bool {
			return list[agentdID].State == protocol.WorkerRunning && list[telegramID].State == protocol.WorkerRunning
		})
		all = append(all, time.Since(began))
		w.until(func(list map[string]protocol.WorkerView) bool {
			return list[agentdID].State == protocol.WorkerRunning && ready(list[telegramID]) == nil
		})
		connected = append(connected, time.Since(began))
		w.close()
		_ = client.Close()
		stop = append(stop, e.Stop())
	}
	d.spans(b, "exec to hello-ok", hello, time.Millisecond, goal{80, 40}, goal{})
	d.spans(b, "exec to agentd running", agent, time.Millisecond, goal{}, goal{})
	d.spans(b, "exec to agentd and telegram running", all, time.Millisecond, goal{500, 250}, goal{})
	d.spans(b, "exec to telegram's account connected", connected, time.Millisecond, goal{}, goal{})
	d.spans(b, "SIGTERM to exit", stop, time.Millisecond, goal{1000, 250}, goal{})
}

// dialAtOnce connects as soon as somebody listens: it looks every half millisecond, where
// the harness is in no hurry.
func (e *Env) dialAtOnce(b *testing.B) *clientws.Client {
	b.Helper()
	ctx, cancel := e.within()
	defer cancel()
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	p := e.running()
	for {
		client, err := clientws.Dial(ctx, e.dialOptions())
		if err == nil {
			return client
		}
		select {
		case <-tick.C:
		case <-p.exited:
			b.Fatal(&ExitError{Err: p.err, Output: readFile(p.out)})
		case <-ctx.Done():
			b.Fatalf("connect to the supervisor: %v", err)
		}
	}
}

// workerWatch follows the workers by their events: it asks for the list only when one came.
type workerWatch struct {
	b      *testing.B
	client *clientws.Client
	sub    *clientws.Subscription
	last   map[string]protocol.WorkerView
}

func watchWorkers(b *testing.B, client *clientws.Client) *workerWatch {
	b.Helper()
	w := &workerWatch{b: b, client: client, sub: client.Subscribe(protocol.EventWorker)}
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	w.look(ctx) // after subscribing, so that nothing is missed in between
	return w
}

func (w *workerWatch) look(ctx context.Context) {
	w.b.Helper()
	var list protocol.WorkersListResult
	if err := w.client.Call(ctx, protocol.MethodWorkersList, nil, &list); err != nil {
		w.b.Fatal(err)
	}
	w.last = map[string]protocol.WorkerView{}
	for _, v := range list.Workers {
		w.last[v.ID] = v
	}
}

// until waits until the workers are so.
func (w *workerWatch) until(so func(map[string]protocol.WorkerView) bool) {
	w.b.Helper()
	ctx, cancel := context.WithTimeout(w.b.Context(), patience)
	defer cancel()
	for !so(w.last) {
		if _, err := w.sub.Next(ctx); err != nil {
			w.b.Fatalf("await workers: %v; they are %+v", err, w.last)
		}
		w.look(ctx)
	}
}

func (w *workerWatch) close() { w.sub.Close() }

// crashes is how often each worker is killed.
const crashes = 25

// crash measures a worker's SIGKILL until a client was told, and until it was told that
// the worker runs again. Each is a first crash: an operator's restart before it makes the
// worker's record clean, so that the restart waits for nothing.
func (d *board) crash(b *testing.B) {
	e := installation(b)
	e.Start()
	for _, id := range []string{agentdID, telegramID} {
		var known, running spans
		for range crashes {
			e.Call(protocol.MethodWorkersRestart, protocol.WorkerParams{Worker: id}, nil)
			e.AwaitReady()
			pid := e.Worker(id).PID
			events := e.Hear(protocol.EventWorker)
			began := time.Now()
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				b.Fatalf("kill %s (pid %d): %v", id, pid, err)
			}
			events.Await("of the death of "+id, tellsExit(id))
			known = append(known, time.Since(began))
			events.Await(id+" running again", runsAs(id, pid))
			running = append(running, time.Since(began))
			events.Close()
		}
		d.spans(b, fmt.Sprintf("SIGKILL of %s to known", id), known, time.Millisecond, goal{10, 4}, goal{})
		d.spans(b, fmt.Sprintf("SIGKILL of %s to running again", id), running, time.Millisecond, goal{200, 80}, goal{})
	}
	e.Stop()
}

// runsAs fits the event that a worker runs, as another process than the one with pid not.
func runsAs(id string, not int) func(clientws.Event) bool {
	return func(event clientws.Event) bool {
		var w protocol.WorkerEvent
		return event.Decode(&w) == nil && w.PID != not && IsWorker(id, protocol.WorkerRunning)(event)
	}
}
