package gateway_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/gatewaytest"
)

// sharedDir finds the protocol's data beside the project, wherever the tests
// run; empty where it is absent.
func sharedDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		shared := filepath.Join(dir, "..", "shared")
		if _, err := os.Stat(filepath.Join(shared, "conformance", "go.mod")); err == nil {
			return shared
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// TestConformance runs the black-box cases that need no agent.
func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("black-box cases take a while")
	}
	shared := sharedDir(t)
	if shared == "" {
		t.Skip("no conformance cases beside the project")
	}
	tool := t.TempDir()
	if err := os.CopyFS(tool, os.DirFS(filepath.Join(shared, "conformance"))); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "gateway.log")
	if err := os.WriteFile(log, []byte("one\ntwo\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &gatewaytest.Backend{
		LogPath: log,
		ModelsFunc: func(context.Context) (protocol.ModelsListResult, error) {
			no := false
			return protocol.ModelsListResult{Models: []protocol.ModelChoice{
				{ID: "fake-1", Name: "Fake 1", Provider: "fake", ContextWindow: 128000, Reasoning: &no},
				{ID: "fake-2", Name: "Fake 2", Provider: "fake-anthropic", ContextWindow: 128000},
			}}, nil
		},
	}
	h := gatewaytest.Start(t, b, func(c *gateway.Config) { c.Page = page(t) })
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	args := []string{
		"run", ".", "-url", "ws://" + h.Addr, "-token", gatewaytest.Token,
		"-schema", filepath.Join(shared, "protocol", "gateway-v3.schema.json"),
		"-run", `^(handshake|framing|health|presence|http|logs|models|send|talk)/|^channels/status-none|^events/unguarded|^agent/(params|identity)`,
		"-skip", `handshake/features-methods|idempotency`,
	}
	if os.Getenv("OPENCLAW_SLOW") == "" {
		args = append(args, "-short")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "cases")...)
	cmd.Dir = tool
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
