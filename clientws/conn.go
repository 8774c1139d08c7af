package clientws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// writeTimeout is how long one frame may take to be sent.
const writeTimeout = 10 * time.Second

// conn is one connection after its handshake. Its reader is one goroutine, run by the owner.
type conn struct {
	ws    *websocket.Conn
	hello protocol.HelloOK
	heard atomic.Int64 // unix ms of the last frame

	mu      sync.Mutex
	nextID  int
	pending map[string]*pendingCall
	ended   error
}

// pendingCall waits for the answer, or for the second of two.
type pendingCall struct {
	final  bool
	onAck  func(json.RawMessage)
	answer chan protocol.Incoming
}

// notSentError says that a call never left, because the connection had ended before.
type notSentError struct{ reason error }

// Error gives the reason of the connection's end.
func (e *notSentError) Error() string { return e.reason.Error() }

// Unwrap gives the reason of the connection's end.
func (e *notSentError) Unwrap() error { return e.reason }

// hasEnded tells whether the connection is known to be over.
func (c *conn) hasEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended != nil
}

// readFrame reads one frame as a client sees it.
func readFrame(ctx context.Context, ws *websocket.Conn) (protocol.Incoming, error) {
	var frame protocol.Incoming
	_, data, err := ws.Read(ctx)
	if err != nil {
		return frame, closeError(err)
	}
	if err := json.Unmarshal(data, &frame); err != nil {
		return frame, fmt.Errorf("the gateway sent a frame that is no JSON: %w", err)
	}
	return frame, nil
}

func writeFrame(ctx context.Context, ws *websocket.Conn, frame protocol.Request) error {
	data, err := json.Marshal(frame)
	if err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	if err := ws.Write(ctx, websocket.MessageText, data); err != nil {
		return closeError(err)
	}
	return nil
}

// closeError gives a connection's end its code and reason.
func closeError(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		return &CloseError{Code: int(closed.Code), Reason: closed.Reason, Err: err}
	}
	return &CloseError{Code: -1, Err: err}
}

// read hands every event to on until the connection ends, and gives the reason of the end.
func (c *conn) read(ctx context.Context, on func(Event)) error {
	for {
		frame, err := readFrame(ctx, c.ws)
		if err != nil {
			return c.end(err)
		}
		c.heard.Store(time.Now().UnixMilli())
		switch frame.Type {
		case protocol.FrameResponse:
			c.answer(frame)
		case protocol.FrameEvent:
			on(Event{Name: frame.Event, Payload: frame.Payload, Seq: frame.Seq, StateVersion: frame.StateVersion})
		}
	}
}

func (c *conn) answer(frame protocol.Incoming) {
	c.mu.Lock()
	call := c.pending[frame.ID]
	if call == nil {
		c.mu.Unlock()
		return
	}
	if call.final && frame.OK && isAck(frame.Payload) {
		c.mu.Unlock()
		if call.onAck != nil {
			call.onAck(frame.Payload)
		}
		return
	}
	delete(c.pending, frame.ID)
	c.mu.Unlock()
	call.answer <- frame
}

// isAck tells the first of two answers from the second.
func isAck(payload json.RawMessage) bool {
	var ack struct {
		Status string `json:"status"`
	}
	return json.Unmarshal(payload, &ack) == nil && ack.Status == protocol.AgentAccepted
}

// end fails every call that waits. The first reason counts; it gives that one.
func (c *conn) end(reason error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return c.ended
	}
	c.ended = reason
	for id, call := range c.pending {
		delete(c.pending, id)
		close(call.answer)
	}
	return reason
}

// call sends a request and waits for its answer.
func (c *conn) call(ctx context.Context, method string, params json.RawMessage, opts callOptions) (json.RawMessage, error) {
	call := &pendingCall{final: opts.final, onAck: opts.onAck, answer: make(chan protocol.Incoming, 1)}
	c.mu.Lock()
	if c.ended != nil {
		defer c.mu.Unlock()
		return nil, &notSentError{c.ended}
	}
	c.nextID++
	id := strconv.Itoa(c.nextID)
	c.pending[id] = call
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.pending, id)
		c.mu.Unlock()
	}()
	// A write that is cut short ends the whole connection, so the caller's patience is not what bounds it.
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := writeFrame(writing, c.ws, protocol.Request{Type: protocol.FrameRequest, ID: id, Method: method, Params: params}); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case frame, answered := <-call.answer:
		if !answered {
			c.mu.Lock()
			defer c.mu.Unlock()
			return nil, c.ended
		}
		if !frame.OK {
			if frame.Error == nil {
				frame.Error = protocol.Unavailable("the gateway refused %s without a reason", method)
			}
			return frame.Payload, frame.Error
		}
		return frame.Payload, nil
	}
}
