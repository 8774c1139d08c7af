package gatewaytest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Patience is how long a client waits for what must come.
const Patience = 10 * time.Second

// Client is one connection that reads in the background and keeps every
// frame. It is used by one goroutine.
type Client struct {
	tb     testing.TB
	ws     *websocket.Conn
	frames chan protocol.Incoming
	seen   []protocol.Incoming
	closed error
	next   int
	paused atomic.Bool
	ended  chan struct{}

	// Nonce is that of the challenge.
	Nonce string
	Hello protocol.HelloOK
}

// Open dials and reads the challenge.
func (h *Harness) Open(tb testing.TB, header http.Header) *Client {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	opt := &websocket.DialOptions{HTTPHeader: header}
	if header != nil {
		opt.Host = header.Get("Host")
	}
	ws, _, err := websocket.Dial(ctx, "ws://"+h.Addr+"/", opt)
	if err != nil {
		tb.Fatal(err)
	}
	ws.SetReadLimit(protocol.ClientMaxPayload)
	c := &Client{tb: tb, ws: ws, frames: make(chan protocol.Incoming, 4096), ended: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.read()
	}()
	tb.Cleanup(func() {
		close(c.ended)
		ws.CloseNow()
		<-done
	})
	challenge := c.Event(protocol.EventChallenge)
	var p protocol.Challenge
	if err := json.Unmarshal(challenge.Payload, &p); err != nil {
		tb.Fatal(err)
	}
	c.Nonce = p.Nonce
	return c
}

// read runs until the connection ends.
func (c *Client) read() {
	defer close(c.frames)
	for {
		_, b, err := c.ws.Read(context.Background())
		if err != nil {
			c.closed = err
			return
		}
		if c.paused.Load() {
			<-c.ended
			c.closed = errors.New("stopped reading")
			return
		}
		var f protocol.Incoming
		if err := json.Unmarshal(b, &f); err != nil {
			c.closed = fmt.Errorf("frame %q: %w", b, err)
			return
		}
		c.frames <- f
	}
}

// Params are good connect parameters with a new device; change may alter them
// before they are signed.
func (c *Client) Params(key ed25519.PrivateKey, change func(*protocol.ConnectParams)) protocol.ConnectParams {
	if key == nil {
		_, key, _ = ed25519.GenerateKey(rand.Reader)
	}
	p := protocol.ConnectParams{
		MinProtocol: protocol.Version, MaxProtocol: protocol.Version,
		Client: protocol.ClientInfo{ID: protocol.ClientTest, Version: "1.0.0", Platform: "linux", Mode: protocol.ModeTest},
		Role:   protocol.RoleOperator, Scopes: []protocol.Scope{protocol.ScopeAdmin}, Auth: &protocol.Auth{Token: Token},
	}
	if change != nil {
		change(&p)
	}
	claim := protocol.Claim{
		ClientID: p.Client.ID, ClientMode: p.Client.Mode, Role: p.Role, Scopes: p.Scopes,
		SignedAtMS: time.Now().UnixMilli(), Nonce: c.Nonce,
	}
	if p.Auth != nil {
		claim.Token = p.Auth.Token
	}
	p.Device = claim.Sign(key)
	return p
}

// Connect dials and gets in; change may alter the parameters.
func (h *Harness) Connect(tb testing.TB, change func(*protocol.ConnectParams)) *Client {
	tb.Helper()
	c := h.Open(tb, nil)
	res := c.Call(protocol.MethodConnect, c.Params(nil, change))
	if res.Error != nil {
		tb.Fatalf("connect: %v", res.Error)
	}
	if err := json.Unmarshal(res.Payload, &c.Hello); err != nil {
		tb.Fatal(err)
	}
	return c
}

// Send writes a raw text frame.
func (c *Client) Send(text string) {
	c.tb.Helper()
	c.SendAs(websocket.MessageText, text)
}

// SendAs writes a raw frame of either kind.
func (c *Client) SendAs(kind websocket.MessageType, text string) {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := c.ws.Write(ctx, kind, []byte(text)); err != nil {
		c.tb.Fatal(err)
	}
}

// StopReading leaves everything that comes from now on in the socket.
func (c *Client) StopReading() { c.paused.Store(true) }

// Ask sends a request and returns its id.
func (c *Client) Ask(method string, params any) string {
	c.tb.Helper()
	c.next++
	r := protocol.Request{Type: protocol.FrameRequest, ID: fmt.Sprintf("r%d", c.next), Method: method}
	if params != nil {
		raw, err := json.Marshal(params)
		if err != nil {
			c.tb.Fatal(err)
		}
		r.Params = raw
	}
	raw, err := json.Marshal(r)
	if err != nil {
		c.tb.Fatal(err)
	}
	c.Send(string(raw))
	return r.ID
}

// Call sends a request and waits for its reply.
func (c *Client) Call(method string, params any) protocol.Incoming {
	c.tb.Helper()
	return c.Reply(c.Ask(method, params))
}

// Reply waits for the next reply under an id.
func (c *Client) Reply(id string) protocol.Incoming {
	c.tb.Helper()
	return c.await("reply "+id, func(f protocol.Incoming) bool { return f.Type == protocol.FrameResponse && f.ID == id })
}

// Event waits for the next event of a name.
func (c *Client) Event(name string) protocol.Incoming {
	c.tb.Helper()
	return c.await("event "+name, func(f protocol.Incoming) bool { return f.Type == protocol.FrameEvent && f.Event == name })
}

// Await waits for the next frame that fits; frames are used up.
func (c *Client) Await(what string, fits func(protocol.Incoming) bool) protocol.Incoming {
	c.tb.Helper()
	return c.await(what, fits)
}

func (c *Client) await(what string, fits func(protocol.Incoming) bool) protocol.Incoming {
	c.tb.Helper()
	for i, f := range c.seen {
		if fits(f) {
			c.seen = append(c.seen[:i:i], c.seen[i+1:]...)
			return f
		}
	}
	deadline := time.After(Patience)
	for {
		select {
		case f, ok := <-c.frames:
			if !ok {
				c.tb.Fatalf("no %s: connection ended: %v", what, c.closed)
			}
			if fits(f) {
				return f
			}
			c.seen = append(c.seen, f)
		case <-deadline:
			c.tb.Fatalf("no %s in time", what)
		}
	}
}

// Seen are the frames that came and were not used yet.
func (c *Client) Seen() []protocol.Incoming { return c.seen }

// Closed waits for the end and gives code and reason of the close frame; code
// is -1 where none came.
func (c *Client) Closed() (code int, reason string) {
	c.tb.Helper()
	deadline := time.After(Patience)
	for {
		select {
		case f, ok := <-c.frames:
			if ok {
				c.seen = append(c.seen, f)
				continue
			}
			var ce websocket.CloseError
			if errors.As(c.closed, &ce) {
				return int(ce.Code), ce.Reason
			}
			return -1, c.closed.Error()
		case <-deadline:
			c.tb.Fatal("connection does not end")
		}
	}
}

// Hangup ends the connection without a close frame.
func (c *Client) Hangup() { c.ws.CloseNow() }
