package gateway_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/gatewaytest"
)

func TestPairingOfSenders(t *testing.T) {
	asked := make(chan protocol.PairingApproveParams, 1)
	listed := make(chan protocol.PairingListParams, 1)
	b := &gatewaytest.Backend{
		PairFunc: func(_ context.Context, p protocol.PairingApproveParams) (protocol.PairingApproveResult, error) {
			asked <- p
			return protocol.PairingApproveResult{OK: true, Channel: p.Channel, ID: "42"}, nil
		},
		PairingsFunc: func(_ context.Context, p protocol.PairingListParams) (protocol.PairingListResult, error) {
			listed <- p
			return protocol.PairingListResult{Channel: p.Channel, Requests: []protocol.PairingRequest{}}, nil
		},
	}
	h := gatewaytest.Start(t, b)
	c := h.Connect(t, func(p *protocol.ConnectParams) { p.Scopes = []protocol.Scope{protocol.ScopePairing} })
	for _, name := range c.Hello.Features.Methods {
		if strings.HasPrefix(name, "pairing.") {
			t.Errorf("%s is listed", name)
		}
	}
	r := into[protocol.PairingApproveResult](t, c.Call("pairing.approve", map[string]any{"channel": " Telegram ", "code": " abcd2345", "notify": true}))
	if got, want := <-asked, (protocol.PairingApproveParams{Channel: "telegram", Code: "abcd2345", Notify: true}); got != want || r.ID != "42" || !r.OK {
		t.Errorf("asked %+v, want %+v; answered %+v", got, want, r)
	}
	if raw := c.Call("pairing.list", nil); !strings.Contains(string(raw.Payload), `"requests":[]`) {
		t.Errorf("got %s, %v", raw.Payload, raw.Error)
	}
	if got := <-listed; got.Channel != "" {
		t.Errorf("asked for %q", got.Channel)
	}
	for _, c2 := range []struct {
		method string
		params map[string]any
		want   string
	}{
		{"pairing.approve", map[string]any{"code": "A"}, "invalid pairing.approve params: channel (string) required"},
		{"pairing.reject", map[string]any{"channel": "telegram", "code": " "}, "invalid pairing.reject params: code (string) required"},
		{"pairing.reject", map[string]any{"channel": "telegram", "code": "B"}, "No pending pairing request found for code: B"},
		{"pairing.list", map[string]any{"chanel": "x"}, `invalid pairing.list params: unknown field "chanel"`},
	} {
		got := c.Call(c2.method, c2.params)
		if got.Error == nil || got.Error.Code != protocol.CodeInvalidRequest || got.Error.Message != c2.want {
			t.Errorf("%s %v: got %v, want %q", c2.method, c2.params, got.Error, c2.want)
		}
	}
	reader := h.Connect(t, func(p *protocol.ConnectParams) {
		p.Scopes = []protocol.Scope{protocol.ScopeWrite, protocol.ScopeApprovals}
	})
	for _, method := range []string{"pairing.list", "pairing.approve", "pairing.reject"} {
		if got := reader.Call(method, nil); got.Error == nil || got.Error.Message != "missing scope: operator.pairing" {
			t.Errorf("%s without the scope: %v", method, got.Error)
		}
	}
	if slices.Contains(reader.Hello.Features.Methods, "pairing.list") {
		t.Error("pairing.list is listed")
	}
}
