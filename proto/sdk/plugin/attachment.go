package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	pluginv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/plugin/v1"
)

// DefaultWindow is how many events of a worker may be unanswered (contract A1).
const DefaultWindow = 256

// maxCalls bounds the calls of one worker that are handled at the same time.
const maxCalls = 64

// Handler takes what a worker reports and asks.
type Handler interface {
	// HandleEvent is called for one event after the other, in the order of their ids. ack
	// must be called exactly once, from any goroutine, now or later; to block here is
	// to stop reading this worker.
	HandleEvent(ev Event, ack func(Ack))
	// HandleCall answers a call of the agent runtime; each runs in a goroutine of its own
	// under a ctx that ends with the line.
	HandleCall(ctx context.Context, c Call) (json.RawMessage, *CallError)
}

// AttachConfig is what Attach needs.
type AttachConfig struct {
	InstanceID string
	// Window is how many events may be unanswered; 0 = DefaultWindow.
	Window  int
	Handler Handler
}

// Attachment is the open line to one worker.
type Attachment struct {
	cancel context.CancelFunc
	done   chan struct{}
	wake   chan struct{}

	mu      sync.Mutex // guards all below
	out     []*pluginv1.AttachRequest
	unacked map[uint64]bool
	err     error
}

// Attach opens the line. It lives until the worker goes, ctx ends or Close is called;
// then Done is closed. Opened once in a process's life.
func (c *Client) Attach(ctx context.Context, cfg AttachConfig) (*Attachment, error) {
	window := cfg.Window
	if window <= 0 {
		window = DefaultWindow
	}
	ctx, cancel := context.WithCancel(ctx)
	stream, err := c.base.Attach(ctx)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("attach: %w", err)
	}
	hello := &pluginv1.AttachRequest{Frame: &pluginv1.AttachRequest_Hello{Hello: &pluginv1.Hello{InstanceId: cfg.InstanceID, Window: uint32(window)}}}
	if err := stream.Send(hello); err != nil {
		cancel()
		return nil, fmt.Errorf("attach: %w", err)
	}
	a := &Attachment{cancel: cancel, done: make(chan struct{}), wake: make(chan struct{}, 1), unacked: map[uint64]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() { a.write(ctx, stream) })
	wg.Go(func() {
		a.fail(a.read(ctx, stream, cfg.Handler, window, &wg))
		cancel()
	})
	go func() {
		wg.Wait()
		close(a.done)
	}()
	return a, nil
}

// Done is closed when the line is down and everything that served it has ended.
func (a *Attachment) Done() <-chan struct{} { return a.done }

// Err tells, after Done, why the line went down.
func (a *Attachment) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// Close takes the line down.
func (a *Attachment) Close() {
	a.cancel()
	<-a.done
}

func (a *Attachment) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.err = err
	}
}

type attachStream interface {
	Send(*pluginv1.AttachRequest) error
	Recv() (*pluginv1.AttachResponse, error)
	CloseSend() error
}

func (a *Attachment) read(ctx context.Context, stream attachStream, h Handler, window int, wg *sync.WaitGroup) error {
	calls := make(chan struct{}, maxCalls)
	for {
		f, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return errors.New("attach: the worker closed the line")
		}
		if err != nil {
			return fmt.Errorf("attach: %w", err)
		}
		switch b := f.GetFrame().(type) {
		case *pluginv1.AttachResponse_Event:
			ev := eventFromWire(b.Event)
			if err := a.admit(ev, window); err != nil {
				return err
			}
			h.HandleEvent(ev, a.acker(ev.ID))
		case *pluginv1.AttachResponse_Call:
			select {
			case calls <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			wg.Go(func() {
				defer func() { <-calls }()
				a.answer(ctx, h, b.Call)
			})
		}
	}
}

// admit counts an event in; account states are free, everything else keeps the window.
func (a *Attachment) admit(ev Event, window int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.unacked[ev.ID] {
		return fmt.Errorf("attach: event id %d came twice", ev.ID)
	}
	if ev.AccountState == nil && len(a.unacked) >= window+maxCalls {
		return fmt.Errorf("attach: the worker has %d unanswered events, more than its window of %d", len(a.unacked)+1, window)
	}
	a.unacked[ev.ID] = true
	return nil
}

func (a *Attachment) acker(id uint64) func(Ack) {
	return func(k Ack) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if !a.unacked[id] {
			return
		}
		delete(a.unacked, id)
		a.push(&pluginv1.AttachRequest{Frame: &pluginv1.AttachRequest_Ack{Ack: &pluginv1.EventAck{Id: id, Code: pluginv1.AckCode(k.Code), Reason: k.Reason}}})
	}
}

func (a *Attachment) answer(ctx context.Context, h Handler, c *pluginv1.Call) {
	result, callErr := h.HandleCall(ctx, Call{RunID: c.GetRunId(), ToolCallID: c.GetToolCallId(), Method: c.GetMethod(), Params: json.RawMessage(c.GetParamsJson())})
	reply := &pluginv1.CallReply{Id: c.GetId()}
	if callErr != nil {
		reply.Outcome = &pluginv1.CallReply_Error{Error: &pluginv1.CallError{Code: callErr.Code, Message: callErr.Message, Retryable: callErr.Retryable}}
	} else {
		reply.Outcome = &pluginv1.CallReply_ResultJson{ResultJson: string(result)}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.push(&pluginv1.AttachRequest{Frame: &pluginv1.AttachRequest_CallReply{CallReply: reply}})
}

// push is called with mu held.
func (a *Attachment) push(f *pluginv1.AttachRequest) {
	a.out = append(a.out, f)
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *Attachment) write(ctx context.Context, stream attachStream) {
	for {
		select {
		case <-a.wake:
			a.mu.Lock()
			frames := a.out
			a.out = nil
			a.mu.Unlock()
			for _, f := range frames {
				if err := stream.Send(f); err != nil {
					return // the reader sees why
				}
			}
		case <-ctx.Done():
			return
		}
	}
}
