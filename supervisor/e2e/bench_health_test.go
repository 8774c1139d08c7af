package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// healthWarmUp requests come before the healthRounds that are counted.
const (
	healthWarmUp = 1000
	healthRounds = 10_000
)

// health measures the round trip of health with one request in flight, over a bare
// WebSocket: the time a client's library takes is not the supervisor's.
func (d *board) health(b *testing.B) {
	e := installation(b)
	e.Start()
	e.CloseClient()
	ctx, cancel := context.WithTimeout(b.Context(), 2*time.Minute)
	defer cancel()
	w, err := e.dialWire(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer w.close()
	ask := func(n int) time.Duration {
		id := fmt.Sprintf("health-%d", n)
		request := fmt.Appendf(nil, `{"type":"req","id":%q,"method":"health"}`, id)
		began := time.Now()
		if err := w.call(ctx, id, request); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	for n := range healthWarmUp {
		ask(n)
	}
	before, err := cpuOf(e.PID())
	if err != nil {
		b.Fatal(err)
	}
	times := make(spans, 0, healthRounds)
	for n := range healthRounds {
		times = append(times, ask(healthWarmUp+n))
	}
	after, err := cpuOf(e.PID())
	if err != nil {
		b.Fatal(err)
	}
	d.spans(b, "health, one in flight", times, time.Microsecond, goal{80, 40}, goal{600, 250})
	d.add(b, "health, the supervisor's CPU per request", float64(after-before)/float64(time.Microsecond)/healthRounds, "µs", goal{50, 30})
	e.Stop()
}

// cpuOf is the time that the threads of a process have run so far, which the kernel counts
// in nanoseconds. Threads that have ended are not in it; the Go runtime keeps its own.
func cpuOf(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, fmt.Errorf("the kernel does not tell the CPU time of pid %d", pid)
	}
	var sum time.Duration
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // a thread that has just ended
		}
		ran, _, _ := strings.Cut(string(data), " ")
		ns, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}
