package worker

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkCrashToRunning measures from SIGKILL to the event of the death (known-ms) and
// to the next process being running (ns/op).
func BenchmarkCrashToRunning(b *testing.B) {
	p := quick()
	p.BackoffFirst, p.BackoffMax = time.Nanosecond, time.Nanosecond // measures the start, not the wait
	s := runPool(b, Config{Policy: p})
	s.apply(s.fault("a", nil))
	up, n := s.sink.awaitEvent(b, 0, "running", is("a", Running))
	var known time.Duration
	for b.Loop() {
		began := time.Now()
		if err := syscall.Kill(up.PID, syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
		_, n = s.sink.awaitEvent(b, n, "the death", func(e Event) bool { return e.Exit != nil })
		known += time.Since(began)
		up, n = s.sink.awaitEvent(b, n, "running again", is("a", Running))
	}
	b.ReportMetric(float64(known.Microseconds())/1000/float64(b.N), "known-ms")
}

// BenchmarkStartSix measures the parallel start of six workers, to all of them running.
func BenchmarkStartSix(b *testing.B) {
	for b.Loop() {
		s := runPool(b, Config{Policy: quick()})
		var specs []Spec
		for i := range 6 {
			specs = append(specs, s.fault(fmt.Sprint("w", i), nil))
		}
		s.apply(specs...)
		for _, spec := range specs {
			s.sink.awaitEvent(b, 0, "running", is(spec.ID, Running))
		}
		b.StopTimer()
		s.stop()
		b.StartTimer()
	}
}
