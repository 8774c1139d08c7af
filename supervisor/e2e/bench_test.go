package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

// bar is a figure of the list of bars: what must hold, and what we are after. Zero = no bar.
type bar struct {
	name, unit string
	must, aim  float64
}

// report prints a figure beside its bar, and keeps it for tools that read benchmarks.
func (r bar) report(b *testing.B, value float64) {
	b.Helper()
	b.ReportMetric(value, r.unit+"/"+r.name)
	if r.must == 0 {
		b.Logf("%-42s %9.2f %s", r.name, value, r.unit)
		return
	}
	verdict := "over the bar"
	switch {
	case value <= r.aim:
		verdict = "aim reached"
	case value <= r.must:
		verdict = "holds"
	}
	b.Logf("%-42s %9.2f %-4s  must %g, aim %g: %s", r.name, value, r.unit, r.must, r.aim, verdict)
}

// sample is a list of measured times.
type sample []time.Duration

// at is the value below which the given share lies, in milliseconds.
func (s sample) at(share float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return ms(sorted[min(int(share*float64(len(sorted))), len(sorted)-1)])
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// passes is how often what takes long is measured; medians are reported.
const passes = 5

// BenchmarkStart measures exec to hello-ok, exec to everything running and connected, and SIGTERM to exit.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		e := New(b)
		e.Start() // warms the files, and makes the journal
		e.Stop()
		var hello, running, stop sample
		for range passes {
			began := time.Now()
			e.Launch()
			e.Client()
			hello = append(hello, time.Since(began))
			e.AwaitReady()
			running = append(running, time.Since(began))
			stop = append(stop, e.Stop())
		}
		bar{"exec-to-hello-ok", "ms", 80, 40}.report(b, hello.at(0.5))
		bar{"exec-to-workers-running", "ms", 500, 250}.report(b, running.at(0.5))
		bar{"SIGTERM-to-exit", "ms", 1000, 250}.report(b, stop.at(0.5))
	}
}

// BenchmarkIdleMemory measures what an installation weighs that has nothing to do.
func BenchmarkIdleMemory(b *testing.B) {
	for b.Loop() {
		e := New(b)
		e.Configure(func(c Config) { delete(c, "channels") })
		e.Start()
		e.CloseClient()
		sum := e.weigh(b)
		bar{"idle-2-processes-PSS", "MiB", 60, 55}.report(b, sum.pss)
		bar{"idle-2-processes-dirty", "MiB", 25, 15}.report(b, sum.dirty)
		e.Stop()

		e = New(b)
		e.Start()
		e.CloseClient()
		sum = e.weigh(b)
		bar{"idle-with-telegram-PSS", "MiB", 0, 0}.report(b, sum.pss)
		bar{"idle-with-telegram-dirty", "MiB", 0, 0}.report(b, sum.dirty)
		e.Stop()
	}
}

// weigh shows the memory of each process of an Env, and gives the sum.
func (e *Env) weigh(b *testing.B) weight {
	b.Helper()
	var sum weight
	for _, l := range e.Living() {
		w, err := weighProcess(l.PID)
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%-42s %9.2f MiB PSS, %.2f MiB dirty", l.Command[:min(len(l.Command), 42)], w.pss, w.dirty)
		sum.pss += w.pss
		sum.dirty += w.dirty
	}
	return sum
}

// BenchmarkHealth measures the round trip of health, one request in flight.
func BenchmarkHealth(b *testing.B) {
	for b.Loop() {
		e := New(b)
		e.Start()
		w, err := e.dialWire(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		var times sample
		for i := range 5500 {
			id := fmt.Sprintf("h%d", i)
			request := fmt.Appendf(nil, `{"type":"req","id":%q,"method":"health"}`, id)
			began := time.Now()
			if err := w.call(b.Context(), id, request); err != nil {
				b.Fatal(err)
			}
			if i >= 500 {
				times = append(times, time.Since(began))
			}
		}
		w.close()
		bar{"health-p50", "ms", 0.08, 0.04}.report(b, times.at(0.5))
		bar{"health-p99", "ms", 0.6, 0.25}.report(b, times.at(0.99))
		e.Stop()
	}
}

// BenchmarkWorkerCrash measures SIGKILL of a worker until a client knows, and until it runs
// again, each as the first crash of a worker that an operator has just restarted.
func BenchmarkWorkerCrash(b *testing.B) {
	for b.Loop() {
		e := New(b)
		e.Start()
		for _, id := range []string{telegramID, agentdID} {
			var known, running sample
			for range passes {
				e.MustCLI("workers", "restart", id)
				e.AwaitReady()
				events := e.Hear(protocol.EventWorker)
				pid := e.Worker(id).PID
				began := time.Now()
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					b.Fatal(err)
				}
				events.Await("of the death", tellsExit(id))
				known = append(known, time.Since(began))
				events.Await("running", IsWorker(id, protocol.WorkerRunning))
				running = append(running, time.Since(began))
				events.Close()
			}
			bar{id + "-SIGKILL-to-known", "ms", 10, 4}.report(b, known.at(0.5))
			bar{id + "-SIGKILL-to-running", "ms", 200, 80}.report(b, running.at(0.5))
		}
		e.Stop()
	}
}

// messagePace keeps below both of Telegram's limits: 30 messages a second, one a second in a chat.
const messagePace = 250 * time.Millisecond / 4

// BenchmarkMessage measures a message from the fake network until its answer is there, with
// a model that takes no time. Everything is stored on the way. Messages come seldom enough
// that the network's pacing holds none of them up.
func BenchmarkMessage(b *testing.B) {
	for b.Loop() {
		e := New(b)
		e.Start()
		var times sample
		pace := time.NewTicker(messagePace)
		defer pace.Stop()
		for i := range 110 {
			<-pace.C
			chat := int64(800 + i%20)
			answer := fmt.Sprintf("answer %d", i)
			began := time.Now()
			e.Say(chat, "say: "+answer)
			if _, err := e.Telegram.AwaitSend(b.Context(), telegram.Saying(chat, answer)); err != nil {
				b.Fatal(err)
			}
			if i >= 10 {
				times = append(times, time.Since(began))
			}
		}
		bar{"message-in-to-answer-out-p50", "ms", 8, 3}.report(b, times.at(0.5))
		bar{"message-in-to-answer-out-p99", "ms", 0, 0}.report(b, times.at(0.99))
		e.Stop()
	}
}
