package worker

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"syscall"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// heard takes what became of the present life.
func (w *Worker) heard(ev lifeEvent) {
	switch e := ev.(type) {
	case born:
		w.mu.Lock()
		w.ticks, w.exe = e.startTicks, e.executable
		w.status.PID = e.pid
		w.mu.Unlock()
		w.save(nil)
	case failed:
		w.startFailed(startFailure(e))
	case running:
		w.isRunning(e.handle)
	case accountTold:
		w.account(e.state)
	case lost:
		if w.ending == nil {
			w.withdraw()
			w.wait(stepLost, w.policy.LostWait)
		}
	case probed:
		w.isProbed(e)
	case drained:
		if w.ending != nil && w.step == stepTerm && e.err != nil {
			w.term()
		}
	case configured:
		w.answerReconfigured(e.err)
	case gone:
		w.isGone(e)
	}
}

// due takes the next step.
func (w *Worker) due() {
	s := w.step
	w.step = stepNone
	switch s {
	case stepStart:
		w.countRestart()
		w.launch(nil, nil)
	case stepStartTimeout:
		c := &Condition{Code: CodeStartTimeout, Text: fmt.Sprintf("did not become running within %s", w.policy.StartTimeout), Action: "openclaw workers logs " + w.id}
		w.failure = &startFailure{condition: *c}
		w.abort(ExitStartTimeout, c)
	case stepTerm:
		w.term()
	case stepKill:
		w.strike()
	case stepLost:
		w.abort(ExitLineLost, &Condition{Code: CodeCrashed, Text: "its line to the supervisor broke"})
	case stepStuck:
		w.logger.Error("process does not end on SIGKILL", keyPID, w.status.PID)
	}
}

func (w *Worker) term() {
	w.life.cancel()
	w.life.signal(syscall.SIGTERM)
	w.wait(stepKill, w.policy.TermWait)
}

func (w *Worker) startFailed(f startFailure) {
	if w.ending != nil {
		return
	}
	w.failure = &f
	if f.hang {
		c := f.condition
		w.abort(ExitStart, &c)
		return
	}
	w.ending = &ending{kind: ExitStart}
	w.life.cancel()
	w.life.signal(syscall.SIGTERM)
	w.wait(stepKill, w.policy.TermWait)
}

func (w *Worker) isRunning(h Handle) {
	if w.ending != nil {
		return
	}
	w.waitForNothing()
	w.ran = w.clock.Now()
	w.mu.Lock()
	w.handle = &h
	w.status.Version = h.Description.Version
	w.mu.Unlock()
	w.enter(Running, nil, nil, nil)
	w.reach(goalRunning, nil)
	w.probe.Reset(w.policy.ProbeEvery)
	if len(w.reconf) > 0 {
		w.life.configure(w.spec)
	}
}

func (w *Worker) isProbed(p probed) {
	if w.ending != nil || w.ran.IsZero() {
		return
	}
	if p.err != nil {
		w.misses++
		w.logger.Warn("health probe missed", "missed", w.misses, keyError, p.err)
		if w.misses >= w.policy.MissedProbes {
			w.abort(ExitStalled, &Condition{Code: CodeStalled, Text: fmt.Sprintf("did not answer %d health probes", w.misses), Action: "openclaw workers logs " + w.id})
		}
		return
	}
	w.misses = 0
	w.mu.Lock()
	w.status.Health, w.status.Resident = p.report, p.resident
	w.mu.Unlock()
	if limit := w.spec.memoryLimit(w.policy); limit > 0 && p.resident > limit {
		c := &Condition{Code: CodeMemory, Text: fmt.Sprintf("used %d MB of memory, over its limit of %d MB", p.resident>>20, limit>>20)}
		w.mu.Lock()
		w.status.Condition = c
		w.mu.Unlock()
		w.end(ending{kind: ExitMemory})
	}
}

// isGone decides what comes after an end.
func (w *Worker) isGone(g gone) {
	for range w.life.events() { // it is closed right after
	}
	w.life.retire()
	w.life = nil
	w.waitForNothing()
	w.probe.Stop()
	w.mu.Lock()
	w.ticks, w.exe = 0, ""
	w.handle, w.status.PID = nil, 0
	w.mu.Unlock()
	if !w.ran.IsZero() {
		w.count(w.policy.decayed(w.failures, w.clock.Now().Sub(w.ran)))
	}
	exit := w.exit(g)
	var words []string
	if !exit.Kind.asked() {
		words = g.words
	}
	w.next(&exit, words)
	w.answerReconfigured(w.refusal())
	w.reach(goalGone, nil)
	w.save(nil)
}

// exit puts the facts of an end and our own reasons together.
func (w *Worker) exit(g gone) Exit {
	e := g.exit
	e.AtMS = w.clock.Now().UnixMilli()
	switch {
	case e.Kind == ExitNotStarted:
	case w.ending != nil && w.itsOwn(g):
		w.byItself(&e, g)
	case w.ending != nil && w.ending.kind != ExitStart:
		e.Kind = w.ending.kind
	case w.ending != nil && (w.failure.terminal || w.failure.hang || e.Signal != "" && !g.panicked):
		e.Kind = ExitStart
	default:
		w.byItself(&e, g)
	}
	return e
}

// itsOwn reports whether a process that was given up died of its own fault all the same: on
// a busy machine a death takes its time, and looks like silence first.
func (w *Worker) itsOwn(g gone) bool {
	if w.ending.kind != ExitLineLost && w.ending.kind != ExitStalled {
		return false
	}
	ofSIGABRT := g.exit.Signal == "SIGABRT" || g.exit.Code == 2 // Go turns it into its dump and code 2
	return g.panicked || !w.struck && !ofSIGABRT
}

// byItself names an end by its facts alone.
func (w *Worker) byItself(e *Exit, g gone) {
	switch {
	case g.panicked:
		e.Kind = ExitPanic
	case e.Signal != "":
		e.Kind = ExitSignal
	case e.Code == 0:
		e.Kind = ExitEnded
	default:
		e.Kind = ExitFailed
	}
}

func (w *Worker) next(exit *Exit, words []string) {
	again := w.stale || w.ending != nil && w.ending.again
	switch {
	case w.removed || w.quitting:
		w.enter(Stopped, nil, exit, words)
		w.reach(goalStopped, nil)
	case !w.desired:
		w.enter(Stopped, stoppedByOperator(), exit, words)
		w.reach(goalStopped, nil)
	case again:
		if exit.Kind == ExitKilled {
			w.countRestart()
		}
		w.launch(exit, words)
	case w.failure != nil && w.failure.terminal:
		c := w.failure.condition
		w.enter(Terminal, &c, exit, words)
		w.reach(goalRunning, w.startError())
	default:
		w.failedAgain(exit, words)
	}
}

// startError is the worker's own error, for those who wait for it to run.
func (w *Worker) startError() error {
	refused := w.refusal()
	if w.failure != nil && w.failure.err != nil {
		return fmt.Errorf("%w: %w", refused, w.failure.err)
	}
	return refused
}

// failedAgain counts a failure and chooses between a start at once and a wait.
func (w *Worker) failedAgain(exit *Exit, words []string) {
	w.count(w.failures + 1)
	n := int(math.Floor(w.failures))
	c := &Condition{Code: CodeCrashed, Text: exit.String(), Action: "openclaw workers logs " + w.id}
	if w.failure != nil {
		c.Code, c.Text = w.failure.condition.Code, w.failure.condition.Text
	} else if old := w.status.Condition; w.ending != nil && old != nil {
		c.Code, c.Text = old.Code, old.Text
	}
	if n >= w.policy.QuickFailures {
		c.Code, c.Text = CodeBackingOff, fmt.Sprintf("failed %d times: %s", n, c.Text)
	}
	delay := w.policy.jittered(w.policy.Delay(n), w.random)
	w.mu.Lock()
	w.status.Condition = c
	w.status.NextTry = w.clock.Now().Add(delay)
	w.mu.Unlock()
	if delay <= 0 {
		w.reachFailed(c)
		w.countRestart()
		w.launch(exit, words)
		return
	}
	w.logger.Info("worker waits before it is started again", keyWait, delay.Round(time.Millisecond))
	w.wait(stepStart, delay)
	w.enter(Backoff, c, exit, words)
	w.reachFailed(c)
}

// reachFailed tells those who wait for running what went wrong.
func (w *Worker) reachFailed(c *Condition) {
	var err error = &NotRunningError{Worker: w.id, State: Backoff, Condition: c}
	if w.failure != nil && w.failure.err != nil {
		err = fmt.Errorf("%w: %w", err, w.failure.err)
	}
	w.reach(goalRunning, err)
}

// account publishes how an account stands, and tells of it where its phase or code changed.
func (w *Worker) account(a plugin.AccountState) {
	now := w.clock.Now()
	w.mu.Lock()
	accounts := &w.status.Accounts
	i, known := slices.BinarySearchFunc(*accounts, a.Account, func(s AccountStatus, id message.AccountID) int { return cmp.Compare(s.Account, id) })
	next := AccountStatus{AccountState: a, Since: now}
	changed := true
	if known {
		old := (*accounts)[i]
		if old.Phase == a.Phase {
			next.Since = old.Since
		}
		changed = old.Phase != a.Phase || old.Code != a.Code || old.Text != a.Text || old.Action != a.Action ||
			old.Receive.Code != a.Receive.Code || old.Send.Code != a.Send.Code
	}
	list := slices.Clone(*accounts)
	if known {
		list[i] = next
	} else {
		list = slices.Insert(list, i, next)
	}
	*accounts = list
	ev := Event{Worker: w.id, Kind: w.spec.Kind, State: w.status.State, PID: w.status.PID, Restarts: w.status.Restarts, Account: &a, TSMS: now.UnixMilli()}
	w.mu.Unlock()
	if changed {
		w.sink.WorkerEvent(ev)
	}
}
