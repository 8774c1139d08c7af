package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// firstRun makes an Env that knows nothing: an empty home, no configuration, no variables of ours.
func firstRun(t *testing.T) *Env {
	e := New(t)
	if err := os.RemoveAll(e.State); err != nil {
		t.Fatal(err)
	}
	// The usual place of a person's own installation.
	e.State = filepath.Join(e.Home, ".openclaw")
	e.cfg = Config{}
	e.Args = []string{"--allow-unconfigured"}
	e.plain = true
	return e
}

var (
	linkForm  = regexp.MustCompile(`http://[^\s#]+#token=\S+`)
	tokenForm = regexp.MustCompile(`"?token"?: *"([^"]{16,})"`)
)

// TestFirstRun: one command starts everything with no key and no configuration, says how to
// talk to it, and is answered.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	e := firstRun(t)
	e.Launch()
	e.Await("the console to say how to talk to it", patience, func() error {
		if out := e.Output(); !linkForm.MatchString(out) || !strings.Contains(out, "openclaw agent --message") {
			return errorText("printed is only " + out)
		}
		return nil
	})
	info, err := os.Stat(e.ConfigFile())
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the configuration has mode %#o, want 0600", mode)
	}
	made := readFile(e.ConfigFile())
	token := tokenForm.FindStringSubmatch(made)
	if token == nil {
		t.Fatalf("the configuration holds no token of its own:\n%s", made)
	}
	e.Token = token[1]
	if strings.Contains(e.Output(), e.Token) {
		t.Error("the shared token was printed")
	}
	e.AwaitReady()

	answer := e.MustCLI("agent", "--message", "hello")
	if !strings.Contains(answer, "hello") {
		t.Errorf("the embedded model answered %q, want that it repeats what was said", answer)
	}
	e.expectPages()

	e.Stop()
	if after := readFile(e.ConfigFile()); after != made {
		t.Errorf("the configuration changed by itself:\n%s\nbefore:\n%s", after, made)
	}
	e.Start()
	if after := readFile(e.ConfigFile()); after != made {
		t.Errorf("the second start changed the configuration:\n%s\nbefore:\n%s", after, made)
	}
	e.Stop()
	for _, name := range e.outputs() {
		if strings.Contains(readFile(name), e.Token) {
			t.Errorf("the shared token stands in %s", filepath.Base(name))
		}
	}
}

// TestMissingConfigIsSaid: without the flag nothing is made up.
func TestMissingConfigIsSaid(t *testing.T) {
	t.Parallel()
	e := firstRun(t)
	e.Args = nil
	e.Launch()
	code, out := e.AwaitExit()
	if code == 0 || !strings.Contains(out, "--allow-unconfigured") {
		t.Errorf("exit code %d, want another than 0 and the way out:\n%s", code, out)
	}
	if _, err := os.Stat(e.ConfigFile()); err == nil {
		t.Error("a configuration was made although nobody asked for one")
	}
}

// expectPages asks for the pages that need no token.
func (e *Env) expectPages() {
	e.t.Helper()
	for _, page := range []struct{ path, holds string }{
		{"/", "<html"}, {"/healthz", "ok"}, {"/readyz", ""}, {"/metrics", "# TYPE"},
	} {
		status, body := e.get(page.path)
		if status != http.StatusOK || !strings.Contains(strings.ToLower(body), strings.ToLower(page.holds)) {
			e.t.Errorf("GET %s: status %d, want 200 and %q in\n%s", page.path, status, page.holds, body)
		}
	}
}

// get asks the control plane's port for a page.
func (e *Env) get(path string) (int, string) {
	e.t.Helper()
	ctx, cancel := e.within()
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http"+strings.TrimPrefix(e.URL(), "ws")+path, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var body bytes.Buffer
	if _, err := io.Copy(&body, io.LimitReader(answer.Body, 4<<20)); err != nil {
		e.t.Fatal(err)
	}
	return answer.StatusCode, body.String()
}
