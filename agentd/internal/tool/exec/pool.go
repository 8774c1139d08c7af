// Package exec holds the tools exec and process: commands on the host, in the
// foreground or the background. Every command runs under a guard, so that nothing
// of it outlives this process.
//
// A Pool knows all commands of the process, in memory only; it may be used from
// several goroutines.
package exec

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/guard"
)

// keepFinished is how long a background command that has ended can be asked about.
const keepFinished = 30 * time.Minute

// Config of a Pool.
type Config struct {
	// Guard is the program that has the guard's sub-command; "" = this one.
	Guard string
	// Now is the clock; nil = the system's.
	Now func() time.Time
}

// Pool holds the commands that go on or have just ended.
type Pool struct {
	cfg Config

	mu       sync.Mutex
	closed   bool
	sessions map[string]*session
	left     map[*guard.Process]struct{}
	wait     sync.WaitGroup
}

// session is one command.
type session struct {
	id, agent, command, cwd string
	p                       *guard.Process
	out                     *output
	started                 time.Time
	timeout                 time.Duration
	background              bool

	mu       sync.Mutex
	timedOut bool
	ended    time.Time
}

// NewPool returns an empty Pool.
func NewPool(cfg Config) *Pool {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Pool{cfg: cfg, sessions: map[string]*session{}, left: map[*guard.Process]struct{}{}}
}

// Running counts the commands that go on.
func (p *Pool) Running() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.left)
}

// Close ends all commands and what they left behind, and waits until they are gone.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for proc := range p.left {
		proc.Kill()
	}
	p.mu.Unlock()
	p.wait.Wait()
}

// start begins a command. It is in the list at once, so that its id is taken.
func (p *Pool) start(s *session, argv, env []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return fmt.Errorf("the agent runtime is stopping")
	}
	s.out, s.started = &output{}, p.cfg.Now()
	proc, err := guard.Start(guard.Command{Argv: argv, Dir: s.cwd, Env: env, Output: s.out, Guard: p.cfg.Guard})
	if err != nil {
		return err
	}
	s.p = proc
	for s.id == "" || p.sessions[s.id] != nil {
		s.id = slug()
	}
	p.sessions[s.id] = s
	p.left[proc] = struct{}{}
	p.wait.Add(1)
	go p.watch(s)
	return nil
}

// watch ends a command that takes too long and notes its end.
func (p *Pool) watch(s *session) {
	defer p.wait.Done()
	timer := time.NewTimer(s.timeout)
	select {
	case <-s.p.Done():
	case <-timer.C:
		s.mu.Lock()
		s.timedOut = true
		s.mu.Unlock()
		s.p.Kill()
		<-s.p.Done()
	}
	timer.Stop()
	s.mu.Lock()
	s.ended = p.cfg.Now()
	s.mu.Unlock()
	<-s.p.Gone()
	p.mu.Lock()
	delete(p.left, s.p)
	p.mu.Unlock()
}

// find returns an agent's background command.
func (p *Pool) find(agent, id string) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.sessions[id]; s != nil && s.agent == agent && s.background {
		return s
	}
	return nil
}

// list returns an agent's background commands, oldest first, and forgets those that ended long ago.
func (p *Pool) list(agent string) []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*session
	for id, s := range p.sessions {
		if ended := s.endedAt(); !ended.IsZero() && p.cfg.Now().Sub(ended) > keepFinished {
			delete(p.sessions, id)
			continue
		}
		if s.agent == agent && s.background {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *session) int { return a.started.Compare(b.started) })
	return out
}

func (p *Pool) forget(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, s.id)
}

func (p *Pool) toBackground(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.background = true
}

func (s *session) endedAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// running reports whether the command goes on.
func (s *session) running() bool {
	select {
	case <-s.p.Done():
		return false
	default:
		return true
	}
}

// end says how the command ended, for people: "" = well.
func (s *session) end() string {
	s.mu.Lock()
	timedOut := s.timedOut
	s.mu.Unlock()
	e := s.p.Exit()
	switch {
	case timedOut:
		return fmt.Sprintf("Command timed out after %g seconds", s.timeout.Seconds())
	case e.Err != nil:
		return fmt.Sprintf("Command was lost: %v", e.Err)
	case e.Signal != "":
		return "Command aborted by signal " + e.Signal
	case e.Code != 0:
		return fmt.Sprintf("Command exited with code %d", e.Code)
	}
	return ""
}

// slug makes a name of two words that people can say.
func slug() string {
	first := [...]string{"amber", "brisk", "calm", "dusky", "early", "fleet", "green", "hazel", "ivory", "jolly", "keen", "light", "misty", "noble", "olive", "plain"}
	second := [...]string{"acorn", "birch", "cedar", "delta", "ember", "finch", "grove", "heron", "islet", "kelp", "lark", "maple", "otter", "pine", "reef", "wren"}
	pick := func(n int) int {
		i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
		if err != nil {
			return int(time.Now().UnixNano() % int64(n))
		}
		return int(i.Int64())
	}
	return fmt.Sprintf("%s-%s-%d", first[pick(len(first))], second[pick(len(second))], pick(1000))
}
