package worker

import (
	"math"
	"math/rand/v2"
	"time"
)

// Policy is the table of figures by which workers are kept alive. The zero value of a
// field means the default's; see DefaultPolicy.
type Policy struct {
	// StartTimeout bounds a start, up to the state running.
	StartTimeout time.Duration
	// BackoffFirst is the wait after the second failure in a row; the first failure is
	// restarted at once. It doubles up to BackoffMax, for ever.
	BackoffFirst, BackoffMax time.Duration
	// Jitter is the share by which a wait is made shorter or longer at random, 0 to 1. Negative = none.
	Jitter float64
	// HalveEvery is the running time that halves the failure count.
	HalveEvery time.Duration
	// QuickFailures is the failure count from which a worker is shown as backing off.
	QuickFailures int
	// ProbeEvery and ProbeTimeout are the health probe's; MissedProbes in a row mean dead.
	ProbeEvery, ProbeTimeout time.Duration
	MissedProbes             int
	// DrainTimeout is given to finish; then SIGTERM, and TermWait later SIGKILL.
	DrainTimeout, TermWait time.Duration
	// AbortWait is given to a process that does not answer to write its goroutine dump
	// after SIGABRT; then SIGKILL.
	AbortWait time.Duration
	// LostWait is how long a process may live on after its line broke.
	LostWait time.Duration
	// MemoryLimit is the resident size in bytes at which a channel worker is restarted,
	// AgentMemoryLimit the agent runtime's. Negative = none.
	MemoryLimit, AgentMemoryLimit int64
	// LastWords is how many lines of a worker's output are kept.
	LastWords int
}

// DefaultPolicy is the one table of defaults.
func DefaultPolicy() Policy {
	return Policy{
		StartTimeout:     20 * time.Second,
		BackoffFirst:     time.Second,
		BackoffMax:       5 * time.Minute,
		Jitter:           0.2,
		HalveEvery:       60 * time.Second,
		QuickFailures:    5,
		ProbeEvery:       5 * time.Second,
		ProbeTimeout:     time.Second,
		MissedProbes:     3,
		DrainTimeout:     10 * time.Second,
		TermWait:         2 * time.Second,
		AbortWait:        time.Second,
		LostWait:         time.Second,
		MemoryLimit:      256 << 20,
		AgentMemoryLimit: 1 << 30,
		LastWords:        50,
	}
}

// withDefaults fills in what was left zero.
func (p Policy) withDefaults() Policy {
	d := DefaultPolicy()
	fill(&p.StartTimeout, d.StartTimeout)
	fill(&p.BackoffFirst, d.BackoffFirst)
	fill(&p.BackoffMax, d.BackoffMax)
	fill(&p.Jitter, d.Jitter)
	fill(&p.HalveEvery, d.HalveEvery)
	fill(&p.QuickFailures, d.QuickFailures)
	fill(&p.ProbeEvery, d.ProbeEvery)
	fill(&p.ProbeTimeout, d.ProbeTimeout)
	fill(&p.MissedProbes, d.MissedProbes)
	fill(&p.DrainTimeout, d.DrainTimeout)
	fill(&p.TermWait, d.TermWait)
	fill(&p.AbortWait, d.AbortWait)
	fill(&p.LostWait, d.LostWait)
	fill(&p.MemoryLimit, d.MemoryLimit)
	fill(&p.AgentMemoryLimit, d.AgentMemoryLimit)
	fill(&p.LastWords, d.LastWords)
	return p
}

func fill[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Delay is the wait before the next start after failures in a row, without jitter: 0
// for the first one, then BackoffFirst doubling up to BackoffMax.
func (p Policy) Delay(failures int) time.Duration {
	if failures <= 1 {
		return 0
	}
	d := p.BackoffFirst
	for range failures - 2 {
		if d >= p.BackoffMax {
			break
		}
		d *= 2
	}
	return min(d, p.BackoffMax)
}

// jittered makes d shorter or longer by up to the policy's share.
func (p Policy) jittered(d time.Duration, random func() float64) time.Duration {
	if p.Jitter <= 0 || d <= 0 {
		return d
	}
	return time.Duration(float64(d) * (1 + p.Jitter*(2*random()-1)))
}

func randomShare() float64 { return rand.Float64() }

// decayed is the failure count after a stretch of running.
func (p Policy) decayed(failures float64, running time.Duration) float64 {
	if halves := int(running / p.HalveEvery); halves > 0 {
		failures = math.Ldexp(failures, -halves)
	}
	return failures
}
