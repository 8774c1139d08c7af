package worker

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

// Worker is one child of the pool, over all its processes. Its owner goroutine alone
// decides; everybody else reads what it has published.
type Worker struct {
	id       string
	policy   Policy
	clock    clock.Clock
	sink     Sink
	logger   *slog.Logger
	launcher launcher
	recorder *recorder
	retire   func(*Worker) bool
	random   func() float64
	box      *mailbox
	output   *output

	// Below: the owner's alone.
	spec     Spec
	life     life
	lives    uint64
	desired  bool // not stopped by the operator
	removed  bool
	quitting bool
	failures float64
	ending   *ending
	// stale: the living process was started for an older spec.
	stale   bool
	struck  bool // SIGKILL was sent
	failure *startFailure
	ran     time.Time // when the present life became running
	misses  int
	step    step
	timer   clock.Timer
	probe   clock.Timer
	waiters []waiter
	reconf  []command // Reconfigure, until its life answers
	ticks   uint64    // of the present process, as executable
	exe     string

	mu     sync.Mutex // guards what is published
	status Status
	handle *Handle
}

// ending says that the present life is to go, and why.
type ending struct {
	kind ExitKind
	// again: start the next one at once, without counting a failure.
	again bool
}

// step is the one thing that the owner's timer is set for.
type step int

const (
	stepNone         step = iota
	stepStart             // the wait of a backoff is over
	stepStartTimeout      // not running in time
	stepTerm              // the drain took too long
	stepKill              // SIGTERM or SIGABRT was not enough
	stepLost              // the line broke and the process lives on
	stepStuck             // even SIGKILL did not end it
)

// goal is what the giver of a command waits for.
type goal int

const (
	goalRunning goal = iota
	goalStopped
	goalGone
)

type waiter struct {
	goal  goal
	reply func(error)
}

func newWorker(s Spec, cfg Config, r *recorder, retire func(*Worker) bool) *Worker {
	w := &Worker{
		id: s.ID, policy: cfg.Policy, clock: cfg.Clock, sink: cfg.Sink, recorder: r, retire: retire, random: randomShare,
		logger: cfg.Logger.With(keyWorker, s.ID), box: newMailbox(), output: newOutput(cfg.Policy.LastWords),
		spec: s, desired: true,
	}
	w.status = Status{ID: s.ID, Kind: s.Kind, State: Stopped, Since: cfg.Clock.Now(), Executable: s.Path}
	return w
}

// remember takes over what is known from a former life of the supervisor. Called before run.
func (w *Worker) remember(r Record) {
	w.desired = !r.Off
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Restarts = r.Restarts
	w.status.StoppedByOperator = r.Off
	var e Exit
	if r.LastExit != "" && json.Unmarshal([]byte(r.LastExit), &e) == nil {
		w.status.LastExit = &e
	}
}

// record is what is to be remembered.
func (w *Worker) record() Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := Record{ID: w.id, Off: w.status.StoppedByOperator, Restarts: w.status.Restarts}
	if w.status.PID != 0 {
		r.PID, r.StartTicks, r.Executable = w.status.PID, w.ticks, w.exe
	}
	if w.status.LastExit != nil {
		if b, err := json.Marshal(w.status.LastExit); err == nil {
			r.LastExit = string(b)
		}
	}
	return r
}

func (w *Worker) save(done chan<- error) { w.recorder.save(w.record(), done) }

// Status gives the worker as it is now.
func (w *Worker) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	s.Accounts = slices.Clone(s.Accounts)
	s.LastWords = slices.Clone(s.LastWords)
	s.Health.QueueDepths = maps.Clone(s.Health.QueueDepths)
	return s
}

// Handle gives the running process, or a *NotRunningError.
func (w *Worker) Handle() (Handle, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.handle == nil {
		return Handle{}, w.notRunning()
	}
	return *w.handle, nil
}

// notRunning is called with mu held.
func (w *Worker) notRunning() *NotRunningError {
	return &NotRunningError{Worker: w.id, State: w.status.State, Condition: w.status.Condition, StoppedByOperator: w.status.StoppedByOperator}
}

// run is the owner. It returns when the worker is removed or ctx has ended, and no
// process is left.
func (w *Worker) run(ctx context.Context) {
	w.timer, w.probe = w.clock.NewTimer(time.Hour), w.clock.NewTimer(time.Hour)
	w.timer.Stop()
	w.probe.Stop()
	quit := ctx.Done()
	if w.desired {
		w.launch(nil, nil)
	} else {
		w.enter(Stopped, stoppedByOperator(), nil, nil)
	}
	for {
		if w.life == nil && (w.removed || w.quitting) && w.retire(w) {
			w.answerAll(ErrNotServing)
			return
		}
		var events <-chan lifeEvent
		if w.life != nil {
			events = w.life.events()
		}
		select {
		case <-quit:
			quit = nil
			w.quit()
		case <-w.box.wake:
			for _, c := range w.box.take() {
				w.obey(c)
			}
		case ev := <-events:
			w.heard(ev)
		case <-w.timer.C():
			w.due()
		case <-w.probe.C():
			w.life.probe(w.policy.ProbeTimeout)
			w.probe.Reset(w.policy.ProbeEvery)
		}
	}
}

// wait sets the one next step.
func (w *Worker) wait(s step, d time.Duration) {
	w.step = s
	w.timer.Reset(d)
}

func (w *Worker) waitForNothing() {
	w.step = stepNone
	w.timer.Stop()
}

// enter publishes a transition. exit and words are given when a process has just ended.
func (w *Worker) enter(s State, c *Condition, exit *Exit, words []string) {
	now := w.clock.Now()
	w.mu.Lock()
	st := &w.status
	if st.State != s {
		st.Since = now
	}
	st.State, st.Condition = s, c
	if s != Backoff {
		st.NextTry = time.Time{}
	}
	if exit != nil {
		st.LastExit, st.LastWords = exit, words
	}
	ev := Event{Worker: w.id, Kind: w.spec.Kind, State: s, PID: st.PID, Restarts: st.Restarts, Exit: exit, Condition: c, LastWords: words, TSMS: now.UnixMilli()}
	w.mu.Unlock()
	attrs := []any{keyState, s, keyRestarts, ev.Restarts}
	level := slog.LevelInfo
	if ev.PID != 0 {
		attrs = append(attrs, keyPID, ev.PID)
	}
	if exit != nil {
		attrs = append(attrs, keyExit, exit.String())
		if !exit.Kind.asked() {
			level = slog.LevelWarn
		}
	}
	if c != nil {
		attrs = append(attrs, keyCode, c.Code, keyText, c.Text)
		if s == Terminal {
			level = slog.LevelError
		}
	}
	w.logger.Log(context.Background(), level, "worker "+string(s), attrs...)
	w.sink.WorkerEvent(ev)
}

// launch starts the next process; there must be none. exit and words are those of the
// one that has just ended, if any.
func (w *Worker) launch(exit *Exit, words []string) {
	w.waitForNothing()
	w.ending, w.failure, w.stale, w.struck, w.misses, w.ran = nil, nil, false, false, 0, time.Time{}
	if u := w.spec.Unavailable; u != nil {
		w.enter(Terminal, u, exit, words)
		w.reach(goalRunning, w.refusal())
		return
	}
	w.lives++
	w.mu.Lock()
	w.status.Kind, w.status.Executable, w.status.Version = w.spec.Kind, w.spec.Path, ""
	w.status.Accounts, w.status.Health, w.status.Resident = nil, plugin.HealthReport{}, 0
	restarts := w.status.Restarts
	// What was said of the last failure stays until this start came to something.
	c := w.status.Condition
	if c != nil && c.Code == CodeStoppedByUser {
		c = nil
	}
	w.mu.Unlock()
	w.wait(stepStartTimeout, w.policy.StartTimeout)
	w.life = w.launcher.launch(w.spec, w.lives, restarts, w.output)
	w.enter(Starting, c, exit, words)
}

// count sets the failure count.
func (w *Worker) count(failures float64) {
	w.failures = failures
	w.mu.Lock()
	w.status.Failures = failures
	w.mu.Unlock()
}

// countRestart counts a start that nobody asked for.
func (w *Worker) countRestart() {
	w.mu.Lock()
	w.status.Restarts++
	w.mu.Unlock()
}

// refusal is the present state as an error.
func (w *Worker) refusal() *NotRunningError {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.notRunning()
}
