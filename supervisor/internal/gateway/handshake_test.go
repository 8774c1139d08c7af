package gateway_test

import (
	"crypto/ed25519"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/gatewaytest"
)

func TestHello(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{})
	c := h.Connect(t, nil)
	if got, want := c.Hello.Policy, protocol.DefaultPolicy(); got != want {
		t.Errorf("got policy %+v, want %+v", got, want)
	}
	if !slices.Equal(c.Hello.Features.Events, protocol.Events()) {
		t.Errorf("got events %v", c.Hello.Features.Events)
	}
	if slices.Contains(c.Hello.Features.Methods, "connect") || !slices.Contains(c.Hello.Features.Methods, "chat.send") {
		t.Errorf("got methods %v", c.Hello.Features.Methods)
	}
	if len(c.Hello.Snapshot.Presence) != 2 || c.Hello.Auth == nil {
		t.Errorf("got presence %+v, auth %+v", c.Hello.Snapshot.Presence, c.Hello.Auth)
	}
}

// Garbage as a first frame closes the connection as the protocol says.
func TestGarbageBeforeConnect(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{})
	tests := []struct {
		name, frame string
		code        int
		reason      string
	}{
		{"no json", "hello", protocol.CloseNormal, ""},
		{"empty", "", protocol.CloseNormal, ""},
		{"nul bytes", "\x00\x01\xff", protocol.CloseNormal, ""},
		{"a number", "7", protocol.ClosePolicy, "invalid request frame"},
		{"a list", "[]", protocol.ClosePolicy, "invalid request frame"},
		{"null", "null", protocol.ClosePolicy, "invalid request frame"},
		{"no method", `{"type":"req","id":"1"}`, protocol.ClosePolicy, "invalid request frame"},
		{"id is a number", `{"type":"req","id":1,"method":"connect"}`, protocol.ClosePolicy, "invalid request frame"},
		{"an event", `{"type":"event","event":"x"}`, protocol.ClosePolicy, "invalid request frame"},
		{"other method", `{"type":"req","id":"1","method":"health"}`, protocol.ClosePolicy, "invalid handshake: first request must be connect"},
		{"no params", `{"type":"req","id":"1","method":"connect"}`, protocol.ClosePolicy, "invalid connect params: must have required property 'minProtocol'; must have required property 'maxProtocol'; must have "},
		{"params are a list", `{"type":"req","id":"1","method":"connect","params":[]}`, protocol.ClosePolicy, "invalid connect params: must be object"},
		{"too large", strings.Repeat("x", protocol.MaxPayloadBeforeConnect+1), protocol.CloseTooBig, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := h.Open(t, nil)
			c.Send(tt.frame)
			code, reason := c.Closed()
			if code != tt.code || tt.code != protocol.CloseTooBig && reason != tt.reason {
				t.Errorf("got  %d %q\nwant %d %q", code, reason, tt.code, tt.reason)
			}
		})
	}
}

func TestVersionRange(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{})
	for _, tt := range []struct {
		min, max int
		in       bool
	}{{1, 2, false}, {3, 3, true}, {1, 9, true}, {4, 9, false}} {
		c := h.Open(t, nil)
		res := c.Call(protocol.MethodConnect, c.Params(nil, func(p *protocol.ConnectParams) { p.MinProtocol, p.MaxProtocol = tt.min, tt.max }))
		if res.OK != tt.in {
			t.Errorf("%d to %d: got %v", tt.min, tt.max, res.OK)
		}
		if tt.in {
			continue
		}
		wantError(t, res, protocol.CodeInvalidRequest, "protocol mismatch")
		if string(res.Error.Details) != `{"expectedProtocol":3}` {
			t.Errorf("got details %s", res.Error.Details)
		}
		if code, reason := c.Closed(); code != protocol.CloseProtocolMismatch || reason != "protocol mismatch" {
			t.Errorf("closed with %d %q", code, reason)
		}
	}
}

func TestSilenceIsClosed(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{}, func(c *gateway.Config) { c.Limits.Handshake = 50 * time.Millisecond })
	c := h.Open(t, nil)
	if code, reason := c.Closed(); code != protocol.CloseNormal || reason != "" {
		t.Errorf("closed with %d %q", code, reason)
	}
	// Who got in may be silent.
	in := h.Connect(t, nil)
	if res := in.Call("health", nil); !res.OK {
		t.Errorf("got %+v", res.Error)
	}
}

// A client that does not wait for hello-ok is turned away.
func TestPipelinedFrame(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{})
	c := h.Open(t, nil)
	// A wrong token is answered late after many failures: until then the
	// second frame is there.
	for range 7 {
		bad := h.Open(t, nil)
		bad.Call(protocol.MethodConnect, bad.Params(nil, func(p *protocol.ConnectParams) { p.Auth.Token = "wrong" }))
	}
	c.Ask(protocol.MethodConnect, c.Params(nil, func(p *protocol.ConnectParams) { p.Auth.Token = "wrong" }))
	wantError(t, c.Reply(c.Ask("health", nil)), protocol.CodeInvalidRequest, "invalid handshake: first request must be connect")
	if code, _ := c.Closed(); code != protocol.ClosePolicy {
		t.Errorf("closed with %d", code)
	}
}

// Strangers are cheap: when too many are silent, the oldest gives way and a
// client that means it gets in.
func TestSilentConnectionsAreBounded(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{}, func(c *gateway.Config) { c.Limits.Unproven = 4 })
	var silent []*gatewaytest.Client
	for range 8 {
		silent = append(silent, h.Open(t, nil))
	}
	h.Connect(t, nil)
	for i, c := range silent[:4] {
		if code, _ := c.Closed(); code > 0 {
			t.Errorf("silent connection %d was closed with %d", i, code)
		}
	}
}

func TestOriginIsJudgedAtConnect(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{})
	c := h.Open(t, http.Header{"Origin": {"https://evil.example"}})
	res := c.Call(protocol.MethodConnect, c.Params(nil, nil))
	if res.OK || !strings.HasPrefix(res.Error.Message, "origin not allowed") {
		t.Errorf("got %+v", res)
	}
	if code, _ := c.Closed(); code != protocol.ClosePolicy {
		t.Errorf("closed with %d", code)
	}
}

// A page that made a name of its own point here does not even get a socket.
func TestReboundNameGetsNoSocket(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{})
	raw, err := net.Dial("tcp", h.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.Write([]byte("GET / HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"))
	head := make([]byte, 12)
	raw.SetReadDeadline(time.Now().Add(gatewaytest.Patience))
	if _, err := raw.Read(head); err != nil || string(head) != "HTTP/1.1 403" {
		t.Errorf("got %q, %v", head, err)
	}
}

func TestTicketOpensTheDashboard(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{}, func(c *gateway.Config) {
		c.DashboardURL = func() string { return "http://127.0.0.1:1/" }
	})
	op := h.Connect(t, nil)
	ticket := into[protocol.DashboardTicket](t, op.Call("dashboard.ticket", nil))
	if want := "http://127.0.0.1:1/#token=" + ticket.Ticket; ticket.URL != want {
		t.Errorf("got link %q, want %q", ticket.URL, want)
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	enter := func(token string) protocol.Incoming {
		c := h.Open(t, http.Header{"Origin": {"http://" + h.Addr}})
		return c.Call(protocol.MethodConnect, c.Params(key, func(p *protocol.ConnectParams) {
			p.Client.ID, p.Client.Mode = protocol.ClientControlUI, protocol.ModeWebChat
			p.Auth.Token = token
		}))
	}
	hello := into[protocol.HelloOK](t, enter(ticket.Ticket))
	if hello.Auth == nil {
		t.Fatal("no device token for the ticket")
	}
	if res := enter(ticket.Ticket); res.OK {
		t.Error("the ticket was good twice")
	}
	into[protocol.HelloOK](t, enter(hello.Auth.DeviceToken))
}

// FuzzFrame feeds frames to a connection that is in; whatever they are, the
// connection goes on answering.
func FuzzFrame(f *testing.F) {
	for _, s := range []string{`{`, `{"type":"req"}`, `{"type":"req","id":"a","method":"health","params":7}`, `[[[[`, `{"id":{}}`, "\xff"} {
		f.Add(s)
	}
	h := gatewaytest.Start(f, &gatewaytest.Backend{})
	f.Fuzz(func(t *testing.T, s string) {
		c := h.Connect(t, nil)
		c.Send(s)
		res := c.Call("health", map[string]string{"x": s})
		var snap protocol.HealthSnapshot
		if err := json.Unmarshal(res.Payload, &snap); err != nil || !snap.OK {
			t.Errorf("after %q: %s, %v", s, res.Payload, err)
		}
		c.Hangup()
	})
}
