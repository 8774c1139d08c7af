package worker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

// stage runs one owner over played processes, inside a bubble of false time.
type stage struct {
	*Worker
	t    testing.TB
	sink *recordingSink

	mu    sync.Mutex
	lives []*playedLife
	alive int
	// next says how the coming lives behave.
	next behaviour
}

// behaviour is how a played process answers.
type behaviour struct {
	// start: "" becomes running at once, "hang" never, "exit" ends with code 1, "terminal" cannot be helped.
	start                               string
	ignoreDrain, ignoreTerm, ignoreKill bool
	deaf                                bool // answers no probe
}

func newStage(t testing.TB, p Policy) *stage {
	s := &stage{t: t, sink: newSink()}
	cfg := Config{Policy: p.withDefaults(), Sink: s.sink, Clock: clock.System(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	s.Worker = newWorker(s.spec("1"), cfg, newRecorder(nil, cfg.Logger), func(w *Worker) bool { return w.box.close() })
	s.launcher = s
	return s
}

func (s *stage) spec(revision string) Spec {
	return Spec{ID: "w", Kind: plugin.KindChannel, Path: "/w", StateDir: "/s", Revision: revision,
		Configure: func(context.Context) (plugin.Configuration, error) { return plugin.Configuration{}, nil }}
}

// perform runs the owner until f has returned.
func (s *stage) perform(f func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.run(ctx)
	}()
	synctest.Wait()
	f()
	s.behave(behaviour{})
	cancel()
	<-done
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alive != 0 {
		s.t.Errorf("%d processes are left", s.alive)
	}
}

func (s *stage) launch(spec Spec, number uint64, _ int64, out *output) life {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.alive++; s.alive > 1 {
		s.t.Errorf("two processes live at once, the newer one is number %d", number)
	}
	l := &playedLife{stage: s, number: number, spec: spec, b: s.next, out: make(chan lifeEvent, 64)}
	s.lives = append(s.lives, l)
	out.begin()
	l.out <- born{pid: 1000 + int(number)}
	switch l.b.start {
	case "":
		l.out <- running{Handle{ID: spec.ID, PID: 1000 + int(number), Life: number}}
	case "exit":
		l.endLocked(Exit{Code: 1})
	case "terminal":
		l.out <- failed{terminal: true, condition: Condition{Code: CodeWrongContract, Text: "no"}}
	}
	return l
}

// behave says how this and the coming lives answer from now on.
func (s *stage) behave(b behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = b
	if n := len(s.lives); n > 0 {
		s.lives[n-1].b = b
	}
}

// crash ends the living process, if there is one.
func (s *stage) crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.lives); n > 0 {
		s.lives[n-1].endLocked(Exit{Code: 1})
	}
}

func (s *stage) launched() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lives)
}

// tell gives a command, or fails the test.
func (s *stage) tell(v verb) chan error {
	c := command{verb: v, spec: s.spec("1"), reply: make(chan error, 1)}
	if v == verbStop {
		c.stored = make(chan error, 1)
	}
	if !s.box.put(c) {
		s.t.Errorf("%s was not taken", v)
	}
	return c.reply
}

func (s *stage) now(want State) {
	s.t.Helper()
	synctest.Wait()
	if got := s.Status().State; got != want {
		s.t.Errorf("state is %s, want %s", got, want)
	}
}

// playedLife is a process that is none.
type playedLife struct {
	stage  *stage
	number uint64
	spec   Spec
	out    chan lifeEvent
	b      behaviour // guarded, as the rest, by stage.mu
	ended  bool
	sent   []syscall.Signal
}

func (l *playedLife) endLocked(e Exit) {
	if l.ended {
		return
	}
	l.ended = true
	l.stage.alive--
	l.out <- gone{exit: e}
	close(l.out)
}

func (l *playedLife) events() <-chan lifeEvent { return l.out }
func (l *playedLife) cancel()                  {}
func (l *playedLife) retire()                  {}

func (l *playedLife) probe(timeout time.Duration) {
	l.stage.mu.Lock()
	defer l.stage.mu.Unlock()
	if l.ended {
		return
	}
	if !l.b.deaf {
		l.out <- probed{}
		return
	}
	time.AfterFunc(timeout, func() {
		l.stage.mu.Lock()
		defer l.stage.mu.Unlock()
		if !l.ended {
			l.out <- probed{err: context.DeadlineExceeded}
		}
	})
}

func (l *playedLife) drain(time.Duration) {
	l.stage.mu.Lock()
	defer l.stage.mu.Unlock()
	if l.ended || l.b.ignoreDrain {
		return
	}
	l.out <- drained{}
	l.endLocked(Exit{})
}

func (l *playedLife) configure(Spec) {
	l.stage.mu.Lock()
	defer l.stage.mu.Unlock()
	if !l.ended {
		l.out <- configured{}
	}
}

func (l *playedLife) signal(sig syscall.Signal) {
	l.stage.mu.Lock()
	defer l.stage.mu.Unlock()
	l.sent = append(l.sent, sig)
	switch {
	case sig == syscall.SIGCONT,
		sig == syscall.SIGKILL && l.b.ignoreKill,
		sig == syscall.SIGABRT && l.b.ignoreTerm,
		sig == syscall.SIGTERM && l.b.ignoreTerm:
		return
	case sig == syscall.SIGKILL:
		l.endLocked(Exit{Code: -1, Signal: "SIGKILL"})
	default:
		l.endLocked(Exit{Code: 2})
	}
}

// signals are what the n-th life was sent.
func (s *stage) signals(n int) []syscall.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lives[n].sent)
}

// outcome takes the answer to a command that must have come by now.
func outcome(t testing.TB, c chan error) error {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-c:
		return err
	default:
		t.Error("the command has no answer")
		return errors.New("none")
	}
}
