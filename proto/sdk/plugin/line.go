package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	pluginv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/plugin/v1"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// ErrLineDown says that the supervisor is gone, or is letting this worker go: what
// was reported and not answered must be reported again by the next process.
var ErrLineDown = errors.New("the line to the supervisor is down")

// maxWindow bounds what a supervisor may allow, so that a broken one cannot make a worker hoard events.
const maxWindow = 4096

// Line is a worker's one way to tell the supervisor something. It may be used
// before the supervisor has attached: reports then wait.
type Line struct {
	attached chan struct{} // closed by Hello
	down     chan struct{} // closed when the stream ended
	slots    chan struct{} // one per event in flight; filled at Hello

	mu      sync.Mutex // guards all below
	wake    chan struct{}
	queue   []*pluginv1.AttachResponse
	states  map[message.AccountID]AccountState
	dirty   []message.AccountID
	nextID  uint64
	pending map[uint64]*Pending
	callID  uint64
	calls   map[uint64]chan callOutcome
	closed  bool
}

type callOutcome struct {
	result json.RawMessage
	err    error
}

// Pending is an event that was reported and not yet answered.
type Pending struct {
	since time.Time
	slot  bool
	done  chan struct{}
	ack   Ack
	err   error
}

// Wait blocks until the supervisor answered, the line went down (ErrLineDown) or ctx ended.
func (p *Pending) Wait(ctx context.Context) (Ack, error) {
	select {
	case <-p.done:
		return p.ack, p.err
	case <-ctx.Done():
		return Ack{}, ctx.Err()
	}
}

func newLine() *Line {
	return &Line{
		attached: make(chan struct{}), down: make(chan struct{}), slots: make(chan struct{}, maxWindow), wake: make(chan struct{}, 1),
		states: map[message.AccountID]AccountState{}, pending: map[uint64]*Pending{}, calls: map[uint64]chan callOutcome{},
	}
}

// Down is closed once the supervisor is gone or has let this worker go.
func (l *Line) Down() <-chan struct{} { return l.down }

// Report hands an event over and returns once it is queued; it blocks while as many
// events as the supervisor's window are unanswered, which is the worker's signal
// to stop reading its network. Events of one goroutine keep their order.
func (l *Line) Report(ctx context.Context, ev Event) (*Pending, error) {
	if ev.AccountState != nil {
		l.State(*ev.AccountState)
		return &Pending{done: closedChan, ack: Ack{Code: Stored}}, nil
	}
	select {
	case <-l.slots:
	case <-l.down:
		return nil, ErrLineDown
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.enqueue(ev, true)
}

// Inbound reports a message and waits for the answer.
func (l *Line) Inbound(ctx context.Context, m message.Inbound) (Ack, error) {
	p, err := l.Report(ctx, Event{Inbound: &m})
	if err != nil {
		return Ack{}, err
	}
	return p.Wait(ctx)
}

// State reports how an account stands. It never blocks: of several states of one
// account that were not yet sent only the last one is.
func (l *Line) State(s AccountState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, queued := l.states[s.Account]; !queued || !contains(l.dirty, s.Account) {
		l.dirty = append(l.dirty, s.Account)
	}
	l.states[s.Account] = s
	l.poke()
}

// Call asks the supervisor's method table, as the agent runtime may. The error is a
// *CallError when the supervisor refused.
func (l *Line) Call(ctx context.Context, c Call) (json.RawMessage, error) {
	select {
	case <-l.attached:
	case <-l.down:
		return nil, ErrLineDown
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	out := make(chan callOutcome, 1)
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, ErrLineDown
	}
	l.callID++
	id := l.callID
	l.calls[id] = out
	l.queue = append(l.queue, &pluginv1.AttachResponse{Frame: &pluginv1.AttachResponse_Call{Call: &pluginv1.Call{
		Id: id, RunId: c.RunID, ToolCallId: c.ToolCallID, Method: c.Method, ParamsJson: string(c.Params),
	}}})
	l.poke()
	l.mu.Unlock()
	select {
	case o := <-out:
		return o.result, o.err
	case <-ctx.Done():
		l.mu.Lock()
		delete(l.calls, id)
		l.mu.Unlock()
		return nil, ctx.Err()
	}
}

// enqueue is called with mu held.
func (l *Line) enqueue(ev Event, slot bool) (*Pending, error) {
	if l.closed {
		return nil, ErrLineDown
	}
	ev.ID = l.nextID + 1
	w, err := ev.toWire()
	if err != nil {
		if slot {
			l.slots <- struct{}{}
		}
		return nil, err
	}
	l.nextID++
	p := &Pending{since: time.Now(), slot: slot, done: make(chan struct{})}
	l.pending[ev.ID] = p
	l.queue = append(l.queue, &pluginv1.AttachResponse{Frame: &pluginv1.AttachResponse_Event{Event: w}})
	l.poke()
	return p, nil
}

func (l *Line) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns what is to be sent now: what was queued, in order, then the account states.
func (l *Line) take() []*pluginv1.AttachResponse {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range l.dirty {
		s := l.states[id]
		// The error is for a programmer's mistake that a state cannot make.
		_, _ = l.enqueue(Event{AccountState: &s}, false)
	}
	l.dirty = l.dirty[:0]
	frames := l.queue
	l.queue = nil
	return frames
}

func (l *Line) hello(window uint32) {
	n := int(min(max(window, 1), maxWindow))
	for range n {
		l.slots <- struct{}{}
	}
	close(l.attached)
	l.poke()
}

func (l *Line) acked(id uint64, a Ack) {
	l.mu.Lock()
	p := l.pending[id]
	delete(l.pending, id)
	l.mu.Unlock()
	if p == nil {
		return
	}
	p.ack = a
	close(p.done)
	if p.slot {
		l.slots <- struct{}{}
	}
	l.poke()
}

func (l *Line) replied(id uint64, o callOutcome) {
	l.mu.Lock()
	out := l.calls[id]
	delete(l.calls, id)
	l.mu.Unlock()
	if out != nil {
		out <- o
	}
}

// close ends the line: everything that waits gets ErrLineDown.
func (l *Line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	close(l.down)
	for id, p := range l.pending {
		delete(l.pending, id)
		p.err = ErrLineDown
		close(p.done)
	}
	for id, out := range l.calls {
		delete(l.calls, id)
		out <- callOutcome{err: ErrLineDown}
	}
}

// flush waits until every event has its answer, or ctx ends.
func (l *Line) flush(ctx context.Context) error {
	for {
		l.mu.Lock()
		var wait *Pending
		for _, p := range l.pending {
			wait = p
			break
		}
		idle := wait == nil && len(l.dirty) == 0 && len(l.queue) == 0
		l.mu.Unlock()
		if idle {
			return nil
		}
		if wait == nil {
			l.poke()
			select {
			case <-l.down:
				return ErrLineDown
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Millisecond):
			}
			continue
		}
		if _, err := wait.Wait(ctx); err != nil {
			return err
		}
	}
}

// oldestUnacked is the age of the oldest event without an answer.
func (l *Line) oldestUnacked() (time.Duration, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var oldest time.Duration
	for _, p := range l.pending {
		oldest = max(oldest, time.Since(p.since))
	}
	return oldest, len(l.pending)
}

func contains(ids []message.AccountID, id message.AccountID) bool {
	for _, have := range ids {
		if have == id {
			return true
		}
	}
	return false
}

var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()
