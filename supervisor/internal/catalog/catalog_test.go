package catalog

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type pinMap map[string]string

func (p pinMap) Pinned(_ context.Context, id string) (string, error) { return p[id], nil }
func (p pinMap) Pin(_ context.Context, id, sum string) error         { p[id] = sum; return nil }

type house struct {
	bundled, plugins, copies string
	pins                     pinMap
	c                        *Catalog
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{pins: pinMap{}}
	for _, d := range []*string{&h.bundled, &h.plugins, &h.copies} {
		*d = t.TempDir()
		if err := os.Chmod(*d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h.c = New(Config{BundledDir: h.bundled, PluginDirs: []string{h.plugins}, CopyDir: h.copies, Pins: h.pins})
	return h
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func wantRefusal(t *testing.T, err error, code, word string) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("error is %v, want a refusal", err)
	}
	if r.Code != code || !strings.Contains(r.Action, word) {
		t.Errorf("refused with %s, remedy %q; want %s and a remedy with %q", r.Code, r.Action, code, word)
	}
}

func TestBundledProgramsComeFirstAndAreRunAsTheyAre(t *testing.T) {
	h := newHouse(t)
	put(t, filepath.Join(h.bundled, "openclaw-channel-a"), "bundled", 0o755)
	put(t, filepath.Join(h.plugins, "openclaw-channel-a"), "plugin", 0o755)
	put(t, filepath.Join(h.bundled, "plugins", "openclaw-channel-b"), "bundled", 0o755)
	for _, id := range []string{"a", "b"} {
		e, err := h.c.Find(t.Context(), id)
		if err != nil || !e.Bundled || !strings.HasPrefix(e.Path, h.bundled) {
			t.Errorf("%s: %+v, %v", id, e, err)
		}
	}
	if got := strings.Join(h.c.IDs(), " "); got != "a b" {
		t.Errorf("channels: %s", got)
	}
}

func TestAPluginIsPinnedCopiedAndHeldToItsPin(t *testing.T) {
	h := newHouse(t)
	file := filepath.Join(h.plugins, "openclaw-channel-x")
	put(t, file, "one", 0o755)
	e, err := h.c.Find(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if e.Bundled || !strings.HasPrefix(e.Path, h.copies) || h.pins["x"] != e.SHA256 {
		t.Errorf("entry %+v, pin %s", e, h.pins["x"])
	}
	put(t, file, "two", 0o755)
	if got, err := os.ReadFile(e.Path); err != nil || string(got) != "one" {
		t.Errorf("the copy holds %q, %v", got, err)
	}
	old, err := h.c.Find(t.Context(), "x")
	wantRefusal(t, err, CodeUnapproved, "openclaw plugins approve x")
	if old.Path != e.Path || old.SHA256 != e.SHA256 || old.Revision != e.Revision {
		t.Errorf("with the refusal came %+v, want the approved version %+v", old, e)
	}
	if err := os.RemoveAll(filepath.Dir(e.Path)); err != nil {
		t.Fatal(err)
	}
	old, err = h.c.Find(t.Context(), "x")
	wantRefusal(t, err, CodeUnapproved, "openclaw plugins approve x")
	if old.Path != "" {
		t.Errorf("with the refusal came the path %s, although no approved version is left", old.Path)
	}
}

func TestFilesThatCannotBeTrustedAreRefused(t *testing.T) {
	h := newHouse(t)
	_, err := h.c.Find(t.Context(), "nobody")
	wantRefusal(t, err, CodeNotFound, "openclaw-channel-nobody")
	_, err = h.c.Find(t.Context(), "../x")
	wantRefusal(t, err, CodeNotFound, "configuration")
	put(t, filepath.Join(h.plugins, "openclaw-channel-w"), "x", 0o777)
	_, err = h.c.Find(t.Context(), "w")
	wantRefusal(t, err, CodeUnsafeFile, "chmod go-w")
	put(t, filepath.Join(h.plugins, "openclaw-channel-n"), "x", 0o600)
	_, err = h.c.Find(t.Context(), "n")
	wantRefusal(t, err, CodeUnsafeFile, "chmod +x")
	outside := filepath.Join(t.TempDir(), "elsewhere")
	put(t, outside, "x", 0o755)
	if err := os.Symlink(outside, filepath.Join(h.plugins, "openclaw-channel-l")); err != nil {
		t.Fatal(err)
	}
	_, err = h.c.Find(t.Context(), "l")
	wantRefusal(t, err, CodeUnsafeFile, "program itself")
	_, err = h.c.AgentRuntime()
	wantRefusal(t, err, CodeNotFound, "install")
}
