package worker

import "sync"

// verb is what an owner is told to do.
type verb string

const (
	verbApply       verb = "apply"
	verbRemove      verb = "remove"
	verbStart       verb = "start"
	verbStop        verb = "stop"
	verbRestart     verb = "restart"
	verbKill        verb = "kill"
	verbReconfigure verb = "reconfigure"
)

// command is one order to an owner. reply, where set, has room for its one outcome,
// stored for that of storing the wish.
type command struct {
	verb          verb
	spec          Spec
	reply, stored chan error
}

func (c command) answer(err error) {
	if c.reply != nil {
		c.reply <- err
	}
}

// mailbox takes commands without ever blocking the sender, so that a sink may give
// commands too.
type mailbox struct {
	wake chan struct{}

	mu       sync.Mutex
	commands []command
	closed   bool
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

// put reports whether the owner will see the command.
func (m *mailbox) put(c command) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.commands = append(m.commands, c)
	select {
	case m.wake <- struct{}{}:
	default:
	}
	return true
}

func (m *mailbox) take() []command {
	m.mu.Lock()
	defer m.mu.Unlock()
	cs := m.commands
	m.commands = nil
	return cs
}

// close shuts the box, and reports false where a command still lies in it.
func (m *mailbox) close() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.commands) > 0 {
		return false
	}
	m.closed = true
	return true
}
