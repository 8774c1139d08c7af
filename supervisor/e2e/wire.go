package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// wire is a connection without a client around it: for measuring the server alone.
type wire struct {
	ws *websocket.Conn
}

// dialWire connects with the shared token and no device.
func (e *Env) dialWire(ctx context.Context) (*wire, error) {
	ws, _, err := websocket.Dial(ctx, e.URL(), nil)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(16 << 20)
	w := &wire{ws: ws}
	params, err := json.Marshal(protocol.ConnectParams{
		MinProtocol: protocol.Version, MaxProtocol: protocol.Version, Scopes: []protocol.Scope{"operator.admin"},
		Client: protocol.ClientInfo{ID: "cli", Version: "1", Platform: "linux", Mode: "cli"}, Auth: &protocol.Auth{Token: e.Token},
	})
	if err == nil {
		err = w.call(ctx, "1", fmt.Appendf(nil, `{"type":"req","id":"1","method":"connect","params":%s}`, params))
	}
	if err != nil {
		_ = ws.CloseNow()
		return nil, err
	}
	return w, nil
}

// call writes a request and reads until the good answer to it has come.
func (w *wire) call(ctx context.Context, id string, request []byte) error {
	if err := w.ws.Write(ctx, websocket.MessageText, request); err != nil {
		return err
	}
	mark := []byte(`"id":"` + id + `"`)
	for {
		_, frame, err := w.ws.Read(ctx)
		if err != nil {
			return err
		}
		head := frame[:min(len(frame), 200)]
		switch {
		case bytes.Contains(head, []byte(`"type":"event"`)), !bytes.Contains(head, mark):
		case bytes.Contains(head, []byte(`"ok":true`)):
			return nil
		default:
			return fmt.Errorf("refused: %s", head)
		}
	}
}

// close ends the connection.
func (w *wire) close() { _ = w.ws.CloseNow() }
