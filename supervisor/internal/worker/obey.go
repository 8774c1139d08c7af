package worker

import (
	"slices"
	"syscall"
)

func stoppedByOperator() *Condition {
	return &Condition{Code: CodeStoppedByUser, Text: "stopped by the operator", Action: "openclaw workers start"}
}

// obey carries out one command, or begins to.
func (w *Worker) obey(c command) {
	if w.quitting && c.verb != verbKill {
		c.answer(ErrNotServing)
		return
	}
	switch c.verb {
	case verbApply:
		w.apply(c.spec)
	case verbRemove:
		w.removed = true
		w.answerAll(ErrUnknown)
		w.end(ending{kind: ExitDrained})
	case verbStart:
		w.start(c)
	case verbStop:
		w.stop(c)
	case verbRestart:
		w.restart(c)
	case verbKill:
		w.kill(c)
	case verbReconfigure:
		w.reconfigure(c)
	}
}

func (w *Worker) apply(s Spec) {
	returns := w.removed
	same := w.spec.sameProcess(s)
	w.spec, w.removed = s, false
	switch {
	case !w.desired:
	case w.life != nil && w.ending != nil:
		// It is on its way out; the next one is of the new spec.
		w.stale = w.stale || !same || returns
	case w.life != nil && !same:
		w.end(ending{kind: ExitDrained, again: true})
	case w.life == nil && (!same || returns || w.invalid()):
		w.launch(nil, nil)
	}
}

// invalid reports whether the worker waits for other settings.
func (w *Worker) invalid() bool {
	return w.status.State == Terminal && w.status.Condition != nil && w.status.Condition.Code == CodeInvalidConfig
}

// wants notes an operator's wish; done gets the outcome of storing it.
func (w *Worker) wants(on bool, done chan<- error) {
	w.desired = on
	w.mu.Lock()
	w.status.StoppedByOperator = !on
	w.mu.Unlock()
	w.save(done)
}

func (w *Worker) start(c command) {
	w.reach(goalStopped, ErrSuperseded)
	w.count(0)
	if !w.desired {
		w.wants(true, nil)
	}
	w.await(goalRunning, c)
	switch {
	case w.life == nil:
		w.launch(nil, nil)
	case w.ending != nil:
		w.stale = true
	case w.handle != nil:
		w.reach(goalRunning, nil)
	}
}

func (w *Worker) stop(c command) {
	w.reach(goalRunning, ErrSuperseded)
	w.wants(false, c.stored)
	w.await(goalStopped, c)
	if w.life != nil {
		w.end(ending{kind: ExitDrained})
		return
	}
	w.waitForNothing()
	w.enter(Stopped, stoppedByOperator(), nil, nil)
	w.reach(goalStopped, nil)
}

func (w *Worker) restart(c command) {
	w.reach(goalStopped, ErrSuperseded)
	w.reach(goalRunning, ErrSuperseded)
	w.count(0)
	if !w.desired {
		w.wants(true, nil)
	}
	w.await(goalRunning, c)
	switch {
	case w.life == nil:
		w.launch(nil, nil)
	case w.ending != nil:
		w.stale = true
	default:
		w.end(ending{kind: ExitDrained, again: true})
	}
}

func (w *Worker) kill(c command) {
	if w.life == nil {
		c.answer(w.refusal())
		return
	}
	w.await(goalGone, c)
	if w.ending == nil {
		w.ending = &ending{kind: ExitKilled, again: true}
		w.withdraw()
		w.life.cancel()
		w.enter(Draining, nil, nil, nil)
	}
	w.strike()
}

func (w *Worker) reconfigure(c command) {
	switch {
	case w.handle != nil:
		w.reconf = append(w.reconf, c)
		if len(w.reconf) == 1 {
			w.life.configure(w.spec)
		}
	case w.life != nil && w.ending == nil:
		// It is starting, perhaps past Configure: asked again once it runs.
		w.reconf = append(w.reconf, c)
	case w.life == nil && w.desired:
		w.await(goalRunning, c)
		w.launch(nil, nil)
	default:
		c.answer(w.refusal())
	}
}

// await makes c wait for a goal.
func (w *Worker) await(g goal, c command) {
	w.waiters = append(w.waiters, waiter{goal: g, reply: c.answer})
}

// reach answers all who wait for a goal.
func (w *Worker) reach(g goal, err error) {
	waiting := w.waiters
	w.waiters = nil
	for _, x := range waiting {
		if x.goal == g {
			x.reply(err)
			continue
		}
		w.waiters = append(w.waiters, x)
	}
}

// answerAll gives everybody who waits the same answer.
func (w *Worker) answerAll(err error) {
	for _, g := range []goal{goalRunning, goalStopped, goalGone} {
		w.reach(g, err)
	}
	w.answerReconfigured(err)
}

func (w *Worker) answerReconfigured(err error) {
	for _, c := range w.reconf {
		c.answer(err)
	}
	w.reconf = nil
}

// quit lets the worker go because the supervisor does.
func (w *Worker) quit() {
	w.quitting = true
	waits := slices.Clone(w.waiters)
	w.waiters = slices.DeleteFunc(waits, func(x waiter) bool {
		if x.goal == goalRunning {
			x.reply(ErrNotServing)
			return true
		}
		return false
	})
	w.end(ending{kind: ExitDrained})
}

// end makes the present life go as e says. Where it is going already only what
// comes after it is changed. Without a life it makes the worker stopped.
func (w *Worker) end(e ending) {
	if w.life == nil {
		w.waitForNothing()
		if w.status.State != Stopped && w.status.State != Terminal {
			w.enter(Stopped, nil, nil, nil)
		}
		return
	}
	if w.ending != nil {
		w.ending.again = w.ending.again && e.again
		w.stale = false
		return
	}
	w.ending = &e
	ran := w.withdraw()
	w.enter(Draining, w.status.Condition, nil, nil)
	if ran {
		w.life.drain(w.policy.DrainTimeout)
		w.wait(stepTerm, w.policy.DrainTimeout)
		return
	}
	w.life.cancel()
	w.life.signal(syscall.SIGTERM)
	w.wait(stepKill, w.policy.TermWait)
}

// withdraw takes the handle away from everybody and reports whether there was one.
func (w *Worker) withdraw() bool {
	w.probe.Stop()
	w.mu.Lock()
	had := w.handle != nil
	w.handle = nil
	w.mu.Unlock()
	w.life.retire()
	return had
}

// abort ends a process that does not answer: its goroutines' dump first. A stopped
// process is woken for it, since a signal reaches it no other way.
func (w *Worker) abort(kind ExitKind, c *Condition) {
	w.ending = &ending{kind: kind}
	w.withdraw()
	w.life.cancel()
	w.enter(Draining, c, nil, nil)
	w.life.signal(syscall.SIGABRT)
	w.life.signal(syscall.SIGCONT)
	w.wait(stepKill, w.policy.AbortWait)
}

// strike ends the process at once.
func (w *Worker) strike() {
	w.struck = true
	w.life.signal(syscall.SIGKILL)
	w.wait(stepStuck, w.policy.TermWait)
}
