package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/controlui"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/gatewaytest"
)

// page is the real page.
func page(tb testing.TB) http.Handler {
	tb.Helper()
	h, err := controlui.New(controlui.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// TestPageEntersByTicket runs the page's own client: it enters by a ticket,
// keeps the device token, and comes back by it after a cut.
func TestPageEntersByTicket(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node to run the page's modules with")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	probe := `if (typeof WebSocket !== "function") process.exit(1); crypto.subtle.generateKey({name:"Ed25519"},false,["sign"]).catch(() => process.exit(1))`
	if exec.CommandContext(ctx, node, "--experimental-websocket", "--input-type=module", "-e", probe).Run() != nil {
		t.Skip("this node has no WebSocket or no Ed25519")
	}
	h := gatewaytest.Start(t, &gatewaytest.Backend{})
	ticket, _ := h.Guard.Ticket()
	assets, err := filepath.Abs("../controlui/assets")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(ctx, node, "--experimental-websocket", "testdata/page.mjs", assets, h.Addr, ticket).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var seen []string
	var tokens []string
	for line := range strings.Lines(string(out)) {
		var l struct {
			What  string
			Value json.RawMessage
		}
		if json.Unmarshal([]byte(line), &l) != nil {
			continue // a warning of node's
		}
		seen = append(seen, l.What)
		switch l.What {
		case "hello":
			var v struct{ Token string }
			if err := json.Unmarshal(l.Value, &v); err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, v.Token)
		case "error":
			if want := `{"code":"INVALID_REQUEST","message":"invalid chat.history params: must have required property 'sessionKey'"}`; string(l.Value) != want {
				t.Errorf("got error %s", l.Value)
			}
		}
	}
	if got, want := strings.Join(seen, " "), "hello history error lost hello"; got != want {
		t.Fatalf("saw %q, want %q\n%s", got, want, out)
	}
	if tokens[0] == "" || tokens[0] != tokens[1] {
		t.Errorf("got tokens %q, want the same one twice", tokens)
	}
}
