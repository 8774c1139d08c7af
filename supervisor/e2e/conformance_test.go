package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// sharedDir is the folder with the protocol's cases beside the checkout. The test is skipped where it is absent.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("OPENCLAW_SHARED")
	if dir == "" {
		dir = filepath.Join(repoDir(t), "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "conformance", "cases")); err != nil {
		t.Skipf("the conformance cases are not beside the checkout (set OPENCLAW_SHARED): %v", err)
	}
	return dir
}

// conformanceTools builds the runner and its model from a copy: their folder may be
// read-only, and is no part of this workspace.
func conformanceTools(t testing.TB, shared string) (runner, model string) {
	t.Helper()
	root := t.TempDir()
	source := filepath.Join(root, "conformance")
	if err := os.CopyFS(source, os.DirFS(filepath.Join(shared, "conformance"))); err != nil {
		t.Fatal(err)
	}
	runner, model = filepath.Join(root, "runner"), filepath.Join(root, "model")
	for _, b := range [][2]string{{runner, "."}, {model, "./fakemodel"}} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", b[0], b[1])
		cmd.Dir, cmd.Env = source, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build the conformance runner: %v\n%s", err, out)
		}
	}
	return runner, model
}

// TestConformance runs the protocol's cases against the real supervisor, with the
// configuration that they ask for.
func TestConformance(t *testing.T) {
	t.Parallel()
	shared := sharedDir(t)
	runner, model := conformanceTools(t, shared)
	e := New(t)
	address := startModel(t, model)
	e.Token = "devtoken"
	e.cfg = conformanceConfig(e, address)
	e.writeConfig()
	e.Start()

	args := []string{"-url", e.URL(), "-token", e.Token, "-schema", filepath.Join(shared, "protocol", "gateway-v3.schema.json")}
	if testing.Short() {
		args = append(args, "-short")
	}
	all := os.Getenv("E2E_CONFORMANCE") == "all"
	if !all && len(pending) > 0 {
		args = append(args, "-skip", pendingPattern())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, runner, append(args, filepath.Join(shared, "conformance", "cases"))...)
	cmd.Dir = e.dir("work")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	judge(t, string(out))
	e.Stop()
}

// judge makes a test of every case that the runner told of.
func judge(t *testing.T, out string) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^(ok  |FAIL) (\S+) \(([^)]*)\)(?:: (.*))?$`)
	cases := line.FindAllStringSubmatch(out, -1)
	if len(cases) == 0 {
		t.Fatalf("the runner told of no case:\n%s", out)
	}
	for _, c := range cases {
		t.Run(c[2], func(t *testing.T) {
			reason, waits := pendingReason(c[2])
			switch {
			case c[1] == "FAIL" && waits:
				t.Skipf("pending, %s: %s", reason, c[4])
			case c[1] == "FAIL":
				t.Error(c[4])
			case waits:
				t.Errorf("passes now: take it off the pending list (%s)", reason)
			}
		})
	}
	t.Logf("%d cases were run", len(cases))
}

// pendingReason says why a case is not expected to pass yet.
func pendingReason(name string) (string, bool) {
	for reason, names := range pending {
		if slices.Contains(names, name) {
			return reason, true
		}
	}
	return "", false
}

// pendingPattern matches the names of pending cases.
func pendingPattern() string {
	var parts []string
	for _, names := range pending {
		for _, name := range names {
			parts = append(parts, "^"+regexp.QuoteMeta(name)+"$")
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "|")
}

// startModel runs the cases' own scripted model until the test ends.
func startModel(t *testing.T, binary string) (address string) {
	t.Helper()
	address = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "-addr", address)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	wait, done := context.WithTimeout(t.Context(), patience)
	defer done()
	var d net.Dialer
	err := await(wait, func() error {
		c, err := d.DialContext(wait, "tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err
	})
	if err != nil {
		t.Fatalf("the scripted model does not answer: %v", err)
	}
	return address
}

// conformanceConfig is the configuration that the cases are written for.
func conformanceConfig(e *Env, model string) Config {
	models := func(id, name string) []any {
		return []any{map[string]any{"id": id, "name": name, "reasoning": false, "input": []any{"text"}, "contextWindow": 128000}}
	}
	c := Config{}
	c.Set("gateway", map[string]any{
		"mode": "local", "reload": map[string]any{"mode": "off"}, "auth": map[string]any{"mode": "token", "token": e.Token},
	})
	c.Set("update.checkOnStart", false).Set("discovery.mdns.mode", "off")
	c.Set("models.mode", "replace")
	c.Set("models.providers.fake", map[string]any{"baseUrl": "http://" + model + "/v1", "apiKey": "none", "api": "openai-completions", "models": models("fake-1", "Fake 1")})
	c.Set("models.providers.fake-anthropic", map[string]any{"baseUrl": "http://" + model, "apiKey": "none", "api": "anthropic-messages", "models": models("fake-2", "Fake 2")})
	c.Set("agents.defaults", map[string]any{
		"workspace": e.Workspace(), "skipBootstrap": true, "model": map[string]any{"primary": "fake/fake-1"},
		"models": map[string]any{"fake/fake-1": map[string]any{}, "fake-anthropic/fake-2": map[string]any{}}, "heartbeat": map[string]any{"every": "0m"},
	})
	c.Set("logging.file", e.LogFile())
	return c
}
