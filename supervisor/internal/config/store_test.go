package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

// fixture is a state directory with a configuration file.
type fixture struct {
	t    *testing.T
	opts Options
}

func newFixture(t *testing.T, text string) *fixture {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	f := &fixture{t: t, opts: Options{
		Paths:   source.Paths{Home: dir, StateDir: dir, ConfigFile: filepath.Join(dir, source.FileName)},
		Environ: source.Environ{"PATH": "/bin"}, Settle: 5 * time.Millisecond, Version: "test",
	}}
	if text != "" {
		f.write(text)
	}
	return f
}

func (f *fixture) write(text string) {
	f.t.Helper()
	if err := os.MkdirAll(f.opts.Paths.StateDir, 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(f.opts.Paths.ConfigFile, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) open() *Store {
	f.t.Helper()
	s, err := Open(f.t.Context(), f.opts)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (f *fixture) bytes() string {
	f.t.Helper()
	data, err := os.ReadFile(f.opts.Paths.ConfigFile)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

const good = "{ gateway: { mode: 'local', port: 4000, auth: { token: '${T}' } }, channels: { telegram: { botToken: 'a' } } }"

func TestFirstRunMakesTheFile(t *testing.T) {
	f := newFixture(t, "")
	if _, err := Open(t.Context(), f.opts); err == nil || !strings.HasPrefix(err.Error(), "Missing config. Run `openclaw setup`") {
		t.Errorf("start without a file = %v", err)
	}
	f.opts.AllowUnconfigured = true
	s := f.open()
	listen, err := s.Snapshot().Listen()
	if err != nil {
		t.Fatal(err)
	}
	if len(listen.Auth.Token) != 48 || listen.Auth.Source != "config" || listen.Port != 18789 || listen.Bind != "loopback" {
		t.Errorf("listen = %+v", listen)
	}
	if info, err := os.Stat(f.opts.Paths.ConfigFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file mode %v, %v", info.Mode(), err)
	}
	text := f.bytes()
	// The file that was made is enough for a start without the flag, and no start ever changes it.
	f.opts.AllowUnconfigured = false
	for range 3 {
		f.open()
	}
	if f.bytes() != text {
		t.Error("a start changed the file")
	}
}

func TestGate(t *testing.T) {
	for text, want := range map[string]string{
		"{}":                             "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.",
		"{ gateway: { mode: 'remote' }}": "Gateway start blocked: set gateway.mode=local (current: remote) or pass --allow-unconfigured.",
	} {
		f := newFixture(t, text)
		if _, err := Open(t.Context(), f.opts); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
		f.opts.AllowUnconfigured = true
		f.open()
		if f.bytes() != text {
			t.Errorf("an existing file was touched: %s", f.bytes())
		}
	}
}

// TestBadFileStartsOnTheLastGoodCopy is promise U4 for starts.
func TestBadFileStartsOnTheLastGoodCopy(t *testing.T) {
	bad := map[string]struct{ text, code, place string }{
		"half written": {good[:40], CodeInvalid, "line 1, column 1"},
		"syntax":       {"{\n gateway: { mode 'local' } }", CodeInvalid, "line 2, column 18"},
		"unknown key":  {"{\n gateway: { mode: 'local' },\n chanels: {} }", CodeInvalid, "line 3, column 2"},
		"wrong type":   {"{\n gateway: { port: 'x' } }", CodeInvalid, "line 2, column 19"},
		"empty":        {"", CodeInvalid, "line 1, column 1"},
		"deleted":      {"", CodeMissing, "put it back"},
	}
	for name, test := range bad {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, good)
			f.opts.Environ["T"] = "secret"
			f.open()
			f.write(test.text)
			if name == "deleted" {
				if err := os.Remove(f.opts.Paths.ConfigFile); err != nil {
					t.Fatal(err)
				}
			}
			s := f.open()
			snapshot := s.Snapshot()
			if snapshot.Origin != FromLastGood || snapshot.Config.Gateway.Port != 4000 || snapshot.Config.Gateway.Auth.Token != "secret" {
				t.Errorf("runs on %s, port %d, token %q", snapshot.Origin, snapshot.Config.Gateway.Port, snapshot.Config.Gateway.Auth.Token)
			}
			if channel, ok := snapshot.ChannelBlock("telegram"); !ok || !channel.Accounts[0].Enabled {
				t.Error("the channel does not come up")
			}
			conditions := s.Conditions()
			if len(conditions) == 0 || conditions[0].Code != test.code || !strings.Contains(conditions[0].String()+conditions[0].Action, test.place) {
				t.Errorf("conditions = %v", conditions)
			}
		})
	}
}

func TestLastGoodCopyHoldsNoSecretOfTheEnvironment(t *testing.T) {
	f := newFixture(t, good)
	f.opts.Environ["T"] = "hunter2"
	f.open()
	file := lastGoodFile(f.opts.Paths)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 || strings.Contains(string(data), "hunter2") {
		t.Errorf("copy: mode %v\n%s", info.Mode(), data)
	}
	// A variable that is gone leaves its account without token and everything else up.
	delete(f.opts.Environ, "T")
	f.opts.AllowUnconfigured = true
	s := f.open()
	if s.Snapshot().Origin != FromLastGood || len(s.Snapshot().ChannelIDs()) != 1 {
		t.Errorf("origin %s", s.Snapshot().Origin)
	}
}

func TestBadFileWithoutCopyIsRefused(t *testing.T) {
	f := newFixture(t, "{ gateway: { prot: 1 } }")
	_, err := Open(t.Context(), f.opts)
	var start *StartError
	if !errors.As(err, &start) || !strings.Contains(err.Error(), "openclaw doctor") || !strings.Contains(err.Error(), `Did you mean "port"`) {
		t.Errorf("got %v", err)
	}
}

// watched runs a store and hands over its changes.
func watched(t *testing.T, s *Store) <-chan Change {
	t.Helper()
	changes := make(chan Change, 16)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- s.Run(ctx, func(_ context.Context, c Change) error { changes <- c; return nil })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return changes
}

func next(t *testing.T, changes <-chan Change) Change {
	t.Helper()
	select {
	case c := <-changes:
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("no change was told within 10 s")
		return Change{}
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func TestWatchAppliesGoodFilesAndKeepsWhatRunsOnBadOnes(t *testing.T) {
	quick := func(rest string) string {
		return "{ gateway: { mode: 'local', reload: { debounceMs: 1 } }, " + rest + " }"
	}
	f := newFixture(t, quick("ui: { seamColor: 'a' }"))
	s := f.open()
	changes := watched(t, s)
	f.write(quick("ui: { seamColor: 'b' }"))
	c := next(t, changes)
	if len(c.Paths) != 1 || c.Paths[0] != "ui.seamColor" || c.Classes["ui.seamColor"] != ClassLive || s.Snapshot().Config.UI.SeamColor != "b" || c.To.Revision != c.From.Revision+1 {
		t.Errorf("change = %+v", c)
	}
	f.write(quick("ui: { seamColor: 5 }"))
	await(t, "the bad file is a condition", func() bool { return len(s.Conditions()) == 1 })
	if s.Snapshot().Config.UI.SeamColor != "b" {
		t.Error("a bad file changed what runs")
	}
	// An editor that writes a new file beside and renames it.
	temp := f.opts.Paths.ConfigFile + ".new"
	if err := os.WriteFile(temp, []byte(quick("ui: { seamColor: 'c' }")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, f.opts.Paths.ConfigFile); err != nil {
		t.Fatal(err)
	}
	if c := next(t, changes); c.To.Config.UI.SeamColor != "c" || len(s.Conditions()) != 0 {
		t.Errorf("after correction: %+v, %v", c.Paths, s.Conditions())
	}
	if err := os.Remove(f.opts.Paths.ConfigFile); err != nil {
		t.Fatal(err)
	}
	await(t, "the missing file is a condition", func() bool { return len(s.Conditions()) == 1 })
}

func TestReloadModeOff(t *testing.T) {
	f := newFixture(t, "{ gateway: { mode: 'local', reload: { mode: 'off' } }, ui: { seamColor: 'a' } }")
	s := f.open()
	f.write("{ gateway: { mode: 'local', reload: { mode: 'off' } }, ui: { seamColor: 'b' } }")
	c, err := s.Reload(t.Context())
	if err != nil || len(c.Waiting) != 1 || len(c.Applied()) != 0 || s.Snapshot().Config.UI.SeamColor != "a" {
		t.Errorf("change %+v, %v", c, err)
	}
}

func TestEdit(t *testing.T) {
	f := newFixture(t, "{ gateway: { mode: 'local', auth: { token: 'hunter2' } }, // keep\n ui: { seamColor: 'a' } }")
	s := f.open()
	view, err := s.View(nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(view.Raw+string(view.Parsed)+string(view.Config), "hunter2") || !view.Valid || !view.Exists || view.Hash == "" {
		t.Errorf("view = %+v", view)
	}
	if _, err := s.Edit(t.Context(), Edit{Raw: "{}"}); !errors.Is(err, source.ErrHashRequired) {
		t.Errorf("without hash: %v", err)
	}
	edited, err := s.Edit(t.Context(), Edit{BaseHash: view.Hash, Raw: `{"ui":{"seamColor":"b"},"cron":{"enabled":false}}`, Patch: true})
	if err != nil {
		t.Fatal(err)
	}
	if text := f.bytes(); !strings.Contains(text, "// keep") || !strings.Contains(text, "hunter2") || s.Snapshot().Config.Cron.Enabled || s.Snapshot().Config.UI.SeamColor != "b" {
		t.Errorf("file\n%s", text)
	}
	if s.Snapshot().Hash != edited.Hash || len(edited.Change.Paths) == 0 {
		t.Errorf("edited = %+v, runs %s", edited, s.Snapshot().Hash)
	}
	// What was shown redacted can be written back and keeps the secret.
	view, err = s.View(nil)
	if err != nil {
		t.Fatal(err)
	}
	raw := strings.Replace(string(view.Parsed), `"seamColor":"b"`, `"seamColor":"c"`, 1)
	if _, err := s.Edit(t.Context(), Edit{BaseHash: view.Hash, Raw: raw}); err != nil {
		t.Fatal(err)
	}
	if text := f.bytes(); !strings.Contains(text, "hunter2") || strings.Contains(text, source.Redacted) || !strings.Contains(text, "// keep") {
		t.Errorf("file\n%s", text)
	}
	if _, err := s.Edit(t.Context(), Edit{BaseHash: view.Hash, Raw: "{}"}); !errors.Is(err, source.ErrHashConflict) {
		t.Errorf("stale hash: %v", err)
	}
	if _, err := s.Edit(t.Context(), Edit{BaseHash: s.Snapshot().Hash, Raw: `{"talk":{"apiKey":"` + source.Redacted + `"}}`, Patch: true}); err == nil {
		t.Error("a redacted value for nothing was written")
	}
}

func TestChannelsFromLinkedFile(t *testing.T) {
	f := newFixture(t, "")
	dotfile := filepath.Join(t.TempDir(), "dotfiles.json5")
	quick := func(color string) string {
		return "{ gateway: { mode: 'local', reload: { debounceMs: 1 } }, ui: { seamColor: '" + color + "' } }"
	}
	if err := os.WriteFile(dotfile, []byte(quick("a")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(f.opts.Paths.StateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dotfile, f.opts.Paths.ConfigFile); err != nil {
		t.Skip("no symbolic links here")
	}
	s := f.open()
	changes := watched(t, s)
	if err := os.WriteFile(dotfile, []byte(quick("b")), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := next(t, changes); c.To.Config.UI.SeamColor != "b" {
		t.Errorf("change = %v", c.Paths)
	}
}
