package protocol_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

func TestSignedText(t *testing.T) {
	claim := protocol.Claim{
		DeviceID: "dev", ClientID: protocol.ClientCLI, ClientMode: protocol.ModeCLI, Role: protocol.RoleOperator,
		Scopes: []protocol.Scope{protocol.ScopeRead, protocol.ScopeWrite}, SignedAtMS: 17, Token: "tok", Nonce: "n",
	}
	tests := []struct {
		name   string
		change func(*protocol.Claim)
		want   string
	}{
		{"with nonce", func(*protocol.Claim) {}, "v2|dev|cli|cli|operator|operator.read,operator.write|17|tok|n"},
		{"without nonce", func(c *protocol.Claim) { c.Nonce = "" }, "v1|dev|cli|cli|operator|operator.read,operator.write|17|tok"},
		{"no scopes, no token", func(c *protocol.Claim) { c.Scopes, c.Token = nil, "" }, "v2|dev|cli|cli|operator||17||n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := claim
			tt.change(&c)
			if got := c.SignedText(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSignVerifies(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	claim := protocol.Claim{ClientID: protocol.ClientTest, ClientMode: protocol.ModeTest, Role: protocol.RoleNode, SignedAtMS: 5, Nonce: "n"}
	d := claim.Sign(key)
	claim.DeviceID = protocol.DeviceID(pub)
	sig, err := protocol.DecodeKey(d.Signature)
	if err != nil {
		t.Fatal(err)
	}
	if d.ID != claim.DeviceID || len(d.ID) != 64 || !ed25519.Verify(pub, []byte(claim.SignedText()), sig) {
		t.Errorf("the signature of %+v does not verify", d)
	}
}

func TestDecodeKey(t *testing.T) {
	for _, s := range []string{"_-8", "/+8=", " _-8= "} {
		got, err := protocol.DecodeKey(s)
		if err != nil || string(got) != "\xff\xef" {
			t.Errorf("DecodeKey(%q) = %x, %v", s, got, err)
		}
	}
	if _, err := protocol.DecodeKey("a*b"); err == nil {
		t.Error("no error for what is no base64")
	}
}

func TestCutReason(t *testing.T) {
	long := strings.Repeat("ü", 100)
	got := protocol.CutReason(long)
	if len(got) != protocol.CloseReasonMax || !strings.HasPrefix(long, got) {
		t.Errorf("got %d bytes", len(got))
	}
	if odd := protocol.CutReason("x" + long); len(odd) != protocol.CloseReasonMax-1 {
		t.Errorf("got %d bytes, want a whole character less", len(odd))
	}
	if protocol.CutReason("short") != "short" {
		t.Error("a short reason was changed")
	}
}

func TestErrorShape(t *testing.T) {
	e := protocol.Unavailable("no %s", "room").WithRetry(true, 50).WithDetails(map[string]int{"a": 1})
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"code":"UNAVAILABLE","message":"no room","details":{"a":1},"retryable":true,"retryAfterMs":50}`
	if string(raw) != want {
		t.Errorf("got  %s\nwant %s", raw, want)
	}
	wrapped := fmt.Errorf("send: %w", e)
	if !errors.Is(wrapped, &protocol.Error{Code: protocol.CodeUnavailable}) || errors.Is(wrapped, &protocol.Error{Code: protocol.CodeNotPaired}) {
		t.Error("errors.Is does not go by the code")
	}
}

func TestSessionsPatchKeepsNull(t *testing.T) {
	var p protocol.SessionsPatchParams
	if err := json.Unmarshal([]byte(`{"key":"k","label":null,"model":"m"}`), &p); err != nil {
		t.Fatal(err)
	}
	if p.Key != "k" || len(p.Fields) != 2 || string(p.Fields["label"]) != "null" || string(p.Fields["model"]) != `"m"` {
		t.Errorf("got %+v", p)
	}
	back, err := json.Marshal(p)
	if err != nil || string(back) != `{"key":"k","label":null,"model":"m"}` {
		t.Errorf("got %s, %v", back, err)
	}
}
