package clientws

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// gateway is a fake that speaks the protocol as far as a test says.
type gateway struct {
	t      *testing.T
	server *httptest.Server
	token  string
	tick   time.Duration
	// serve is called with each connection after hello-ok; it returns to close it.
	serve func(context.Context, *gatewayConn)

	mu       sync.Mutex
	device   string // the device token that is taken
	connects []protocol.ConnectParams
}

type gatewayConn struct {
	*websocket.Conn
	t *testing.T
}

func (c *gatewayConn) send(ctx context.Context, frame any) {
	data, err := json.Marshal(frame)
	if err != nil {
		c.t.Error(err)
	}
	_ = c.Write(ctx, websocket.MessageText, data)
}

func (c *gatewayConn) request(ctx context.Context) (protocol.Request, bool) {
	_, data, err := c.Read(ctx)
	if err != nil {
		return protocol.Request{}, false
	}
	var request protocol.Request
	if err := json.Unmarshal(data, &request); err != nil {
		c.t.Error(err)
	}
	return request, true
}

func (c *gatewayConn) event(ctx context.Context, name string, seq uint64) {
	c.send(ctx, protocol.Event{Type: protocol.FrameEvent, Event: name, Seq: &seq, Payload: json.RawMessage(`{"n":1}`)})
}

func (c *gatewayConn) reply(ctx context.Context, id, payload string) {
	c.send(ctx, protocol.Response{Type: protocol.FrameResponse, ID: id, OK: true, Payload: json.RawMessage(payload)})
}

func newGateway(t *testing.T, tls bool) *gateway {
	g := &gateway{t: t, token: "secret", tick: time.Minute}
	handler := http.HandlerFunc(g.handle)
	if tls {
		g.server = httptest.NewTLSServer(handler)
	} else {
		g.server = httptest.NewServer(handler)
	}
	t.Cleanup(g.server.Close)
	return g
}

func (g *gateway) url() string { return "ws" + strings.TrimPrefix(g.server.URL, "http") }

func (g *gateway) handle(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	ctx := r.Context()
	c := &gatewayConn{ws, g.t}
	const nonce = "the-nonce"
	c.send(ctx, protocol.Event{Type: protocol.FrameEvent, Event: protocol.EventChallenge, Payload: json.RawMessage(`{"nonce":"the-nonce","ts":1}`)})
	request, ok := c.request(ctx)
	if !ok {
		return
	}
	var params protocol.ConnectParams
	if err := json.Unmarshal(request.Params, &params); err != nil || request.Method != protocol.MethodConnect {
		g.t.Errorf("first request %s: %v", request.Method, err)
	}
	g.mu.Lock()
	g.connects = append(g.connects, params)
	device := g.device
	g.mu.Unlock()
	if refusal := g.check(params, device, nonce); refusal != nil {
		c.send(ctx, protocol.Response{Type: protocol.FrameResponse, ID: request.ID, Error: refusal})
		_ = ws.Close(protocol.ClosePolicy, refusal.Message)
		return
	}
	hello := protocol.HelloOK{Type: protocol.TypeHelloOK, Protocol: 3, Server: protocol.ServerInfo{Version: "1", ConnID: "c"}, Policy: protocol.Policy{TickIntervalMS: g.tick.Milliseconds()}}
	if device != "" {
		hello.Auth = &protocol.IssuedAuth{DeviceToken: device, Role: params.Role, Scopes: params.Scopes}
	}
	payload, err := json.Marshal(hello)
	if err != nil {
		g.t.Error(err)
	}
	c.reply(ctx, request.ID, string(payload))
	if g.serve != nil {
		g.serve(ctx, c)
		return
	}
	for {
		request, ok := c.request(ctx)
		if !ok {
			return
		}
		c.reply(ctx, request.ID, `{"method":"`+request.Method+`"}`)
	}
}

func (g *gateway) check(p protocol.ConnectParams, device, nonce string) *protocol.Error {
	if p.Auth == nil || (p.Auth.Token != g.token && (device == "" || p.Auth.Token != device)) {
		return protocol.Invalid("unauthorized: gateway token mismatch")
	}
	if p.Device == nil {
		return nil
	}
	key, err := protocol.DecodeKey(p.Device.PublicKey)
	if err != nil || protocol.DeviceID(key) != p.Device.ID {
		return protocol.Invalid("device identity mismatch")
	}
	signature, err := protocol.DecodeKey(p.Device.Signature)
	claim := protocol.Claim{DeviceID: p.Device.ID, ClientID: p.Client.ID, ClientMode: p.Client.Mode, Role: p.Role, Scopes: p.Scopes, SignedAtMS: p.Device.SignedAt, Token: p.Auth.Token, Nonce: nonce}
	if err != nil || p.Device.Nonce != nonce || !ed25519.Verify(key, []byte(claim.SignedText()), signature) {
		return protocol.Invalid("device signature invalid")
	}
	return nil
}

func dial(t *testing.T, opts Options) *Client {
	t.Helper()
	c, err := Dial(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestDeviceTokenIsKeptAndPreferred(t *testing.T) {
	g := newGateway(t, false)
	g.device = "device-token"
	dir := t.TempDir()
	opts := Options{URL: g.url(), Token: "secret", Scopes: []protocol.Scope{protocol.ScopeAdmin}, DeviceFile: filepath.Join(dir, "identity/device.json"), DeviceTokenFile: filepath.Join(dir, "identity/device-auth.json")}
	for range 2 {
		c := dial(t, opts)
		if c.Hello().Server.ConnID != "c" {
			t.Errorf("hello = %+v", c.Hello())
		}
	}
	g.mu.Lock()
	first, second := g.connects[0], g.connects[1]
	g.device = "another"
	g.mu.Unlock()
	if first.Auth.Token != "secret" || second.Auth.Token != "device-token" || first.Device.ID != second.Device.ID {
		t.Errorf("connected with %v, then %v", first.Auth, second.Auth)
	}
	// The stored token is refused now: it is dropped and the secret is taken.
	dial(t, opts)
	dial(t, opts)
	g.mu.Lock()
	defer g.mu.Unlock()
	var sent []string
	for _, p := range g.connects[2:] {
		sent = append(sent, p.Auth.Token)
	}
	if got := strings.Join(sent, " "); got != "device-token secret another" {
		t.Errorf("sent %s", got)
	}
	for _, file := range []string{opts.DeviceFile, opts.DeviceTokenFile} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
}

func TestRefusalsAndUnreachable(t *testing.T) {
	g := newGateway(t, false)
	var refused *ConnectError
	_, err := Dial(within(t), Options{URL: g.url(), Token: "wrong"})
	if !errors.As(err, &refused) || refused.Refused == nil || !strings.Contains(err.Error(), "token mismatch") {
		t.Errorf("wrong token: %v", err)
	}
	g.server.Close()
	if _, err := Dial(within(t), Options{URL: g.url(), Token: "secret"}); !errors.As(err, &refused) || refused.Refused != nil {
		t.Errorf("nobody there: %v", err)
	}
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	if _, err := Dial(within(t), Options{URL: "ws" + strings.TrimPrefix(page.URL, "http")}); !errors.As(err, &refused) {
		t.Errorf("no gateway: %v", err)
	}
}

func TestCallAnswersErrorsAndFinals(t *testing.T) {
	g := newGateway(t, false)
	g.serve = func(ctx context.Context, c *gatewayConn) {
		for {
			request, ok := c.request(ctx)
			if !ok {
				return
			}
			switch request.Method {
			case "twice":
				c.reply(ctx, request.ID, `{"runId":"r","status":"accepted"}`)
				c.event(ctx, "noise", 1)
				c.reply(ctx, request.ID, `{"runId":"r","status":"ok"}`)
			case "fail":
				c.send(ctx, protocol.Response{Type: protocol.FrameResponse, ID: request.ID, Error: protocol.Invalid("no such thing"), Payload: json.RawMessage(`{"status":"error"}`)})
			case "never":
			default:
				c.reply(ctx, request.ID, string(request.Params))
			}
		}
	}
	c := dial(t, Options{URL: g.url(), Token: "secret"})
	var echoed map[string]int
	if err := c.Call(within(t), "echo", map[string]int{"a": 1}, &echoed); err != nil || echoed["a"] != 1 {
		t.Errorf("echo = %v, %v", echoed, err)
	}
	var result struct{ Status string }
	acked := make(chan string, 1)
	if err := c.Call(within(t), "twice", nil, &result, Final(func(ack json.RawMessage) { acked <- string(ack) })); err != nil || result.Status != "ok" {
		t.Errorf("final = %v, %v", result, err)
	}
	if ack := <-acked; !strings.Contains(ack, "accepted") {
		t.Errorf("ack = %s", ack)
	}
	if err := c.Call(within(t), "twice", nil, &result); err != nil || result.Status != "accepted" {
		t.Errorf("without Final = %v, %v", result, err)
	}
	err := c.Call(within(t), "fail", nil, &result)
	if !errors.Is(err, &protocol.Error{Code: protocol.CodeInvalidRequest}) || result.Status != "error" {
		t.Errorf("fail = %v, %v", err, result)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Call(short, "never", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("never = %v", err)
	}
	if err := c.Call(within(t), "echo", map[string]int{"a": 2}, &echoed); err != nil || echoed["a"] != 2 {
		t.Errorf("a timeout broke the connection: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Call(within(t), "echo", nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close = %v", err)
	}
}

func TestEventsAndSequenceGap(t *testing.T) {
	g := newGateway(t, false)
	g.serve = func(ctx context.Context, c *gatewayConn) {
		c.event(ctx, "other", 5)
		c.event(ctx, "chat", 6)
		c.event(ctx, "chat", 9)
		_ = c.Close(protocol.CloseServiceRestart, protocol.ReasonServiceRestart)
	}
	var chat, all *Subscription
	c := dial(t, Options{URL: g.url(), Token: "secret", OnOpen: func(c *Client) { chat, all = c.Subscribe("chat"), c.Subscribe() }})
	read := func(s *Subscription) string {
		var names []string
		for {
			event, err := s.Next(within(t))
			if err != nil {
				var closed *CloseError
				if !errors.As(err, &closed) || closed.Error() != "gateway closed (1012 service restart): service restart" {
					t.Errorf("end = %v", err)
				}
				return strings.Join(names, " ")
			}
			names = append(names, event.Name+event.Gap)
		}
	}
	if got := read(chat); got != "chat client.gapsequence chat" {
		t.Errorf("chat heard %s", got)
	}
	if got := read(all); got != "other chat client.gapsequence chat" {
		t.Errorf("all heard %s", got)
	}
	<-c.Done()
	if err := c.Call(within(t), "x", nil, nil); err == nil {
		t.Error("a call on a lost connection was accepted")
	}
}

func TestReconnect(t *testing.T) {
	g := newGateway(t, false)
	var mu sync.Mutex
	connections := 0
	g.serve = func(ctx context.Context, c *gatewayConn) {
		mu.Lock()
		connections++
		n := connections
		mu.Unlock()
		if n == 1 {
			_, _ = c.request(ctx) // the call is lost with the connection
			return
		}
		for {
			request, ok := c.request(ctx)
			if !ok {
				return
			}
			c.reply(ctx, request.ID, `{}`)
		}
	}
	states := make(chan error, 8)
	var events *Subscription
	c := dial(t, Options{URL: g.url(), Token: "secret", Reconnect: true, Backoff: time.Millisecond, OnState: func(lost error) { states <- lost }, OnOpen: func(c *Client) { events = c.Subscribe() }})
	var closed *CloseError
	if err := c.Call(within(t), "lost", nil, nil); !errors.As(err, &closed) {
		t.Errorf("call over a broken connection = %v", err)
	}
	if err := c.Call(within(t), "again", nil, nil); err != nil {
		t.Errorf("call after the return = %v", err)
	}
	if event, err := events.Next(within(t)); err != nil || event.Gap != GapReconnected {
		t.Errorf("event = %+v, %v", event, err)
	}
	if lost, back := <-states, <-states; lost == nil || back != nil {
		t.Errorf("states %v, %v", lost, back)
	}
}

func TestSilenceEndsTheConnection(t *testing.T) {
	g := newGateway(t, false)
	g.tick = 10 * time.Millisecond
	g.serve = func(ctx context.Context, c *gatewayConn) { _, _ = c.request(ctx) }
	c := dial(t, Options{URL: g.url(), Token: "secret"})
	select {
	case <-c.Done():
	case <-within(t).Done():
		t.Fatal("a silent gateway was not noticed")
	}
	var closed *CloseError
	if !errors.As(c.Err(), &closed) || closed.Code != protocol.CloseTickTimeout {
		t.Errorf("end = %v", c.Err())
	}
}

func TestCertificatePin(t *testing.T) {
	g := newGateway(t, true)
	sum := sha256.Sum256(g.server.Certificate().Raw)
	pin := strings.ToUpper(hex.EncodeToString(sum[:]))
	dial(t, Options{URL: g.url(), Token: "secret", TLSFingerprint: "SHA256:" + pin})
	if _, err := Dial(within(t), Options{URL: g.url(), Token: "secret", TLSFingerprint: strings.Repeat("0", 64)}); err == nil || !strings.Contains(err.Error(), "fingerprint mismatch") {
		t.Errorf("wrong pin = %v", err)
	}
	if _, err := Dial(within(t), Options{URL: "ws://127.0.0.1:1", TLSFingerprint: pin}); err == nil || !strings.Contains(err.Error(), "requires wss") {
		t.Errorf("pin without TLS = %v", err)
	}
}

func TestSlowSubscriberLosesEventsAndIsTold(t *testing.T) {
	c := &Client{changed: make(chan struct{})}
	s := c.Subscribe()
	for range maxQueued + 5 {
		c.deliver(Event{Name: "x"})
	}
	if event, err := s.Next(within(t)); err != nil || event.Gap != GapSlow {
		t.Errorf("first = %+v, %v", event, err)
	}
	s.Close()
	for {
		if _, err := s.Next(within(t)); err != nil {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("end = %v", err)
			}
			break
		}
	}
}
