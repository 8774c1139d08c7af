package json5

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUpdateFileKeepsNumberedBackups(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "openclaw.json")
	for i := range 8 {
		err := UpdateFile(t.Context(), path, func([]byte) ([]byte, error) { return []byte(strconv.Itoa(i)), nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := filepath.Join(filepath.Dir(path), entry.Name())
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		got[entry.Name()] = fmt.Sprintf("%s %o", data, info.Mode().Perm())
	}
	want := map[string]string{
		"openclaw.json": "7 600", "openclaw.json.bak": "6 600", "openclaw.json.bak.1": "5 600", "openclaw.json.bak.2": "4 600",
		"openclaw.json.bak.3": "3 600", "openclaw.json.bak.4": "2 600", "openclaw.json.lock": " 600",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
}

func TestUpdateFileLosesNoConcurrentWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	const writers, each = 4, 10
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			for range each {
				err := UpdateFile(t.Context(), path, func(current []byte) ([]byte, error) {
					n, _ := strconv.Atoi(string(current))
					return []byte(strconv.Itoa(n + 1)), nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if data, err := os.ReadFile(path); err != nil || string(data) != strconv.Itoa(writers*each) {
		t.Errorf("counter = %q, %v, want %d", data, err, writers*each)
	}
}

func TestUpdateFileFollowsLinksAndKeepsThem(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "dotfiles.json"), filepath.Join(dir, "openclaw.json")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here")
	}
	if err := UpdateFile(t.Context(), link, func([]byte) ([]byte, error) { return []byte("new"), nil }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became a file: %v, %v", info, err)
	}
	if data, _ := os.ReadFile(target); string(data) != "new" {
		t.Errorf("target holds %q", data)
	}
}

func TestUpdateFileRefusals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	boom := errors.New("boom")
	if err := UpdateFile(t.Context(), path, func([]byte) ([]byte, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Errorf("error of change = %v", err)
	}
	if err := UpdateFile(t.Context(), path, func([]byte) ([]byte, error) { return nil, ErrUnchanged }); err != nil {
		t.Errorf("ErrUnchanged = %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused write made the file: %v", err)
	}
	// A writer that holds the lock makes others wait, and the wait ends with the context.
	err := UpdateFile(t.Context(), path, func([]byte) ([]byte, error) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := UpdateFile(ctx, path, func([]byte) ([]byte, error) { return []byte("inner"), nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("second writer = %v, want canceled", err)
		}
		return []byte("outer"), nil
	})
	if data, _ := os.ReadFile(path); err != nil || string(data) != "outer" {
		t.Errorf("file = %q, %v", data, err)
	}
}
