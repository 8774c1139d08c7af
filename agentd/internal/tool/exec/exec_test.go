//go:build linux

package exec

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/guard"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
)

const patience = 10 * time.Second

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == guard.SubCommand {
		os.Exit(guard.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

type bench struct {
	t    *testing.T
	pool *Pool
	set  *tool.Set
	conf *settings.Settings
	ws   string
}

func newBench(t *testing.T) *bench {
	pool := NewPool(Config{})
	t.Cleanup(pool.Close)
	return &bench{
		t: t, pool: pool, set: tool.NewRegistry(Exec{pool}, Process{pool}).Select(), ws: t.TempDir(),
		conf: &settings.Settings{Env: map[string]string{"PATH": os.Getenv("PATH"), "SHELL": "/bin/sh", "KEPT": "kept", "OPENAI_API_KEY": "secret"}},
	}
}

func (b *bench) use(ctx context.Context, name string, args map[string]any, update func(tool.Result)) tool.Result {
	b.t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.set.Run(ctx, name, tool.Call{AgentID: "main", Workspace: b.ws, Args: raw, Settings: b.conf, Background: true, Update: update})
}

func (b *bench) exec(args map[string]any) tool.Result { return b.use(b.t.Context(), "exec", args, nil) }

func (r *bench) details(res tool.Result) (d details) {
	r.t.Helper()
	if err := json.Unmarshal(res.Details, &d); err != nil {
		r.t.Fatalf("details %q: %v", res.Details, err)
	}
	return d
}

func await1(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come within %s", what, patience)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func alive(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	f := strings.Fields(string(raw[strings.LastIndex(string(raw), ")")+1:]))
	return f[0] != "Z" && f[0] != "X"
}

func TestForeground(t *testing.T) {
	tests := []struct {
		name, command, text string
		args                map[string]any
		isError             bool
		status              string
	}{
		{"output", "echo hello", "hello\n", nil, false, "completed"},
		{"nothing to say", "true", "(no output)", nil, false, "completed"},
		{"failure", "echo oops; exit 3", "oops\n\nCommand exited with code 3", nil, true, "failed"},
		{"signal", "kill -KILL $$", "Command aborted by signal SIGKILL", nil, true, "failed"},
		{"timeout", "echo before; sleep 300", "before\n\nCommand timed out after 0.3 seconds", map[string]any{"timeout": 0.3}, true, "failed"},
		{"environment without our keys", `echo "$KEPT/$OPENAI_API_KEY/$MORE"`, "kept//more\n", map[string]any{"env": map[string]string{"MORE": "more"}}, false, "completed"},
		{"binary output", `printf 'a\000b\377c\r\nd'`, "abc\nd", nil, false, "completed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			args := map[string]any{"command": tt.command}
			for k, v := range tt.args {
				args[k] = v
			}
			r := b.exec(args)
			if r.Content.Text() != tt.text || r.IsError != tt.isError {
				t.Errorf("got %q (error %v), want %q (error %v)", r.Content.Text(), r.IsError, tt.text, tt.isError)
			}
			if d := b.details(r); d.Status != tt.status || d.Cwd != b.ws {
				t.Errorf("details: %+v", d)
			}
		})
	}
}

func TestRefusedVariables(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"PATH", "LD_PRELOAD", "dyld_x", "NODE_OPTIONS", "BASH_ENV"} {
		r := b.exec(map[string]any{"command": "echo ran", "env": map[string]string{name: "x"}})
		if !r.IsError || strings.Contains(r.Content.Text(), "ran") {
			t.Errorf("%s: got %q", name, r.Content.Text())
		}
	}
}

func TestMissingFolder(t *testing.T) {
	b := newBench(t)
	r := b.exec(map[string]any{"command": "pwd", "workdir": "nowhere"})
	want := fmt.Sprintf("[The folder %s does not exist; the command ran in %s.]\n%s\n", filepath.Join(b.ws, "nowhere"), b.ws, b.ws)
	if r.Content.Text() != want {
		t.Errorf("got %q, want %q", r.Content.Text(), want)
	}
}

func TestLongOutputKeepsItsEnd(t *testing.T) {
	b := newBench(t)
	r := b.exec(map[string]any{"command": "yes 0123456789 | head -c 1000000; echo; echo the end"})
	text := r.Content.Text()
	if len(text) > maxOutput+100 || !strings.HasPrefix(text, "[800009 bytes of earlier output are left out]") || !strings.HasSuffix(text, "the end\n") {
		t.Errorf("got %d bytes, from %.60q to %q", len(text), text, text[len(text)-20:])
	}
}

func TestUpdatesTellTheTail(t *testing.T) {
	b := newBench(t)
	flag := filepath.Join(b.ws, "flag")
	var said []string
	r := b.use(t.Context(), "exec", map[string]any{"command": "echo going; while [ ! -e flag ]; do sleep 0.02; done; echo gone"}, func(u tool.Result) {
		said = append(said, u.Content.Text())
		if err := os.WriteFile(flag, nil, 0o600); err != nil {
			t.Error(err)
		}
	})
	if len(said) == 0 || said[0] != "going\n" || r.Content.Text() != "going\ngone\n" {
		t.Errorf("updates %q, result %q", said, r.Content.Text())
	}
}

func TestAbortEndsTheForegroundWithAllItStarted(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	pidFile := filepath.Join(b.ws, "pid")
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(pidFile); err == nil {
				cancel()
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	r := b.use(ctx, "exec", map[string]any{"command": "setsid sh -c 'echo $$ > tmp; mv tmp pid; exec sleep 300' & wait"}, nil)
	cancel()
	if !r.IsError || !strings.Contains(r.Content.Text(), "Command aborted by signal SIGKILL") {
		t.Errorf("got %q", r.Content.Text())
	}
	raw, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	await1(t, "the end of the daemon", func() bool { return !alive(pid) })
}

func TestBackground(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := b.use(ctx, "exec", map[string]any{"command": "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two; exit 4", "background": true}, nil)
	cancel() // an abort leaves the background alone
	d := b.details(r)
	want := fmt.Sprintf("Command still running (session %s, pid %d). Use process (list, poll, log, kill, clear, remove) for follow-up.", d.SessionID, d.PID)
	if r.Content.Text() != want || d.Status != "running" || !alive(d.PID) {
		t.Errorf("got %q, %+v", r.Content.Text(), d)
	}
	process := func(action string) string {
		return b.use(t.Context(), "process", map[string]any{"action": action, "sessionId": d.SessionID}, nil).Content.Text()
	}
	await1(t, "the first line", func() bool { return strings.HasPrefix(process("log"), "one") })
	if got := process("poll"); got != "one\n\nProcess still running." {
		t.Errorf("poll: got %q", got)
	}
	if got := process("poll"); got != "(no new output)\n\nProcess still running." {
		t.Errorf("second poll: got %q", got)
	}
	if got := process("clear"); !strings.Contains(got, "still running") {
		t.Errorf("clear: got %q", got)
	}
	if err := os.WriteFile(filepath.Join(b.ws, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	await1(t, "the end", func() bool { return strings.Contains(process("list"), d.SessionID+" failed") })
	if got := process("poll"); got != "two\n\nProcess exited with code 4." {
		t.Errorf("last poll: got %q", got)
	}
	other := b.set.Run(t.Context(), "process", tool.Call{AgentID: "other", Settings: b.conf,
		Args: json.RawMessage(fmt.Sprintf(`{"action":"poll","sessionId":%q}`, d.SessionID))})
	if !other.IsError || other.Content.Text() != "No session found for "+d.SessionID {
		t.Errorf("another agent: got %q", other.Content.Text())
	}
	if got := process("clear"); got != "Cleared session "+d.SessionID+"." {
		t.Errorf("clear: got %q", got)
	}
	if got := process("poll"); got != "No session found for "+d.SessionID {
		t.Errorf("poll after clear: got %q", got)
	}
}

func TestYieldAndKill(t *testing.T) {
	b := newBench(t)
	d := b.details(b.exec(map[string]any{"command": "sleep 300", "yieldMs": 20}))
	if d.Status != "running" {
		t.Fatalf("details: %+v", d)
	}
	r := b.use(t.Context(), "process", map[string]any{"action": "kill", "sessionId": d.SessionID}, nil)
	if r.Content.Text() != "Killed session "+d.SessionID+"." {
		t.Errorf("kill: got %q", r.Content.Text())
	}
	await1(t, "the end of the command", func() bool { return !alive(d.PID) })
}

func TestWithoutProcessThereIsNoBackground(t *testing.T) {
	b := newBench(t)
	r := b.set.Run(t.Context(), "exec", tool.Call{AgentID: "main", Workspace: b.ws, Settings: b.conf,
		Args: json.RawMessage(`{"command":"echo whole","background":true}`)})
	if !strings.HasSuffix(r.Content.Text(), "whole\n") || b.details(r).Status != "completed" {
		t.Errorf("got %q", r.Content.Text())
	}
}

func TestCloseEndsTheBackground(t *testing.T) {
	b := newBench(t)
	d := b.details(b.exec(map[string]any{"command": "sleep 300", "background": true}))
	b.pool.Close()
	if alive(d.PID) || b.pool.Running() != 0 {
		t.Errorf("pid %d lives, %d running", d.PID, b.pool.Running())
	}
	if r := b.exec(map[string]any{"command": "echo no"}); !r.IsError {
		t.Errorf("a closed pool ran a command: %q", r.Content.Text())
	}
}
