package worker

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestAThousandInterleavings throws commands, crashes, hangs and changes of config at one
// owner in random order and time. played processes check that never two live at once; here it is checked
// that no wake-up is lost, that the failure count falls only by running time or command, and that in the end the
// last wish holds.
func TestAThousandInterleavings(t *testing.T) {
	const rounds, seed = 1000, 20260219
	for round := range rounds {
		synctest.Test(t, func(t *testing.T) { interleave(t, rand.New(rand.NewPCG(seed, uint64(round))), round) })
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
}

func interleave(t *testing.T, r *rand.Rand, round int) {
	s := newStage(t, Policy{})
	s.random = rand.New(rand.NewPCG(r.Uint64(), 0)).Float64 // a source of the owner's own
	s.perform(func() {
		on, revision := true, 1
		var asked []chan error
		var log []string
		var ran time.Time // when the process that was last seen running became so
		for range 12 {
			before := s.Status()
			if before.State == Running {
				ran = before.Since
			}
			cleared := false
			op := r.IntN(13)
			switch op {
			case 0, 1:
				s.crash()
			case 2:
				asked, on = append(asked, s.tell(verbStop)), false
			case 3:
				asked, on, cleared = append(asked, s.tell(verbStart)), true, true
			case 4:
				asked, on, cleared = append(asked, s.tell(verbRestart)), true, true
			case 5:
				asked = append(asked, s.tell(verbKill))
			case 6:
				revision++
				s.box.put(command{verb: verbApply, spec: s.spec(fmt.Sprint(revision))})
			case 7:
				asked = append(asked, s.tell(verbReconfigure))
			case 8:
				// A missed probe and a crash in the same moment.
				s.behave(behaviour{deaf: true, ignoreTerm: r.IntN(2) == 0})
				time.Sleep(16 * time.Second)
				s.crash()
			case 9:
				s.behave(behaviour{start: []string{"exit", "hang", "terminal"}[r.IntN(3)], ignoreTerm: r.IntN(2) == 0})
			case 10:
				s.behave(behaviour{ignoreDrain: true, ignoreTerm: r.IntN(2) == 0})
			case 11:
				s.behave(behaviour{})
			case 12:
				s.replace(fmt.Sprint(revision))
			}
			log = append(log, fmt.Sprint(op))
			if r.IntN(3) > 0 {
				synctest.Wait()
			}
			if r.IntN(2) == 0 {
				time.Sleep(time.Duration(r.Int64N(int64(30 * time.Second))))
			}
			synctest.Wait()
			after := s.Status()
			// No step lasts a minute, so that only a process that ran before it can have halved the count.
			halved := (before.State == Running || before.State == Draining) && time.Since(ran) >= time.Minute
			if after.Failures < before.Failures && !cleared && !halved {
				t.Errorf("round %d after %v: failures fell from %v to %v", round, log, before.Failures, after.Failures)
			}
			if after.Restarts < before.Restarts {
				t.Errorf("round %d after %v: restarts fell from %d to %d", round, log, before.Restarts, after.Restarts)
			}
		}
		s.behave(behaviour{})
		time.Sleep(time.Minute) // a start that is refused may take its time to end
		synctest.Wait()
		if s.Status().State == Terminal || round%2 == 0 { // else it must come back by itself
			revision++
			s.box.put(command{verb: verbApply, spec: s.spec(fmt.Sprint(revision))})
		}
		// The longest way is a drain and both signals, twice, then the longest wait.
		time.Sleep(7 * time.Minute)
		synctest.Wait()
		st := s.Status()
		if want := map[bool]State{true: Running, false: Stopped}[on]; st.State != want {
			t.Errorf("round %d after %v: state is %s, want %s", round, log, st.State, want)
		}
		s.mu.Lock()
		if on && s.lives[len(s.lives)-1].spec.Revision != fmt.Sprint(revision) {
			t.Errorf("round %d after %v: the running one is of an old revision", round, log)
		}
		s.mu.Unlock()
		for i, c := range asked {
			select {
			case <-c:
			default:
				t.Errorf("round %d after %v: command %d has no answer", round, log, i)
			}
		}
	})
}

// replace removes the worker and applies it again at once: in between its owner could retire.
func (s *stage) replace(revision string) {
	s.box.mu.Lock()
	s.box.commands = append(s.box.commands, command{verb: verbRemove})
	s.box.commands = append(s.box.commands, command{verb: verbApply, spec: s.spec(revision)})
	s.box.mu.Unlock()
	select {
	case s.box.wake <- struct{}{}:
	default:
	}
}
