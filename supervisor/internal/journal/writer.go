package journal

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

const (
	// maxBatch is how many functions share one fsync at most, so that none waits long for others.
	maxBatch = 512
	// probeEvery is how often a journal that cannot be written is tried again while nobody else tries.
	probeEvery = time.Second
	// firstSweep and sweepEvery are when rows that are over for long are forgotten.
	firstSweep = time.Minute
	sweepEvery = time.Hour
)

// job is one function that waits for the writer.
type job struct {
	fn    func(*Tx) error
	done  func(error)
	taken atomic.Bool // by the writer, or by a caller that gave up
	tx    *Tx
	err   error
}

// queue holds the jobs that wait, in order.
type queue struct {
	wake    chan struct{} // capacity 1
	stopped chan struct{} // closed by close

	mu     sync.Mutex // guards all below
	jobs   []*job
	closed bool
}

func (q *queue) add(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.jobs = append(q.jobs, j)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

func (q *queue) take() []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.jobs), maxBatch)
	batch := q.jobs[:n:n]
	if q.jobs = q.jobs[n:]; len(q.jobs) == 0 {
		q.jobs = nil
	}
	return batch
}

func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.closed = true
	close(q.stopped)
	return true
}

// Update runs fn in a transaction and returns once that is fsynced, or nothing of it is
// stored. An error of fn undoes fn and comes back as it is. When ctx ends before fn was
// begun, fn never runs and the error is that of ctx; once begun, the true outcome is waited for.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	result := make(chan error, 1)
	j := &job{fn: fn, done: func(err error) { result <- err }}
	if !db.queue.add(j) {
		return ErrClosed
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return <-result
	}
}

// Submit is Update without waiting: done is called with the outcome, on the writer's
// goroutine, in the order of Submit, before the functions of any later group begin. done
// must be quick and must not use the journal, except that it may Submit. ErrClosed is told by done too.
func (db *DB) Submit(fn func(*Tx) error, done func(error)) {
	if !db.queue.add(&job{fn: fn, done: done}) {
		done(ErrClosed)
	}
}

// View runs fn on a snapshot of what is stored. It waits for other readers at most, never for the writer.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	c, err := db.pool.take(ctx)
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	defer db.pool.give(c)
	if err := c.exec("BEGIN"); err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	defer func() { _ = c.exec("ROLLBACK") }()
	return fn(&Tx{conn: c, nowMS: clock.Millis(db.clock), read: true})
}

// write is the writer: it ends when the queue is closed and empty.
func (db *DB) write() {
	probe := db.clock.NewTimer(probeEvery)
	probe.Stop()
	defer probe.Stop()
	sweep := db.clock.NewTimer(firstSweep)
	defer sweep.Stop()
	for {
		batch := db.queue.take()
		if len(batch) == 0 {
			select {
			case <-db.queue.stopped:
				if batch = db.queue.take(); len(batch) == 0 {
					return
				}
			case <-db.queue.wake:
				continue
			case <-probe.C():
				batch = []*job{{fn: probeWrite, done: func(error) {}}}
			case <-sweep.C():
				sweep.Reset(sweepEvery)
				batch = []*job{{fn: sweepOld, done: db.swept}}
			}
		}
		db.run(batch)
		if db.Condition().Code != ConditionOK {
			probe.Reset(probeEvery)
		} else {
			probe.Stop()
		}
	}
}

func probeWrite(tx *Tx) error { return tx.SetMeta("probe", fmt.Sprint(tx.nowMS)) }

// run does one group in one SQLite transaction and tells everybody.
func (db *DB) run(batch []*job) {
	live := batch[:0]
	for _, j := range batch {
		if j.taken.CompareAndSwap(false, true) {
			live = append(live, j)
		}
	}
	if len(live) == 0 {
		return
	}
	err := db.attempt(live)
	if err != nil {
		_ = db.pool.writer.exec("ROLLBACK") // SQLite may have rolled back already; then this says so
		for _, j := range live {
			if j.err == nil || Retryable(j.err) {
				j.err = err
			}
		}
	}
	db.observe(err)
	for _, j := range live {
		if j.tx == nil {
			continue
		}
		hooks := j.tx.onCommit
		if j.err != nil {
			hooks = j.tx.onRollback
		}
		for _, f := range hooks {
			f()
		}
	}
	for _, j := range live {
		j.done(j.err)
	}
}

// attempt returns an error when the whole group failed; errors of single functions are in their jobs.
func (db *DB) attempt(live []*job) error {
	c := db.pool.writer
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	now := clock.Millis(db.clock)
	for _, j := range live {
		j.tx = &Tx{conn: c, nowMS: now}
		if err := c.exec("SAVEPOINT one"); err != nil {
			return err
		}
		j.err = call(j.fn, j.tx)
		if j.tx.fault != nil {
			return j.tx.fault
		}
		if j.err != nil {
			if err := c.exec("ROLLBACK TO one"); err != nil {
				return err
			}
		}
		if err := c.exec("RELEASE one"); err != nil {
			return err
		}
	}
	return c.exec("COMMIT")
}

// call runs fn; a panic in it becomes its error, so that the writer lives on for the others.
func call(fn func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("journal transaction panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(tx)
}

// direct runs fn outside the writer goroutine: before it starts, or after it ended.
func (db *DB) direct(fn func(*Tx) error) error {
	j := &job{fn: fn}
	if err := db.attempt([]*job{j}); err != nil {
		_ = db.pool.writer.exec("ROLLBACK")
		return err
	}
	return j.err
}
