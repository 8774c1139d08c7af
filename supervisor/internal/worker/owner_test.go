package worker

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// starts gives the times, since the first, at which processes were started.
func (s *stage) starts() []time.Duration {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	var out []time.Duration
	var first int64
	for _, e := range s.sink.events {
		if e.State != Starting {
			continue
		}
		if out == nil {
			first = e.TSMS
		}
		out = append(out, time.Duration(e.TSMS-first)*time.Millisecond)
	}
	return out
}

func TestBackoffDoublesToItsBoundAndNeverGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{Jitter: -1})
		s.behave(behaviour{start: "exit"})
		s.perform(func() {
			time.Sleep(time.Hour)
			s.behave(behaviour{})
			time.Sleep(5 * time.Minute)
			s.now(Running)
			got := s.starts()
			var waits []time.Duration
			for i := 1; i < len(got); i++ {
				waits = append(waits, got[i]-got[i-1])
			}
			want := []time.Duration{0}
			for d := time.Second; d < 5*time.Minute; d *= 2 {
				want = append(want, d)
			}
			if len(waits) < len(want)+5 || !slices.Equal(waits[:len(want)], want) {
				t.Fatalf("waits are %v, want first %v", waits, want)
			}
			for _, w := range waits[len(want):] {
				if w != 5*time.Minute {
					t.Errorf("a later wait is %s, want 5m", w)
				}
			}
		})
	})
}

func TestJitterStaysInItsShare(t *testing.T) {
	p := DefaultPolicy()
	for _, share := range []float64{0, 0.25, 0.5, 0.999999} {
		got := p.jittered(100*time.Second, func() float64 { return share })
		want := 80*time.Second + time.Duration(share*40*float64(time.Second))
		if d := got - want; d < -time.Millisecond || d > time.Millisecond {
			t.Errorf("share %v gives %s, want %s", share, got, want)
		}
	}
	if got := p.jittered(0, func() float64 { return 1 }); got != 0 {
		t.Errorf("no wait became %s", got)
	}
}

func TestTheFailureCountHalvesWithRunningTimeAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{Jitter: -1})
		s.behave(behaviour{start: "exit"})
		s.perform(func() {
			time.Sleep(20 * time.Second) // 0, 0, 1, 3, 7, 15: six failures
			s.now(Backoff)
			if n := s.Status().Failures; n != 6 {
				t.Fatalf("%v failures, want 6", n)
			}
			s.behave(behaviour{})
			time.Sleep(12 * time.Second) // the wait of 16 s is over 31 s after the first start
			s.now(Running)
			time.Sleep(118 * time.Second) // one halving, not yet two
			s.crash()
			synctest.Wait()
			if n := s.Status().Failures; n != 4 {
				t.Errorf("%v failures after 6, a halving and one more; want 4", n)
			}
			time.Sleep(4 * time.Second)
			s.now(Running)
			time.Sleep(2 * time.Hour)
			s.crash()
			s.now(Running) // at once, as after a first failure
		})
	})
}

func TestACrashInBackoffOrAStopDuringItHasOneNextStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{Jitter: -1})
		s.behave(behaviour{start: "exit"})
		s.perform(func() {
			time.Sleep(4 * time.Second)
			s.now(Backoff)
			n := s.launched()
			if err := outcome(t, s.tell(verbStop)); err != nil {
				t.Errorf("stop: %v", err)
			}
			time.Sleep(time.Hour)
			s.now(Stopped)
			if s.launched() != n {
				t.Error("it was started although it is stopped")
			}
			st := s.Status()
			if !st.StoppedByOperator || st.Condition == nil || st.Condition.Code != CodeStoppedByUser {
				t.Errorf("status is %+v", st)
			}
			s.behave(behaviour{})
			if err := outcome(t, s.tell(verbStart)); err != nil {
				t.Errorf("start: %v", err)
			}
			s.now(Running)
			if f := s.Status().Failures; f != 0 {
				t.Errorf("%v failures after an explicit start", f)
			}
		})
	})
}

func TestCommandsWorkWhileBackingOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{Jitter: -1})
		s.behave(behaviour{start: "exit"})
		s.perform(func() {
			time.Sleep(40 * time.Second)
			s.now(Backoff)
			var not *NotRunningError
			if err := outcome(t, s.tell(verbRestart)); !errors.As(err, &not) {
				t.Errorf("restart says %v, want the worker's own error", err)
			}
			if err := outcome(t, s.tell(verbKill)); !errors.As(err, &not) {
				t.Errorf("kill says %v, want that there is no process", err)
			}
			s.behave(behaviour{})
			if err := outcome(t, s.tell(verbRestart)); err != nil {
				t.Errorf("restart: %v", err)
			}
			s.now(Running)
		})
	})
}

func TestAConfigChangeDuringAStartTakesEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{Jitter: -1})
		s.behave(behaviour{start: "hang"})
		s.perform(func() {
			s.now(Starting)
			s.behave(behaviour{})
			s.box.put(command{verb: verbApply, spec: s.spec("2")})
			s.now(Running)
			s.mu.Lock()
			defer s.mu.Unlock()
			if n := len(s.lives); n != 2 || s.lives[1].spec.Revision != "2" {
				t.Errorf("%d lives, the last one of revision %s", n, s.lives[n-1].spec.Revision)
			}
		})
	})
}

func TestAConfigChangeIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{Jitter: -1})
		s.perform(func() {
			for _, r := range []string{"2", "3", "4"} {
				s.box.put(command{verb: verbApply, spec: s.spec(r)})
				s.now(Running)
			}
			if st := s.Status(); st.Failures != 0 || st.Restarts != 0 || s.launched() != 4 {
				t.Errorf("%v failures, %d restarts, %d lives", st.Failures, st.Restarts, s.launched())
			}
		})
	})
}

func TestDeafIsFoundWithinTwentySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{})
		s.perform(func() {
			time.Sleep(time.Minute + 3*time.Second)
			began := time.Now()
			s.behave(behaviour{deaf: true, ignoreTerm: true})
			for s.Status().State == Running && time.Since(began) < time.Minute {
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
			}
			if took := time.Since(began); took > 20*time.Second || took < 10*time.Second {
				t.Errorf("found after %s", took)
			}
			s.behave(behaviour{deaf: true, ignoreTerm: true})
			s.mu.Lock()
			s.next = behaviour{}
			s.mu.Unlock()
			time.Sleep(2 * time.Second)
			s.now(Running)
			if got, want := s.signals(0), []syscall.Signal{syscall.SIGABRT, syscall.SIGCONT, syscall.SIGKILL}; !slices.Equal(got, want) {
				t.Errorf("it was sent %v, want %v", got, want)
			}
		})
	})
}

func TestQuietIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{})
		s.perform(func() {
			time.Sleep(24 * time.Hour)
			s.now(Running)
			if n := s.launched(); n != 1 {
				t.Errorf("%d lives in a quiet day", n)
			}
		})
	})
}

func TestTheOldOneIsGoneBeforeTheNewOneStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{})
		s.perform(func() {
			s.behave(behaviour{ignoreDrain: true, ignoreTerm: true, ignoreKill: true})
			s.mu.Lock()
			s.next = behaviour{}
			s.mu.Unlock()
			answer := s.tell(verbRestart)
			time.Sleep(10*time.Second - time.Millisecond)
			synctest.Wait()
			if got := s.signals(0); len(got) != 0 {
				t.Errorf("%v before the drain is over", got)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if got := s.signals(0); !slices.Equal(got, []syscall.Signal{syscall.SIGTERM}) {
				t.Errorf("%v after the drain, want SIGTERM", got)
			}
			time.Sleep(time.Hour) // not even SIGKILL helps: as with a process in the kernel's hands
			s.now(Draining)
			if got := s.signals(0); !slices.Equal(got, []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}) {
				t.Errorf("%v in the end", got)
			}
			if n := s.launched(); n != 1 {
				t.Errorf("%d lives although the first one is not gone", n)
			}
			s.crash()
			if err := outcome(t, answer); err != nil {
				t.Errorf("restart: %v", err)
			}
			s.now(Running)
		})
	})
}

func TestAKillIsNoFailureAndEndsADrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{Jitter: -1})
		s.perform(func() {
			for range 5 {
				if err := outcome(t, s.tell(verbKill)); err != nil {
					t.Errorf("kill: %v", err)
				}
				s.now(Running)
			}
			st := s.Status()
			if st.Failures != 0 || st.Restarts != 5 || st.LastExit.Kind != ExitKilled {
				t.Errorf("%v failures, %d restarts, last exit %s", st.Failures, st.Restarts, st.LastExit)
			}
			s.behave(behaviour{ignoreDrain: true, ignoreTerm: true})
			stop := s.tell(verbStop)
			s.now(Draining)
			if err := outcome(t, s.tell(verbKill)); err != nil {
				t.Errorf("kill: %v", err)
			}
			if err := outcome(t, stop); err != nil {
				t.Errorf("stop: %v", err)
			}
			s.now(Stopped)
		})
	})
}

func TestALaterCommandTakesTheEarlierOnesPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{})
		s.behave(behaviour{start: "hang", ignoreTerm: true})
		s.perform(func() {
			restart := s.tell(verbStart)
			s.now(Starting)
			stop := s.tell(verbStop)
			if err := outcome(t, restart); !errors.Is(err, ErrSuperseded) {
				t.Errorf("start says %v", err)
			}
			s.mu.Lock()
			s.next = behaviour{}
			s.mu.Unlock()
			start := s.tell(verbStart)
			if err := outcome(t, stop); !errors.Is(err, ErrSuperseded) {
				t.Errorf("stop says %v", err)
			}
			time.Sleep(5 * time.Second)
			if err := outcome(t, start); err != nil {
				t.Errorf("start: %v", err)
			}
			s.now(Running)
			if s.Status().StoppedByOperator {
				t.Error("it counts as stopped by the operator")
			}
		})
	})
}

func TestTerminalWaitsForAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Policy{})
		s.behave(behaviour{start: "terminal"})
		s.perform(func() {
			s.now(Terminal)
			time.Sleep(24 * time.Hour)
			if n := s.launched(); n != 1 {
				t.Errorf("%d starts although nothing has changed", n)
			}
			s.box.put(command{verb: verbApply, spec: s.spec("1")})
			s.now(Terminal)
			s.behave(behaviour{})
			s.box.put(command{verb: verbApply, spec: s.spec("2")})
			s.now(Running)
		})
	})
}

// TestASlowDeathIsNamedByItsOwnCause lets a process be given up as silent while it dies.
func TestASlowDeathIsNamedByItsOwnCause(t *testing.T) {
	for name, c := range map[string]struct {
		facts gone
		want  ExitKind
	}{
		"a panic":              {gone{exit: Exit{Code: 2}, panicked: true}, ExitPanic},
		"a signal of others":   {gone{exit: Exit{Code: -1, Signal: "SIGSEGV"}}, ExitSignal},
		"the system's SIGKILL": {gone{exit: Exit{Code: -1, Signal: "SIGKILL"}}, ExitSignal},
		"an exit":              {gone{exit: Exit{Code: 3}}, ExitFailed},
		"our own SIGABRT":      {gone{exit: Exit{Code: 2}}, ExitStalled},
		"that of another kind": {gone{exit: Exit{Code: -1, Signal: "SIGABRT"}}, ExitStalled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, Policy{AbortWait: time.Minute})
				s.perform(func() {
					s.behave(behaviour{deaf: true, ignoreTerm: true})
					time.Sleep(20 * time.Second)
					s.now(Draining)
					s.mu.Lock()
					l := s.lives[0]
					l.ended = true
					s.alive--
					s.next = behaviour{}
					l.out <- c.facts
					close(l.out)
					s.mu.Unlock()
					s.now(Running)
					if got := s.Status().LastExit.Kind; got != c.want {
						t.Errorf("exit is %s, want %s", got, c.want)
					}
				})
			})
		})
	}
}
