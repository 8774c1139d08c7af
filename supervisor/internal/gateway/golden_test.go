package gateway_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/gatewaytest"
)

// recorded is an exchange of the golden frames.
type recorded struct {
	About  string
	Frames []struct {
		Conn, Dir string
		Frame     struct {
			ID, Method, Type string
			Params           json.RawMessage
			Error            *protocol.Error
		}
	}
}

// reproducible are refusals that depend on the request alone.
var reproducible = regexp.MustCompile(`^(invalid (\S+) params: |unknown method: |invalid request frame|text required|message or attachment required|key required|Either key|Provide either)`)

// TestGoldenRefusals replays recorded requests and wants the recorded words.
func TestGoldenRefusals(t *testing.T) {
	shared := sharedDir(t)
	if shared == "" {
		t.Skip("no golden frames beside the project")
	}
	files, err := filepath.Glob(filepath.Join(shared, "protocol", "golden", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("golden frames: %v, %v", files, err)
	}
	h := gatewaytest.Start(t, &gatewaytest.Backend{})
	c := h.Connect(t, nil)
	have := append(h.Server.Methods(), "sessions.resolve", "chat.inject")
	replayed := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct{ Exchanges []recorded }
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, ex := range doc.Exchanges {
			for _, reply := range ex.Frames {
				if reply.Frame.Error == nil || !reproducible.MatchString(reply.Frame.Error.Message) {
					continue
				}
				for _, ask := range ex.Frames {
					if ask.Dir != "to gateway" || ask.Frame.ID != reply.Frame.ID || ask.Conn != reply.Conn || !slices.Contains(have, ask.Frame.Method) {
						continue
					}
					replayed++
					t.Run(filepath.Base(file)+"/"+ask.Frame.Method, func(t *testing.T) {
						var params any
						if len(ask.Frame.Params) > 0 {
							params = ask.Frame.Params
						}
						wantError(t, c.Call(ask.Frame.Method, params), reply.Frame.Error.Code, reply.Frame.Error.Message)
					})
				}
			}
		}
	}
	if replayed < 15 {
		t.Errorf("only %d refusals were replayed", replayed)
	}
}
