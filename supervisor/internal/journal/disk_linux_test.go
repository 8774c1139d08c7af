package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

// smallDisk mounts a file system of its own, or skips where that is not allowed.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=0700"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func TestARealDiskThatFillsAndIsFreed(t *testing.T) {
	dir := smallDisk(t)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	c := clock.NewFake(testTime)
	db := openAt(t, filepath.Join(dir, "journal.db"), c)
	stored := 0
	var err error
	for err == nil && stored < 10_000 {
		if err = db.Update(t.Context(), func(tx *Tx) error { _, err := tx.AddSystemEvent("k", strings.Repeat("x", 1000)); return err }); err == nil {
			stored++
		}
	}
	if !Retryable(err) {
		t.Fatalf("a full disk: got %v after %d rows", err, stored)
	}
	if !errors.Is(err, ErrFull) {
		t.Errorf("a full disk: got %v, want ErrFull", err)
	}
	if got := db.Condition(); got.Code == ConditionOK || got.Action == "" || got.SinceMS == 0 {
		t.Errorf("condition: %+v", got)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	awaitCode(t, db, c, ConditionOK) // by itself: nobody writes
	update(t, db, func(tx *Tx) error { _, err := tx.AddSystemEvent("k", "after"); return err })
	view(t, db, func(tx *Tx) error {
		events, err := tx.ListSystemEvents("k")
		if len(events) != stored+1 {
			t.Errorf("rows: got %d, want the %d that were confirmed and the one after", len(events), stored)
		}
		return err
	})
}
