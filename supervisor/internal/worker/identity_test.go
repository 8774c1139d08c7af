package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

func silent() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// sleeper is a process of nobody's, in a group of its own.
func sleeper(t *testing.T) (*exec.Cmd, Record) {
	t.Helper()
	path, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("no sleep on this machine")
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, "600")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	ticks, err := startTicks(c.Process.Pid)
	if err != nil {
		t.Skip("processes cannot be told apart on this platform")
	}
	return c, Record{ID: "a", PID: c.Process.Pid, StartTicks: ticks, Executable: path}
}

func TestLeftoversEndAndStrangersDoNot(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no leftovers are recognised here")
	}
	for name, change := range map[string]func(*Record){
		"another start time": func(r *Record) { r.StartTicks++ },
		"no start time":      func(r *Record) { r.StartTicks = 0 },
		"another executable": func(r *Record) { r.Executable = "/usr/bin/other" },
	} {
		t.Run(name, func(t *testing.T) {
			c, r := sleeper(t)
			change(&r)
			left := endLeftovers(context.Background(), []Record{r}, newRecorder(nil, silent()), silent())
			if !alive(c.Process.Pid) {
				t.Error("a stranger was ended")
			}
			if left[0].PID != 0 {
				t.Error("the record still names a process")
			}
		})
	}
	t.Run("ours", func(t *testing.T) {
		c, r := sleeper(t)
		endLeftovers(context.Background(), []Record{r}, newRecorder(nil, silent()), silent())
		awaitDead(t, 0, c.Process.Pid)
	})
	t.Run("gone", func(t *testing.T) {
		c, r := sleeper(t)
		_ = c.Process.Kill()
		_ = c.Wait()
		endLeftovers(context.Background(), []Record{r}, newRecorder(nil, silent()), silent())
	})
}

// TestALeftoverIsEndedBeforeTheFirstStart covers the pool's own start.
func TestALeftoverIsEndedBeforeTheFirstStart(t *testing.T) {
	c, r := sleeper(t)
	b := runPool(t, Config{Policy: quick(), Store: newStore(r)})
	b.apply(b.fault("a", nil))
	b.sink.awaitEvent(t, 0, "running", is("a", Running))
	awaitDead(t, 0, c.Process.Pid)
}

func TestAWorkerKnowsOnlyItsOwn(t *testing.T) {
	host := []string{"PATH=" + os.Getenv("PATH"), "HOME=/home/x", "LANG=C", "OPENAI_API_KEY=marked-secret", "OPENCLAW_GATEWAY_TOKEN=marked-secret"}
	b := runPool(t, Config{Policy: quick(), Environ: func() []string { return host }})
	spec := b.fault("a", map[string]any{"calls": true})
	spec.Configure = func(context.Context) (plugin.Configuration, error) {
		return plugin.Configuration{JSON: json.RawMessage(`{"control":"127.0.0.1:0"}`)}, nil
	}
	b.apply(spec)
	b.sink.awaitEvent(t, 0, "running", is("a", Running))
	var who struct{ Environ []string }
	get(t, b, "a", "/who", &who)
	var names []string
	for _, kv := range who.Environ {
		name, value, _ := strings.Cut(kv, "=")
		if strings.Contains(value, "marked-secret") {
			t.Errorf("%s reached the worker", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"FAULTWORKER_FAULT", "FAULTWORKER_ID", "HOME", "LANG", "OPENCLAW_PLUGIN", "OPENCLAW_STATE_DIR", "PATH",
		"PLUGIN_CLIENT_CERT", "PLUGIN_MAX_PORT", "PLUGIN_MIN_PORT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR"}
	if !slices.Equal(names, want) {
		t.Errorf("the worker's environment is %v, want %v", names, want)
	}
	fi, err := os.Stat(spec.StateDir)
	if err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("state directory: %v, %v", fi.Mode(), err)
	}
	awaitLog(t, b, "a", "a channel worker makes no calls")
	b.sink.mu.Lock()
	defer b.sink.mu.Unlock()
	if len(b.sink.calls) != 0 {
		t.Error("a channel worker's call reached the sink")
	}
}

// get asks the control address of a fault worker.
func get(t *testing.T, b *bench, id, path string, into any) {
	t.Helper()
	address, err := os.ReadFile(filepath.Join(b.dir, id, "control.addr"))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get("http://" + string(address) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func post(t *testing.T, b *bench, id, path, body string) {
	t.Helper()
	address, err := os.ReadFile(filepath.Join(b.dir, id, "control.addr"))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Post("http://"+string(address)+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(r.Body)
		t.Fatalf("%s: %s: %s", path, r.Status, text)
	}
}

func awaitLog(t *testing.T, b *bench, id, part string) {
	t.Helper()
	deadline := within(t)
	for {
		lines, err := b.Logs(id, 0)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, part) }) {
			return
		}
		select {
		case <-deadline.Done():
			t.Fatalf("no line with %q in the log: %q", part, lines)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestWhatAKilledWorkerHadNotHandedOverComesAgain kills a worker in the middle of a
// stream of messages: the played network delivers again what was not acknowledged.
func TestWhatAKilledWorkerHadNotHandedOverComesAgain(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	b.sink.start = func(ctx context.Context, h Handle) {
		_ = channel.NewClient(h.Client).StartAccount(ctx, channel.AccountStart{Account: "default", Config: json.RawMessage(`{}`), Revision: 1})
	}
	spec := b.fault("a", map[string]any{"lives": 1, "crash": "kill", "crashAfterEvents": 4})
	spec.Configure = func(context.Context) (plugin.Configuration, error) {
		return plugin.Configuration{JSON: json.RawMessage(`{"control":"127.0.0.1:0"}`)}, nil
	}
	b.apply(spec)
	connected := func(e Event) bool { return e.Account != nil && e.Account.Phase == plugin.AccountConnected }
	_, n := b.sink.awaitEvent(t, 0, "the account connected", connected)
	var messages []string
	for i := range 10 {
		messages = append(messages, fmt.Sprintf(`{"key":"m%d","text":"hello"}`, i))
	}
	post(t, b, "a", "/inbound", "["+strings.Join(messages, ",")+"]")
	b.sink.awaitEvent(t, n, "the death", func(e Event) bool { return e.Exit != nil })
	b.sink.await(t, "all ten messages", func() bool {
		for i := range 10 {
			if !slices.Contains(b.sink.inbound, fmt.Sprint("m", i)) {
				return false
			}
		}
		return true
	})
	s, _ := b.Status("a")
	if s.Restarts != 1 {
		t.Errorf("%d restarts", s.Restarts)
	}
	b.sink.awaitEvent(t, n, "the account connected again", connected)
	if s, _ = b.Status("a"); len(s.Accounts) != 1 || s.Accounts[0].Phase != plugin.AccountConnected {
		t.Errorf("accounts are %+v", s.Accounts)
	}
}
