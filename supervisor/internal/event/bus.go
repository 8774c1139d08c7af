package event

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Bus tells every connection what happens.
type Bus struct {
	mu    sync.Mutex
	seq   uint64 // events published so far
	conns map[string]member
}

type member struct {
	queue  *Queue
	allows func(protocol.Scope) bool
}

// NewBus makes a bus without connections.
func NewBus() *Bus { return &Bus{conns: make(map[string]member)} }

// Attach adds a connection, whose numbers go on from the bus's own count.
// allows says whether it may see events that need a scope.
func (b *Bus) Attach(connID string, q *Queue, allows func(protocol.Scope) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q.mu.Lock()
	q.seq = b.seq
	q.mu.Unlock()
	b.conns[connID] = member{q, allows}
}

// Detach removes a connection. An unknown one is ignored.
func (b *Bus) Detach(connID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, connID)
}

// Len is the number of connections.
func (b *Bus) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.conns)
}

// Publish tells an event to every connection that may see it. It never waits
// for one. The payload is marshalled once; a json.RawMessage is sent as it
// is. The error is that of marshalling.
func (b *Bus) Publish(name string, payload any) error {
	return b.publish(name, payload, nil)
}

// PublishVersioned is Publish for the events that carry state versions.
func (b *Bus) PublishVersioned(name string, payload any, v protocol.StateVersion) error {
	return b.publish(name, payload, &v)
}

func (b *Bus) publish(name string, payload any, v *protocol.StateVersion) error {
	head, err := render(name, payload, v)
	if err != nil {
		return err
	}
	droppable, scope := isDroppable(name, payload), requiredScope(name)
	// Connections that were sent the same events share one rendered frame.
	var last []byte
	var lastSeq uint64
	number := func(seq uint64) []byte {
		if last == nil || seq != lastSeq {
			last = make([]byte, 0, len(head)+28)
			last = append(last, head...)
			last = append(last, `,"seq":`...)
			last = strconv.AppendUint(last, seq, 10)
			last = append(last, '}')
			lastSeq = seq
		}
		return last
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	for _, m := range b.conns {
		if scope == "" || m.allows(scope) {
			m.queue.sendNumbered(len(head)+28, droppable, number)
		}
	}
	return nil
}

// Tell sends an event, without a number, to one connection alone. It reports
// whether the connection exists and took it.
func (b *Bus) Tell(connID, name string, payload any) (bool, error) {
	head, err := render(name, payload, nil)
	if err != nil {
		return false, err
	}
	b.mu.Lock()
	m, ok := b.conns[connID]
	b.mu.Unlock()
	if !ok {
		return false, nil
	}
	return m.queue.Send(Frame{Bytes: append(head, '}')}) == nil, nil
}

// render gives the frame without its number and closing brace.
func render(name string, payload any, v *protocol.StateVersion) ([]byte, error) {
	raw, ok := payload.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = json.Marshal(payload); err != nil {
			return nil, fmt.Errorf("marshal event %s: %w", name, err)
		}
	}
	b := make([]byte, 0, len(raw)+len(name)+96)
	b = append(b, `{"type":"event","event":`...)
	b = strconv.AppendQuote(b, name)
	b = append(b, `,"payload":`...)
	b = append(b, raw...)
	if v != nil {
		b = append(b, `,"stateVersion":{"presence":`...)
		b = strconv.AppendUint(b, v.Presence, 10)
		b = append(b, `,"health":`...)
		b = strconv.AppendUint(b, v.Health, 10)
		b = append(b, '}')
	}
	return b, nil
}

// isDroppable says whether a slow reader goes without the event.
func isDroppable(name string, payload any) bool {
	switch name {
	case protocol.EventChat:
		switch p := payload.(type) {
		case protocol.ChatEvent:
			return p.State == protocol.ChatDelta
		case *protocol.ChatEvent:
			return p.State == protocol.ChatDelta
		}
		return false
	case protocol.EventAgent, protocol.EventHealth, protocol.EventShutdown, protocol.EventNodeInvoke, protocol.EventWorker:
		return false
	}
	return slices.Contains(protocol.Events(), name)
}

// requiredScope is what an operator needs to see the event; empty for events
// that every connection gets.
func requiredScope(name string) protocol.Scope {
	switch name {
	case protocol.EventApprovalRequested, protocol.EventApprovalResolved:
		return protocol.ScopeApprovals
	case protocol.EventDevicePairRequest, protocol.EventDevicePairResolved, protocol.EventNodePairRequested, protocol.EventNodePairResolved:
		return protocol.ScopePairing
	case protocol.EventWorker:
		return protocol.ScopeRead
	}
	return ""
}
