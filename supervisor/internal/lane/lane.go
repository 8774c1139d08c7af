// Package lane gives each session one run at a time.
//
// Lanes owns the order: jobs of one session key run one after the other, in the
// order of Submit, and at most Limit jobs of all keys run at once. Nothing here is
// stored: what waits is known to the journal, and is submitted again after a start.
//
// Concurrency: all methods may be called from any goroutine. Jobs run in goroutines
// that Lanes starts and Run waits for. Lanes never looks into a job, and never ends one
// except through the context it gave it.
package lane

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// DefaultLimit is how many jobs of all sessions run at once (agents.defaults.maxConcurrent).
const DefaultLimit = 4

// slowWait is how long a job may wait before that is said in the log.
const slowWait = 2 * time.Second

// Job is one thing to do in a session.
type Job struct {
	// ID names the job for Remove and for the log.
	ID string
	// Do does it. ctx ends when Lanes is stopped.
	Do func(ctx context.Context)
	// Dropped, which may be nil, is called instead of Do when the job is removed before its turn.
	Dropped func()
}

// Config is what New needs.
type Config struct {
	// Limit of jobs at once; 0 = DefaultLimit.
	Limit int
	Log   *slog.Logger
}

// Lanes runs jobs.
type Lanes struct {
	log *slog.Logger

	mu      sync.Mutex // guards all below
	limit   int
	running int
	lanes   map[string]*lane
	ready   []*lane // lanes that have a job and are not busy, in order of their wish
	stopped bool
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

type lane struct {
	key    string
	busy   bool
	queued bool // stands in ready
	jobs   []waiting
}

type waiting struct {
	Job
	since time.Time
}

// New makes Lanes; jobs run from the first Submit on.
func New(cfg Config) *Lanes {
	if cfg.Limit <= 0 {
		cfg.Limit = DefaultLimit
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Lanes{log: cfg.Log, limit: cfg.Limit, lanes: map[string]*lane{}, ctx: ctx, cancel: cancel}
}

// SetLimit changes how many jobs run at once; jobs that run already are not touched.
func (l *Lanes) SetLimit(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n > 0 {
		l.limit = n
		l.dispatch()
	}
}

// Submit puts a job at the end of its session's lane. It never blocks; it reports
// false when Lanes was stopped, and the job is then not taken.
func (l *Lanes) Submit(key string, j Job) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false
	}
	ln := l.lanes[key]
	if ln == nil {
		ln = &lane{key: key}
		l.lanes[key] = ln
	}
	ln.jobs = append(ln.jobs, waiting{j, time.Now()})
	l.want(ln)
	l.dispatch()
	return true
}

// Depth is how many jobs of a session wait, the running one not counted.
func (l *Lanes) Depth(key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ln := l.lanes[key]; ln != nil {
		return len(ln.jobs)
	}
	return 0
}

// Busy reports whether a job of the session runs.
func (l *Lanes) Busy(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.lanes[key]
	return ln != nil && ln.busy
}

// Waiting is how many jobs of all sessions wait, and Running how many run.
func (l *Lanes) Waiting() (waiting, running int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ln := range l.lanes {
		waiting += len(ln.jobs)
	}
	return waiting, l.running
}

// Clear removes the jobs of a session that wait and returns their ids; the running one goes on.
func (l *Lanes) Clear(key string) []string {
	l.mu.Lock()
	var dropped []waiting
	if ln := l.lanes[key]; ln != nil {
		dropped = ln.jobs
		ln.jobs = nil
		l.forget(ln)
	}
	l.mu.Unlock()
	ids := make([]string, 0, len(dropped))
	for _, j := range dropped {
		ids = append(ids, j.ID)
		if j.Dropped != nil {
			j.Dropped()
		}
	}
	return ids
}

// Remove takes one job out of its session's lane; false when it runs already, or is not there.
func (l *Lanes) Remove(key, id string) bool {
	l.mu.Lock()
	var dropped func()
	found := false
	if ln := l.lanes[key]; ln != nil {
		for i, j := range ln.jobs {
			if j.ID == id {
				ln.jobs = append(ln.jobs[:i:i], ln.jobs[i+1:]...)
				dropped, found = j.Dropped, true
				break
			}
		}
		l.forget(ln)
	}
	l.mu.Unlock()
	if dropped != nil {
		dropped()
	}
	return found
}

// Stop takes no more jobs, ends the context of those that run, and waits for them.
// What waited is forgotten here and stays in the journal.
func (l *Lanes) Stop() {
	l.mu.Lock()
	l.stopped = true
	l.ready = nil
	for _, ln := range l.lanes {
		ln.jobs = nil
	}
	l.mu.Unlock()
	l.cancel()
	l.wg.Wait()
}

// want, dispatch, finished and forget are called with mu held.
func (l *Lanes) want(ln *lane) {
	if !ln.busy && !ln.queued && len(ln.jobs) > 0 {
		ln.queued = true
		l.ready = append(l.ready, ln)
	}
}

func (l *Lanes) dispatch() {
	for l.running < l.limit && len(l.ready) > 0 && !l.stopped {
		ln := l.ready[0]
		l.ready = l.ready[1:]
		ln.queued = false
		if ln.busy || len(ln.jobs) == 0 {
			l.forget(ln)
			continue
		}
		j := ln.jobs[0]
		ln.jobs = ln.jobs[1:]
		ln.busy = true
		l.running++
		if waited := time.Since(j.since); waited > slowWait {
			l.log.Info("job waited for its lane", "session", ln.key, "job", j.ID, "waited", waited.Round(time.Millisecond))
		}
		l.wg.Go(func() {
			defer l.finished(ln)
			j.Do(l.ctx)
		})
	}
}

func (l *Lanes) finished(ln *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln.busy = false
	l.running--
	l.want(ln)
	l.forget(ln)
	l.dispatch()
}

func (l *Lanes) forget(ln *lane) {
	if !ln.busy && len(ln.jobs) == 0 && l.lanes[ln.key] == ln && !ln.queued {
		delete(l.lanes, ln.key)
	}
}
