package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestEnsure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ws")
	there := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	if err := Ensure(t.Context(), dir, true); err != nil || there(Agents) {
		t.Fatalf("skip: %v, files made: %v", err, there(Agents))
	}
	if err := Ensure(t.Context(), dir, false); err != nil || !there(Agents) || !there(Bootstrap) || there(Memory) {
		t.Fatalf("new: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, Agents), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{Bootstrap, Soul} {
		if err := os.Remove(filepath.Join(dir, n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Ensure(t.Context(), dir, false); err != nil || !there(Soul) || there(Bootstrap) {
		t.Errorf("again: %v, soul %v, bootstrap %v", err, there(Soul), there(Bootstrap))
	}
	if f, err := Get(dir, Agents); err != nil || f.Content != "mine" {
		t.Errorf("a file was overwritten: %+v, %v", f, err)
	}
}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ws")
	if f, err := Get(dir, User); err != nil || !f.Missing {
		t.Errorf("missing: %+v, %v", f, err)
	}
	f, err := Set(dir, User, "hello")
	if err != nil || f.Missing || f.Size != 5 || f.Content != "hello" || f.Updated.IsZero() || f.Path != filepath.Join(dir, User) {
		t.Errorf("set: %+v, %v", f, err)
	}
	list, err := List(dir)
	if err != nil || len(list) != len(Names()) || list[4].Name != User || list[4].Missing || !list[0].Missing {
		t.Errorf("list: %+v, %v", list, err)
	}
	for _, name := range []string{"secret.txt", "../USER.md", ""} {
		var u *UnsupportedError
		if _, err := Set(dir, name, "x"); !errors.As(err, &u) {
			t.Errorf("set %q: %v", name, err)
		}
		if _, err := Get(dir, name); !errors.As(err, &u) {
			t.Errorf("get %q: %v", name, err)
		}
	}
}
