package logfile

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestADayHasItsFileAndOldOnesGo(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 24, 23, 59, 0, 0, time.Local)
	old := filepath.Join(dir, "openclaw-2026-11-20.log")
	other := filepath.Join(dir, "notes.log")
	for _, f := range []string{old, other} {
		if err := os.WriteFile(f, []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(f, now.Add(-96*time.Hour), now.Add(-96*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Open(Config{Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old file is still there: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("a file that is none of ours was removed: %v", err)
	}
	if _, err := l.Write([]byte("one\n")); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Minute)
	if _, err := l.Write([]byte("two\n")); err != nil {
		t.Fatal(err)
	}
	if got, want := filepath.Base(l.Path()), "openclaw-2026-11-25.log"; got != want {
		t.Errorf("writes to %s, want %s", got, want)
	}
	for name, want := range map[string]string{"openclaw-2026-11-24.log": "one\n", "openclaw-2026-11-25.log": "two\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestLinesHaveTheFormThatClientsParse(t *testing.T) {
	var lines, console bytes.Buffer
	log := slog.New(NewHandler(Options{Lines: &lines, Level: slog.LevelInfo, Console: &console, ConsoleLevel: slog.LevelWarn}))
	log.With(SubsystemKey, "worker/telegram").WithGroup("g").Warn("poll failed", "error", "token=abcdefghijklmnop bad", "n", 3)
	log.Debug("not written")
	var got struct {
		Sub  string `json:"0"`
		Text string `json:"1"`
		Meta struct {
			Name string `json:"logLevelName"`
		} `json:"_meta"`
		Time string `json:"time"`
	}
	if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, lines.Bytes())
	}
	if got.Sub != `{"subsystem":"worker/telegram"}` || got.Meta.Name != "WARN" {
		t.Errorf("got %+v", got)
	}
	if want := `poll failed g.error="*** bad" g.n=3`; got.Text != want {
		t.Errorf("text\n got %s\nwant %s", got.Text, want)
	}
	if _, err := time.Parse(time.RFC3339, got.Time); err != nil {
		t.Errorf("time: %v", err)
	}
	if !strings.Contains(console.String(), "WARN [worker/telegram] poll failed") {
		t.Errorf("console: %s", console.String())
	}
}

func TestRedact(t *testing.T) {
	for in, keeps := range map[string]string{
		"GET /bot123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/getMe": "GET /bot",
		"Authorization: Bearer abcdefghijklmnopqrst":                  "Authorization: ",
		"key sk-proj-abcdefghijklmnop0123":                            "key ",
	} {
		got := Redact(in)
		if !strings.Contains(got, Redacted) || !strings.HasPrefix(got, keeps) {
			t.Errorf("Redact(%q) = %q", in, got)
		}
	}
	if got := Redact("the token is missing"); got != "the token is missing" {
		t.Errorf("plain prose became %q", got)
	}
}
