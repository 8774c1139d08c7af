package gatewaytest

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Raw connects a device and gives the socket behind hello-ok, with nothing
// reading from it. It is closed when the test ends.
func (h *Harness) Raw(tb testing.TB) *websocket.Conn {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws://"+h.Addr+"/", nil)
	if err != nil {
		tb.Fatal(err)
	}
	ws.SetReadLimit(protocol.ClientMaxPayload)
	tb.Cleanup(func() { ws.CloseNow() })
	var challenge struct{ Payload protocol.Challenge }
	read(ctx, tb, ws, &challenge)
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	p := protocol.ConnectParams{
		MinProtocol: protocol.Version, MaxProtocol: protocol.Version, Auth: &protocol.Auth{Token: Token},
		Client: protocol.ClientInfo{ID: protocol.ClientCLI, Version: "1", Platform: "linux", Mode: protocol.ModeCLI},
		Role:   protocol.RoleOperator, Scopes: []protocol.Scope{protocol.ScopeAdmin},
	}
	p.Device = protocol.Claim{
		ClientID: p.Client.ID, ClientMode: p.Client.Mode, Role: p.Role, Scopes: p.Scopes, SignedAtMS: time.Now().UnixMilli(),
		Token: Token, Nonce: challenge.Payload.Nonce,
	}.Sign(key)
	params, err := json.Marshal(p)
	if err != nil {
		tb.Fatal(err)
	}
	frame, err := json.Marshal(protocol.Request{Type: protocol.FrameRequest, ID: "c", Method: protocol.MethodConnect, Params: params})
	if err != nil {
		tb.Fatal(err)
	}
	if err := ws.Write(ctx, websocket.MessageText, frame); err != nil {
		tb.Fatal(err)
	}
	var hello protocol.Response
	read(ctx, tb, ws, &hello)
	if !hello.OK {
		tb.Fatalf("connect: %v", hello.Error)
	}
	return ws
}

func read(ctx context.Context, tb testing.TB, ws *websocket.Conn, v any) {
	tb.Helper()
	_, b, err := ws.Read(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		tb.Fatal(err)
	}
}
