//go:build linux

package guard

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is the deadline of each await.
const patience = 10 * time.Second

// parentMode makes the test binary a program that starts one command and waits for its own end.
const parentMode = "GUARD_TEST_COMMAND"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == SubCommand {
		os.Exit(Main(os.Args[2:]))
	}
	if script := os.Getenv(parentMode); script != "" {
		if _, err := Start(Command{Argv: []string{"sh", "-c", script}, Env: os.Environ()}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		select {}
	}
	os.Exit(m.Run())
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func start(t *testing.T, script string, env ...string) (*Process, *buffer) {
	t.Helper()
	out := &buffer{}
	p, err := Start(Command{Argv: []string{"sh", "-c", script}, Dir: t.TempDir(), Env: append(env, "PATH="+os.Getenv("PATH")), Output: out})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		within(t, "the guard's end", p.Gone())
	})
	return p, out
}

func within(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not come within %s", what, patience)
	}
}

// await asks again and again until ok.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come within %s", what, patience)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// alive reports whether a process exists; a zombie counts as gone.
func alive(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	return len(fields) > 0 && fields[0] != "Z" && fields[0] != "X"
}

// hideouts starts, below one shell, a plain child, a session leader, and a daemon that
// forked twice and whose parents are gone; each writes its pid to a file in $D.
const hideouts = `
sh -c 'echo $$ > $D/plain.tmp; mv $D/plain.tmp $D/plain; exec sleep 300' &
setsid sh -c 'echo $$ > $D/session.tmp; mv $D/session.tmp $D/session; exec sleep 300' &
( ( setsid sh -c 'trap "" TERM HUP INT; echo $$ > $D/daemon.tmp; mv $D/daemon.tmp $D/daemon; while :; do sleep 300; done' >/dev/null 2>&1 </dev/null & ) & )
`

func pids(t *testing.T, dir string) []int {
	t.Helper()
	var out []int
	for _, name := range []string{"plain", "session", "daemon"} {
		var pid int
		await(t, "the pid of "+name, func() bool {
			raw, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return false
			}
			pid, err = strconv.Atoi(strings.TrimSpace(string(raw)))
			return err == nil
		})
		if !alive(pid) {
			t.Fatalf("%s (pid %d) did not live", name, pid)
		}
		out = append(out, pid)
	}
	return out
}

func awaitGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		await(t, fmt.Sprintf("the end of pid %d", pid), func() bool { return !alive(pid) })
	}
}

func TestExit(t *testing.T) {
	tests := []struct {
		name, script, output string
		exit                 Exit
	}{
		{"fine", "echo out; echo err >&2", "out\nerr\n", Exit{}},
		{"code", "exit 7", "", Exit{Code: 7}},
		{"signal", "kill -TERM $$", "", Exit{Signal: "SIGTERM"}},
		{"no input", "cat; echo end", "end\n", Exit{}},
		{"environment", `echo "$HOME-$X"`, "-y\n", Exit{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, out := start(t, tt.script, "X=y")
			within(t, "the command's end", p.Done())
			if p.Exit() != tt.exit {
				t.Errorf("exit: got %+v, want %+v", p.Exit(), tt.exit)
			}
			if out.String() != tt.output {
				t.Errorf("output: got %q, want %q", out.String(), tt.output)
			}
			within(t, "the guard's end", p.Gone())
		})
	}
}

func TestCommandThatDoesNotExist(t *testing.T) {
	_, err := Start(Command{Argv: []string{"no-such-program"}, Env: []string{"PATH=/usr/bin"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-program") {
		t.Errorf("got %v", err)
	}
}

func TestKillReachesEveryHideout(t *testing.T) {
	dir := t.TempDir()
	p, _ := start(t, hideouts+"sleep 300", "D="+dir)
	list := append(pids(t, dir), p.PID())
	p.Kill()
	within(t, "the command's end", p.Done())
	if p.Exit().Signal != "SIGKILL" {
		t.Errorf("exit: got %+v, want SIGKILL", p.Exit())
	}
	within(t, "the guard's end", p.Gone())
	awaitGone(t, list)
}

func TestWhatACommandLeavesBehindLivesUntilWeEnd(t *testing.T) {
	dir := t.TempDir()
	p, _ := start(t, hideouts, "D="+dir)
	within(t, "the command's end", p.Done())
	if p.Exit() != (Exit{}) {
		t.Errorf("exit: got %+v, want success", p.Exit())
	}
	list := pids(t, dir)
	select {
	case <-p.Gone():
		t.Fatal("the guard left while daemons live")
	default:
	}
	p.Kill()
	within(t, "the guard's end", p.Gone())
	awaitGone(t, list)
}

func TestNothingOutlivesAKilledParent(t *testing.T) {
	dir := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentMode+"="+hideouts+"sleep 300", "D="+dir)
	parent.Stderr = os.Stderr
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	list := pids(t, dir)
	if err := parent.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	awaitGone(t, list)
}

func TestKilledGuardTakesTheCommandAlong(t *testing.T) {
	p, _ := start(t, "sleep 300")
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	within(t, "the command's end", p.Done())
	if p.Exit().Err == nil {
		t.Errorf("exit: got %+v, want an error", p.Exit())
	}
	awaitGone(t, []int{p.PID()})
}
