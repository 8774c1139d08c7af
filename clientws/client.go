package clientws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Client is a connection to a gateway. See the package comment.
type Client struct {
	opts   Options
	cancel context.CancelFunc
	done   chan struct{}

	mu          sync.Mutex
	current     *conn // nil while there is no connection
	hello       protocol.HelloOK
	changed     chan struct{} // closed and made anew whenever current or closed changes
	closed      error         // set once, when the client is finished
	subscribers []*Subscription
}

// Dial connects and waits for hello-ok, or for ctx. Its errors are *ConnectError, and those of the device files.
// The caller closes the Client.
func Dial(ctx context.Context, opts Options) (*Client, error) {
	opts = opts.withDefaults()
	first, err := connect(ctx, opts)
	if err != nil {
		return nil, err
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &Client{opts: opts, cancel: cancel, done: make(chan struct{}), current: first, hello: first.hello, changed: make(chan struct{})}
	if opts.OnOpen != nil {
		opts.OnOpen(c)
	}
	go c.run(own, first)
	return c, nil
}

// Hello is what the gateway said at the beginning of the present connection, or of the last one.
func (c *Client) Hello() protocol.HelloOK {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hello
}

// Done is closed when the client is finished: closed, or without Reconnect the connection lost.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is why the client is finished, nil while it is not.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Close ends the connection and waits until every goroutine of the client is gone. It may be called again.
func (c *Client) Close() error {
	c.finish(ErrClosed)
	c.mu.Lock()
	current := c.current
	c.mu.Unlock()
	if current != nil {
		_ = current.ws.Close(websocket.StatusNormalClosure, "")
	}
	c.cancel()
	<-c.done
	return nil
}

// callOptions are what a [CallOption] sets.
type callOptions struct {
	final bool
	onAck func(json.RawMessage)
}

// CallOption changes how a call waits.
type CallOption func(*callOptions)

// Final waits for the second answer of a method that gives two (agent). onAck is handed the first; it may be nil and
// must not block.
func Final(onAck func(json.RawMessage)) CallOption {
	return func(o *callOptions) { o.final, o.onAck = true, onAck }
}

// Call calls a method and decodes its answer into result, which may be nil. It waits until ctx ends; give it a
// deadline. A refusal is a *protocol.Error; where the gateway sent a payload with it, result is filled in as well. A
// connection that breaks meanwhile is a *CloseError: whether the call took effect is then not known. With Reconnect a
// call made while there is no connection waits for one.
func (c *Client) Call(ctx context.Context, method string, params, result any, options ...CallOption) error {
	var opts callOptions
	for _, option := range options {
		option(&opts)
	}
	var raw json.RawMessage
	if params != nil {
		var err error
		if raw, err = json.Marshal(params); err != nil {
			return fmt.Errorf("%s: write params: %w", method, err)
		}
	}
	payload, err := c.send(ctx, method, raw, opts)
	if result != nil && len(payload) > 0 {
		if decodeErr := json.Unmarshal(payload, result); decodeErr != nil && err == nil {
			return fmt.Errorf("%s: read answer: %w", method, decodeErr)
		}
	}
	return err
}

// send makes one call; one that never left a broken connection is made on the next.
func (c *Client) send(ctx context.Context, method string, params json.RawMessage, opts callOptions) (json.RawMessage, error) {
	for {
		current, err := c.await(ctx)
		if err != nil {
			return nil, err
		}
		payload, err := current.call(ctx, method, params, opts)
		var unsent *notSentError
		if errors.As(err, &unsent) {
			if c.opts.Reconnect {
				continue
			}
			err = unsent.reason
		}
		return payload, err
	}
}

// await gives the connection, waiting for one where the client reconnects.
func (c *Client) await(ctx context.Context) (*conn, error) {
	for {
		c.mu.Lock()
		current, closed, changed := c.current, c.closed, c.changed
		c.mu.Unlock()
		switch {
		case closed != nil:
			return nil, closed
		case current != nil && (!c.opts.Reconnect || !current.hasEnded()):
			return current, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// run owns the connection: it reads, watches for silence and, where asked to, comes back.
func (c *Client) run(ctx context.Context, current *conn) {
	defer close(c.done)
	for {
		err := c.serve(ctx, current)
		_ = current.ws.CloseNow()
		if !c.opts.Reconnect || ctx.Err() != nil {
			c.finish(err)
			return
		}
		c.set(nil)
		if c.opts.OnState != nil {
			c.opts.OnState(err)
		}
		if current = c.comeBack(ctx); current == nil {
			c.finish(ErrClosed)
			return
		}
		c.set(current)
		if c.opts.OnState != nil {
			c.opts.OnState(nil)
		}
		c.deliver(Event{Name: GapEvent, Gap: GapReconnected})
	}
}

// serve reads one connection until it ends.
func (c *Client) serve(ctx context.Context, current *conn) error {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { current.watch(ctx) })
	defer watch.Wait()
	defer cancel()
	var last uint64
	return current.read(ctx, func(event Event) {
		if event.Seq != nil {
			if last != 0 && *event.Seq > last+1 {
				c.deliver(Event{Name: GapEvent, Gap: GapSequence})
			}
			last = *event.Seq
		}
		c.deliver(event)
	})
}

// watch closes a connection on which nothing was heard for two ticks.
func (c *conn) watch(ctx context.Context) {
	interval := time.Duration(c.hello.Policy.TickIntervalMS) * time.Millisecond
	if interval <= 0 {
		interval = protocol.TickInterval
	}
	ticker := time.NewTicker(max(interval/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if now.UnixMilli()-c.heard.Load() > 2*interval.Milliseconds() {
				_ = c.end(&CloseError{Code: protocol.CloseTickTimeout, Reason: "nothing heard for two ticks"})
				_ = c.ws.CloseNow()
				return
			}
		}
	}
}

// comeBack tries until there is a connection again; nil when the client was closed.
func (c *Client) comeBack(ctx context.Context) *conn {
	wait := c.opts.Backoff
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		next, err := connect(ctx, c.opts)
		if err == nil {
			return next
		}
		if c.opts.OnState != nil && !errors.Is(err, context.Canceled) {
			c.opts.OnState(err)
		}
		wait = min(2*wait, c.opts.MaxBackoff)
	}
}

func (c *Client) set(current *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = current
	if current != nil {
		c.hello = current.hello
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// finish ends the client for good; the first reason counts.
func (c *Client) finish(reason error) {
	c.mu.Lock()
	if c.closed != nil {
		c.mu.Unlock()
		return
	}
	c.closed = reason
	close(c.changed)
	c.changed = make(chan struct{})
	subscribers := append([]*Subscription(nil), c.subscribers...)
	c.mu.Unlock()
	for _, s := range subscribers {
		s.end(reason)
	}
}

func (c *Client) deliver(event Event) {
	c.mu.Lock()
	subscribers := append([]*Subscription(nil), c.subscribers...)
	c.mu.Unlock()
	for _, s := range subscribers {
		s.deliver(event)
	}
}
