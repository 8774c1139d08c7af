package gateway_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/gatewaytest"
)

func TestShutdownIsTold(t *testing.T) {
	for _, tt := range []struct {
		name    string
		restart bool
		want    string
	}{
		{"stopping", false, `{"reason":"gateway stopping","restartExpectedMs":null}`},
		{"restarting", true, `{"reason":"gateway restarting","restartExpectedMs":1500}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := gatewaytest.Start(t, &gatewaytest.Backend{})
			c := h.Connect(t, nil)
			silent := h.Open(t, nil)
			if tt.restart {
				h.Server.Restarting(1500 * time.Millisecond)
			}
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				h.Stop()
			}()
			if got := c.Event(protocol.EventShutdown); string(got.Payload) != tt.want {
				t.Errorf("got %s, want %s", got.Payload, tt.want)
			}
			for _, c := range []*gatewaytest.Client{c, silent} {
				if code, reason := c.Closed(); code != protocol.CloseServiceRestart || reason != protocol.ReasonServiceRestart {
					t.Errorf("closed with %d %q", code, reason)
				}
			}
			<-stopped
		})
	}
}

// A client that does not read loses its connection, and nobody else a thing.
func TestSlowReaderIsClosedAlone(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{}, func(c *gateway.Config) {
		c.Limits.Buffered = 256 * 1024
		c.Limits.Close = 100 * time.Millisecond
	})
	good := h.Connect(t, nil)
	slow := h.Open(t, nil)
	into[protocol.HelloOK](t, slow.Call(protocol.MethodConnect, slow.Params(nil, nil)))
	slow.StopReading()
	// The socket's own buffers take some megabytes first.
	text := strings.Repeat("x", 64*1024)
	lost := false
	for i := 0; i < 4096 && !lost; i++ {
		h.Bus.Publish(protocol.EventAgent, map[string]any{"text": text})
		started := time.Now()
		into[protocol.HealthSnapshot](t, good.Call("health", nil))
		if d := time.Since(started); d > 2*time.Second {
			t.Fatalf("health took %v beside a slow reader", d)
		}
		lost = h.Server.Clients() == 1
	}
	if !lost {
		t.Fatal("the slow reader was never closed")
	}
	for _, f := range good.Seen() {
		if f.Event == protocol.EventAgent {
			return
		}
	}
	t.Error("the good reader got nothing")
}

func TestTickAndPacedBroadcasts(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{}, func(c *gateway.Config) {
		c.Limits.Tick = 30 * time.Millisecond
		c.Limits.Coalesce = 40 * time.Millisecond
	})
	c := h.Connect(t, nil)
	c.Event(protocol.EventTick)
	// Many changes in one go are told in few events, and the last is told.
	first := c.Event(protocol.EventHealth)
	for i := range 100 {
		h.Board.Raise(protocol.Condition{Code: "disk", Title: "Disk", Severity: protocol.SeverityWarning, Text: strings.Repeat("x", i)})
	}
	events := 0
	c.Await("the last change", func(f protocol.Incoming) bool {
		if f.Event == protocol.EventHealth {
			events++
		}
		return f.Event == protocol.EventHealth && strings.Contains(string(f.Payload), strings.Repeat("x", 99))
	})
	if events > 20 {
		t.Errorf("100 changes were told in %d events", events)
	}
	if first.StateVersion == nil || first.Seq == nil {
		t.Errorf("got %+v, want versions and a number", first)
	}
}

func TestPresenceOfClients(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{})
	op := h.Connect(t, nil)
	list := func() []protocol.PresenceEntry {
		return into[[]protocol.PresenceEntry](t, op.Call("system-presence", nil))
	}
	desk := h.Connect(t, func(p *protocol.ConnectParams) { p.Client.DisplayName = "Desk" })
	h.Connect(t, func(p *protocol.ConnectParams) { p.Client.ID, p.Client.Mode = protocol.ClientCLI, protocol.ModeCLI })
	rows := list()
	if len(rows) != 3 {
		t.Fatalf("got %d rows, want the gateway and two clients, and none for the command line", len(rows))
	}
	if rows[0].Reason != "self" {
		t.Errorf("the gateway is not the first row: %+v", rows[0])
	}
	desk.Hangup()
	gone := op.Await("presence without Desk", func(f protocol.Incoming) bool {
		return f.Event == protocol.EventPresence && strings.Contains(string(f.Payload), `"disconnect"`)
	})
	if gone.StateVersion == nil || gone.StateVersion.Presence <= op.Hello.Snapshot.StateVersion.Presence {
		t.Errorf("got version %+v", gone.StateVersion)
	}
	if i := slices.IndexFunc(list(), func(e protocol.PresenceEntry) bool { return e.Host == "Desk" && e.Reason == "disconnect" }); i < 0 {
		t.Error("Desk is not marked")
	}
}

func TestHTTP(t *testing.T) {
	b := &gatewaytest.Backend{WorkersFunc: func() []protocol.WorkerView {
		return []protocol.WorkerView{{ID: "telegram", Kind: "channel", State: protocol.WorkerRunning, Restarts: 2}}
	}}
	reasons := []string{"agentd is starting"}
	h := gatewaytest.Start(t, b, func(c *gateway.Config) {
		c.Page = page(t)
		c.Ready = func() []string { return reasons }
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	tests := []struct {
		name, method, path string
		header             map[string]string
		code               int
		body               string
	}{
		{"live", "GET", "/healthz", nil, 200, `{"ok":true,"status":"live"}`},
		{"not ready", "GET", "/readyz", nil, 503, `{"ok":false,"status":"not ready","reasons":["agentd is starting"]}`},
		{"metrics", "GET", "/metrics", nil, 200, `openclaw_worker_restarts_total{worker="telegram"} 2`},
		{"metrics through a stranger", "GET", "/metrics", map[string]string{"X-Forwarded-For": "192.0.2.1"}, 401, `{"error":{"message":"Unauthorized","type":"unauthorized"}}`},
		{"metrics with the secret", "GET", "/metrics", map[string]string{"X-Forwarded-For": "192.0.2.1", "Authorization": "Bearer " + gatewaytest.Token}, 200, "openclaw_rpc_requests_total"},
		{"metrics with a secret in the query", "GET", "/metrics?token=" + gatewaytest.Token, map[string]string{"X-Forwarded-For": "192.0.2.1"}, 401, "Unauthorized"},
		{"page", "GET", "/", nil, 200, "__OPENCLAW_ASSISTANT_NAME__"},
		{"page with a query", "GET", "/?token=x", nil, 200, "__OPENCLAW_ASSISTANT_NAME__"},
		{"foreign host", "GET", "/", map[string]string{"Host": "evil.example"}, 403, "Forbidden"},
		{"foreign host on every route", "GET", "/healthz", map[string]string{"Host": "evil.example"}, 403, "Forbidden"},
		{"foreign origin", "GET", "/", map[string]string{"Origin": "https://evil.example"}, 403, "Forbidden"},
		{"null origin", "GET", "/healthz", map[string]string{"Origin": "null"}, 403, "Forbidden"},
		{"own origin", "GET", "/", map[string]string{"Origin": "http://" + h.Addr}, 200, "<html"},
		{"post", "POST", "/", nil, 405, "Method Not Allowed"},
		{"delete", "DELETE", "/healthz", nil, 405, "Method Not Allowed"},
		{"options", "OPTIONS", "/", nil, 405, "Method Not Allowed"},
		{"avatar meta", "GET", "/avatar/main?meta=1", nil, 200, `{"avatarUrl":null}`},
		{"no avatar", "GET", "/avatar/main", nil, 404, "Not Found"},
		{"avatar with a path", "GET", "/avatar/..%2fmain", nil, 404, "Not Found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+h.Addr+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			if host := tt.header["Host"]; host != "" {
				r.Host = host
			}
			res, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.code || !strings.Contains(string(body), tt.body) {
				t.Errorf("got  %d %.200s\nwant %d %s", res.StatusCode, body, tt.code, tt.body)
			}
		})
	}
	reasons = nil
	res, err := client.Get("http://" + h.Addr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("ready: got %d", res.StatusCode)
	}
}

// Binary frames are read as text.
func TestBinaryFrame(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{})
	c := h.Connect(t, nil)
	c.SendAs(websocket.MessageBinary, `{"type":"req","id":"b","method":"health"}`)
	into[protocol.HealthSnapshot](t, c.Reply("b"))
}

// Sockets that say nothing are bounded too, and take nothing from others.
func TestSilentSocketsAreBounded(t *testing.T) {
	h := gatewaytest.Start(t, &gatewaytest.Backend{}, func(c *gateway.Config) { c.Limits.Unproven = 4 })
	var silent []net.Conn
	for range 12 {
		c, err := net.Dial("tcp", h.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		silent = append(silent, c)
	}
	for i, c := range silent[:8] {
		c.SetReadDeadline(time.Now().Add(gatewaytest.Patience))
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("silent socket %d is still open: %v", i, err)
		}
	}
	h.Connect(t, nil)
}
