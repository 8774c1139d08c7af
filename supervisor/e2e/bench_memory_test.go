package e2e

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// idleMemory measures what an installation weighs that has nothing to do, once with no
// channel configured and once with Telegram connected to its fake.
func (d *board) idleMemory(b *testing.B) {
	e := installation(b, func(c Config) { delete(c, "channels") })
	e.Start()
	d.weighIdle(b, e, []string{supervisorBinary, agentdBinary}, "nothing configured", goal{60, 55}, goal{25, 15})
	e.Stop()

	e = installation(b)
	e.Start()
	d.weighIdle(b, e, []string{supervisorBinary, agentdBinary, telegramBinary}, "with telegram", goal{}, goal{})
	e.Stop()
}

// weighIdle adds each process's memory and the sum, once they have come to rest.
func (d *board) weighIdle(b *testing.B, e *Env, programs []string, name string, pss, dirty goal) {
	b.Helper()
	e.CloseClient()
	e.writeBackPrograms(b)
	weights := e.atRest(b)
	if len(weights) != len(programs) {
		b.Fatalf("there live %v, want %v", weights, programs)
	}
	var sum weight
	for _, p := range programs {
		w, ok := weights[p]
		if !ok {
			b.Fatalf("%s is not among %v", p, weights)
		}
		d.add(b, fmt.Sprintf("idle, %s: %s, PSS", name, p), w.pss, "MiB", goal{})
		d.add(b, fmt.Sprintf("idle, %s: %s, dirty", name, p), w.dirty, "MiB", goal{})
		sum.pss += w.pss
		sum.dirty += w.dirty
	}
	d.add(b, fmt.Sprintf("idle, %s: sum, PSS", name), sum.pss, "MiB", pss)
	d.add(b, fmt.Sprintf("idle, %s: sum, dirty", name), sum.dirty, "MiB", dirty)
}

// Memory is at rest when its sum has not changed by more than restShare for restLooks
// looks; a tree that never rests is weighed as it is at the end of restLimit.
const (
	restEvery = 250 * time.Millisecond
	restShare = 0.005
	restLooks = 8
	restLimit = 20 * time.Second
)

// atRest weighs every process of an Env by the name of its program, when they are at rest.
func (e *Env) atRest(b *testing.B) map[string]weight {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), restLimit)
	defer cancel()
	tick := time.NewTicker(restEvery)
	defer tick.Stop()
	mark, calm := 0.0, 0
	for {
		weights, sum := e.weights(b)
		if math.Abs(sum-mark) > restShare*sum {
			mark, calm = sum, 0
		}
		if calm++; calm > restLooks {
			return weights
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return weights
		}
	}
}

// weights weighs every process of an Env now, and gives the sum of their PSS.
func (e *Env) weights(b *testing.B) (map[string]weight, float64) {
	b.Helper()
	weights, sum := map[string]weight{}, 0.0
	for _, l := range e.Living() {
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", l.PID))
		if err != nil {
			b.Fatal(err)
		}
		w, err := weighProcess(l.PID)
		if err != nil {
			b.Fatal(err)
		}
		name := filepath.Base(exe)
		if _, twice := weights[name]; twice {
			name += " " + strconv.Itoa(l.PID)
		}
		weights[name] = w
		sum += w.pss
	}
	return weights, sum
}

// writeBackPrograms has the kernel write the running programs to the disk. Until then their
// pages count as dirty, since they were linked a moment ago: an installed program's do not.
func (e *Env) writeBackPrograms(b *testing.B) {
	b.Helper()
	for _, l := range e.Living() {
		f, err := os.Open(fmt.Sprintf("/proc/%d/exe", l.PID))
		if err == nil {
			err = f.Sync()
			_ = f.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
