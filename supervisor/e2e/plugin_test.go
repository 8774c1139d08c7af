package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// TestEchoPlugin: a stranger's plugin is dropped into the folder, and answers.
func TestEchoPlugin(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before the start", "while it runs"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			e := New(t)
			socket := e.dir("client") + "/echo.sock"
			e.Configure(func(c Config) {
				c.Set("channels.echo", map[string]any{"enabled": true, "listen": "unix:" + socket, "dmPolicy": "open", "allowFrom": []any{"*"}})
			})
			if when == "before the start" {
				e.install(echoBinary)
				e.Start()
			} else {
				e.Launch()
				e.Await("the missing channel to be shown", patience, func() error { return e.shownMissing("echo") })
				e.install(echoBinary)
				e.AwaitReady()
			}
			if got, want := e.echo(socket, "say: over a line of text"), "over a line of text"; got != want {
				t.Errorf("the answer is %q, want %q", got, want)
			}
			e.Stop()
		})
	}
}

// shownMissing complains until health, or the list of workers, says that nobody provides a channel.
func (e *Env) shownMissing(id string) error {
	var shown []string
	for _, c := range e.conditions() {
		shown = append(shown, c.Text)
		if strings.Contains(c.Code+c.Title+c.Text, id) {
			return nil
		}
	}
	if w, ok := e.Workers()[id]; ok && w.Condition != nil {
		return nil
	}
	return fmt.Errorf("%s is not shown as missing: %q", id, shown)
}

// conditions are those of health.
func (e *Env) conditions() []protocol.Condition {
	e.t.Helper()
	var snapshot protocol.HealthSnapshot
	e.Call(protocol.MethodHealth, nil, &snapshot)
	return snapshot.Conditions
}

// echo writes a line to the echo channel and gives the line that comes back.
func (e *Env) echo(socket, text string) string {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), patience)
	defer cancel()
	var d net.Dialer
	var c net.Conn
	err := await(ctx, func() (err error) {
		c, err = d.DialContext(ctx, "unix", socket)
		return err
	})
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		e.t.Fatal(err)
	}
	if _, err := fmt.Fprintln(c, text); err != nil {
		e.t.Fatal(err)
	}
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "connected:") { // the greeting
			return lines.Text()
		}
	}
	e.t.Fatalf("no answer came: %v", lines.Err())
	return ""
}

// TestNoPluginAtAll: a file in a worker's place that does not speak the contract is shown
// with the remedy, and everybody else runs.
func TestNoPluginAtAll(t *testing.T) {
	t.Parallel()
	for _, bad := range []struct {
		name    string
		content string
		mode    os.FileMode
	}{
		{"a script that prints", "#!/bin/sh\necho hello\n", 0o755},
		{"a script that hangs", "#!/bin/sh\nexec sleep 30\n", 0o755},
		{"an exit", "#!/bin/sh\nexit 3\n", 0o755},
		{"no program", "\x00\x01\x02 this is no program", 0o755},
		{"not executable", "#!/bin/sh\necho hello\n", 0o644},
	} {
		t.Run(bad.name, func(t *testing.T) {
			t.Parallel()
			e := New(t)
			dir := filepath.Join(e.State, "plugins")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "openclaw-channel-odd"), []byte(bad.content), bad.mode); err != nil {
				t.Fatal(err)
			}
			e.Configure(func(c Config) {
				c.Set("channels.odd", map[string]any{"enabled": true}).Set("supervisor.startTimeoutMs", 1000)
			})
			e.Launch()
			e.Await("the odd worker to be shown", patience, func() error {
				w, ok := e.Workers()["odd"]
				switch {
				case !ok:
					return e.shownMissing("odd")
				case w.Condition == nil:
					return fmt.Errorf("odd is %s, and no word why", w.State)
				case w.State == protocol.WorkerRunning:
					return errorText("odd is running")
				case w.Condition.Text == "":
					return fmt.Errorf("odd: %s without a text", w.Condition.Code)
				}
				return nil
			})
			e.Say(401, "say: undisturbed")
			e.AwaitText(401, "undisturbed")
			for id, w := range e.Workers() {
				if id != "odd" && (w.State != protocol.WorkerRunning || w.Restarts != 0) {
					t.Errorf("%s is %s after %d restarts", id, w.State, w.Restarts)
				}
			}
			e.Stop()
		})
	}
}

// TestBundledWorkerIsNoPlugin: the same where Telegram's own worker should be.
func TestBundledWorkerIsNoPlugin(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.WorkersDir = e.workersWithout(telegramID)
	if err := os.WriteFile(filepath.Join(e.WorkersDir, telegramBinary), []byte("#!/bin/sh\necho I am no plugin\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	e.Launch()
	e.Await("telegram to be shown as failing", patience, func() error {
		w := e.Worker(telegramID)
		if w.State == protocol.WorkerRunning || w.Condition == nil {
			return fmt.Errorf("telegram is %s", w.State)
		}
		return nil
	})
	if end := e.chat("main", "say: agentd is well"); end.State != "final" {
		t.Errorf("the chat ended as %q, with %s", end.State, end.Message)
	}
	e.Stop()
}
