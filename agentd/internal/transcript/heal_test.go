package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
)

func user(text string) Entry {
	return MessageEntry(chat.Message{Role: chat.RoleUser, Content: chat.Blocks{chat.Text(text)}, Timestamp: 1}, &Tag{RunID: "R", InputID: text})
}

func assistant(text string) Entry {
	return MessageEntry(chat.Message{Role: chat.RoleAssistant, Content: chat.Blocks{chat.Text(text)}, StopReason: chat.StopEnd, Timestamp: 2}, nil)
}

func open(t *testing.T, path string, log *slog.Logger) *File {
	t.Helper()
	f, err := Open(t.Context(), Options{Path: path, SessionID: "s-1", Cwd: "/ws", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func write(t *testing.T, path string, entries ...Entry) []Entry {
	t.Helper()
	f := open(t, path, nil)
	out, err := f.Append(entries...)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func texts(entries []Entry) []string {
	var out []string
	for _, e := range entries {
		if e.Message != nil {
			out = append(out, e.Message.Content.Text())
		}
	}
	return out
}

func TestLastLineTruncatedAtEveryByte(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole.jsonl")
	write(t, whole, user("one"), assistant("two"))
	write(t, whole, user("three"))
	raw, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(raw[:len(raw)-1], '\n') + 1
	dir := t.TempDir()
	for cut := last; cut < len(raw); cut++ {
		path := filepath.Join(dir, fmt.Sprintf("%d.jsonl", cut))
		if err := os.WriteFile(path, raw[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		log := slog.New(slog.NewTextHandler(&said, nil))
		f := open(t, path, log)
		want := []string{"one", "two"}
		lines, torn := 0, raw[last:cut]
		switch {
		case cut == len(raw)-1: // only the newline is missing: nothing is lost
			want, lines, torn = append(want, "three"), 1, nil
		case len(torn) > 0:
			lines = 1
		}
		if diff := cmp.Diff(texts(f.Entries()), want); diff != "" {
			t.Fatalf("cut at %d (-got +want):\n%s", cut, diff)
		}
		if _, err := f.Append(user("four")); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		again := open(t, path, log)
		if diff := cmp.Diff(texts(again.Entries()), append(want, "four")); diff != "" {
			t.Fatalf("cut at %d, opened again (-got +want):\n%s", cut, diff)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(said.String(), "\n"); n != lines {
			t.Fatalf("cut at %d: %d log lines, want %d:\n%s", cut, n, lines, said.String())
		}
		aside, err := os.ReadFile(path + ".torn")
		if (len(torn) == 0) != errors.Is(err, os.ErrNotExist) || (len(torn) > 0 && string(aside) != string(torn)+"\n") {
			t.Fatalf("cut at %d: torn file %q (%v), want %q", cut, aside, err, torn)
		}
	}
}

const writerDir = "TRANSCRIPT_TEST_DIR"

// TestWriter is the process that is killed; it does nothing in an ordinary test run.
func TestWriter(t *testing.T) {
	dir := os.Getenv(writerDir)
	if dir == "" {
		t.Skip("only run by TestKilledWriter")
	}
	f := open(t, filepath.Join(dir, "s.jsonl"), nil)
	for i := 0; ; i++ {
		if _, err := f.Append(user(fmt.Sprint(i, strings.Repeat("x", 5000)))); err != nil {
			t.Fatal(err)
		}
		fmt.Println("stored", i)
	}
}

func TestKilledWriter(t *testing.T) {
	for round := range 5 {
		dir := t.TempDir()
		w := exec.Command(os.Args[0], "-test.run=^TestWriter$")
		w.Env = append(os.Environ(), writerDir+"="+dir)
		out, err := w.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		stored := -1
		for range 3 + 7*round {
			if _, err := fmt.Fscanf(out, "stored %d\n", &stored); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := fmt.Fscanf(out, "stored %d\n", &stored); err != nil {
				break
			}
		}
		_ = w.Wait()
		// The lock died with its holder, and every entry that was stored is there.
		f := open(t, filepath.Join(dir, "s.jsonl"), nil)
		if n := len(f.Entries()); n < stored+1 {
			t.Errorf("round %d: %d entries, but %d were stored", round, n, stored+1)
		}
		for i, text := range texts(f.Entries()) {
			if !strings.HasPrefix(text, fmt.Sprint(i, "x")) {
				t.Fatalf("entry %d is %.20q", i, text)
			}
		}
	}
}

func TestMalformedLinesAreDroppedWithABackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.jsonl")
	write(t, path, user("one"), assistant("two"), user("three"))
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(raw, []byte("\n"))
	bad := bytes.Join([][]byte{lines[0], lines[1], []byte("{broken\n"), lines[3], []byte("[1]\n")}, nil) // "two" is gone
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	f := open(t, path, slog.New(slog.NewTextHandler(&said, nil)))
	var seen []string
	for _, m := range f.Context().Messages {
		seen = append(seen, m.Content.Text())
	}
	if diff := cmp.Diff(seen, []string{"one", "three"}); diff != "" {
		t.Errorf("context (-got +want):\n%s", diff)
	}
	if strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), "dropped_lines=2") {
		t.Errorf("log: %s", said.String())
	}
	backups, err := filepath.Glob(path + ".bak.*")
	if err != nil || len(backups) != 1 {
		t.Fatalf("backups: %v (%v)", backups, err)
	}
	kept, err := os.ReadFile(backups[0])
	if err != nil || !bytes.Equal(kept, bad) {
		t.Errorf("the backup differs from the file (%v)", err)
	}
}

func TestOlderVersionsAreBroughtUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.jsonl")
	old := `{"type":"session","id":"s-1","timestamp":"2025-01-01T00:00:00.000Z","cwd":"/ws"}
{"type":"message","timestamp":"2025-01-01T00:00:01.000Z","message":{"role":"user","content":"hello","timestamp":1}}
{"type":"message","timestamp":"2025-01-01T00:00:02.000Z","message":{"role":"assistant","content":[{"type":"text","text":"hi"}],"timestamp":2}}
`
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	f := open(t, path, nil)
	if _, err := f.Append(user("more")); err != nil {
		t.Fatal(err)
	}
	f.Close()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var h header
	if err := json.Unmarshal(raw[:bytes.IndexByte(raw, '\n')], &h); err != nil || h.Version != Version || h.ID != "s-1" {
		t.Errorf("header: %+v (%v)", h, err)
	}
	p := parse(raw)
	for i, e := range p.entries {
		if len(e.ID) != 8 || (i == 0) != (e.ParentID == nil) || (i > 0 && *e.ParentID != p.entries[i-1].ID) {
			t.Errorf("entry %d: id %q, parent %v", i, e.ID, e.ParentID)
		}
	}
	if diff := cmp.Diff(texts(p.entries), []string{"hello", "hi", "more"}); diff != "" {
		t.Errorf("texts (-got +want):\n%s", diff)
	}
}

func TestOneWriterAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.jsonl")
	first := open(t, path, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, Options{Path: path}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("second writer: got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path, nil)
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.jsonl")
	write(t, path, user("one"))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, path, nil)
	// A limit on the size of files makes the write stop half-way, as a full disk does.
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	tight := syscall.Rlimit{Cur: uint64(len(before)) + 40, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &tight); err != nil {
		t.Skipf("no limit on file sizes here: %v", err)
	}
	_, err = f.Append(user("two"))
	if rerr := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); rerr != nil {
		t.Fatal(rerr)
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Fatalf("append: got %v, want %v", err, syscall.EFBIG)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed:\n%s\n(%v)", after, err)
	}
	if _, err := f.Append(user("three")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(texts(f.Entries()), []string{"one", "three"}); diff != "" {
		t.Errorf("texts (-got +want):\n%s", diff)
	}
}
