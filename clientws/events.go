package clientws

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// GapEvent is the name of an event that the Client itself makes: what came before may be incomplete, because the
// connection was lost and is back, a number in the sequence is missing, or the subscriber was too slow. Whoever mirrors
// a state asks for it anew.
const GapEvent = "client.gap"

// Reasons of a gap, in Event.Gap.
const (
	GapReconnected = "reconnected"
	GapSequence    = "sequence"
	GapSlow        = "slow"
)

// maxQueued is how many events a subscriber may leave unread.
const maxQueued = 4096

// Event is something the gateway told, or a gap.
type Event struct {
	Name         string
	Payload      json.RawMessage
	Seq          *uint64
	StateVersion *protocol.StateVersion
	// Gap is the reason of a GapEvent, else "".
	Gap string
}

// Decode reads the payload into a struct.
func (e Event) Decode(into any) error { return json.Unmarshal(e.Payload, into) }

// Subscription is a queue of events for one reader.
type Subscription struct {
	names []string
	owner *Client

	mu     sync.Mutex
	queue  []Event
	wake   chan struct{}
	closed error
}

// Subscribe opens a queue for the events of these names, or for all where none is named. Gaps come always.
func (c *Client) Subscribe(names ...string) *Subscription {
	s := &Subscription{names: names, owner: c, wake: make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscribers = append(c.subscribers, s)
	if c.closed != nil {
		s.closed = c.closed
	}
	return s
}

// Next waits for the next event. It fails when ctx ends, when the subscription is closed, and, once the queue is empty,
// when the connection is gone for good.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			event := s.queue[0]
			s.queue = s.queue[1:]
			s.mu.Unlock()
			return event, nil
		}
		closed := s.closed
		s.mu.Unlock()
		if closed != nil {
			return Event{}, closed
		}
		select {
		case <-ctx.Done():
			return Event{}, ctx.Err()
		case <-s.wake:
		}
	}
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.owner.mu.Lock()
	s.owner.subscribers = slices.DeleteFunc(s.owner.subscribers, func(other *Subscription) bool { return other == s })
	s.owner.mu.Unlock()
	s.end(ErrClosed)
}

func (s *Subscription) wants(name string) bool {
	return name == GapEvent || len(s.names) == 0 || slices.Contains(s.names, name)
}

func (s *Subscription) deliver(event Event) {
	if !s.wants(event.Name) {
		return
	}
	s.mu.Lock()
	if len(s.queue) >= maxQueued {
		s.queue = []Event{{Name: GapEvent, Gap: GapSlow}}
	}
	s.queue = append(s.queue, event)
	s.mu.Unlock()
	s.signal()
}

func (s *Subscription) end(reason error) {
	s.mu.Lock()
	if s.closed == nil {
		s.closed = reason
	}
	s.mu.Unlock()
	s.signal()
}

func (s *Subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
