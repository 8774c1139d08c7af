package journal

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

// testTime is where the clock of a test starts.
var testTime = time.UnixMilli(1_800_000_000_000)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func openAt(t testing.TB, path string, c clock.Clock) *DB {
	t.Helper()
	db, err := Open(t.Context(), Config{Path: path, Log: quiet(), Clock: c, Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func openTest(t testing.TB) *DB {
	return openAt(t, filepath.Join(t.TempDir(), "state", "journal.db"), clock.NewFake(testTime))
}

func update(t testing.TB, db *DB, fn func(*Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, db *DB, fn func(*Tx) error) {
	t.Helper()
	if err := db.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func TestInstanceIDLastsAndStopIsKnown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	first := openAt(t, path, nil)
	id := first.InstanceID()
	if id == "" || !first.CleanStop() {
		t.Fatalf("a new journal: id %q, clean stop %v; want an id and true", id, first.CleanStop())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := openAt(t, path, nil)
	if second.InstanceID() != id || !second.CleanStop() {
		t.Errorf("after Close: id %q, clean stop %v; want %q, true", second.InstanceID(), second.CleanStop(), id)
	}
	// Without Close the mark stays as Open set it.
	var mark string
	view(t, second, func(tx *Tx) (err error) { mark, err = tx.GetMeta(MetaCleanStop); return err })
	if mark != "0" {
		t.Errorf("clean_stop while open: got %q, want 0", mark)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	db := openTest(t)
	_, err := Open(t.Context(), Config{Path: db.Path(), Log: quiet()})
	if !errors.Is(err, ErrLocked) {
		t.Fatalf("second Open: got %v, want ErrLocked", err)
	}
}

func TestAnErrorUndoesItsOwnFunctionOnly(t *testing.T) {
	db := openTest(t)
	// The first function holds the writer until the other three wait, so that they form one group.
	held, waiting := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = db.Update(context.WithoutCancel(t.Context()), func(*Tx) error { close(held); <-waiting; return nil })
	})
	<-held
	boom := errors.New("boom")
	var errs [3]error
	var order []string
	for i, fn := range []func(*Tx) error{
		func(tx *Tx) error { tx.OnCommit(func() { order = append(order, "a") }); return tx.SetMeta("a", "1") },
		func(tx *Tx) error {
			tx.OnCommit(func() { order = append(order, "never") })
			tx.OnRollback(func() { order = append(order, "undone") })
			if err := tx.SetMeta("b", "1"); err != nil {
				return err
			}
			return boom
		},
		func(tx *Tx) error {
			if _, err := tx.GetMeta("b"); !errors.Is(err, ErrNotFound) {
				t.Errorf("a later function of the group sees what was undone: %v", err)
			}
			if v, err := tx.GetMeta("a"); err != nil || v != "1" {
				t.Errorf("a later function of the group does not see an earlier one: %q %v", v, err)
			}
			panic("oops")
		},
	} {
		wg.Add(1)
		db.Submit(fn, func(err error) { errs[i] = err; wg.Done() })
	}
	close(waiting)
	wg.Wait()
	if errs[0] != nil || !errors.Is(errs[1], boom) || errs[2] == nil || !strings.Contains(errs[2].Error(), "oops") {
		t.Errorf("errors: got %v", errs)
	}
	if got := strings.Join(order, " "); got != "a undone" {
		t.Errorf("hooks: got %q, want %q", got, "a undone")
	}
	view(t, db, func(tx *Tx) error {
		if v, err := tx.GetMeta("a"); err != nil || v != "1" {
			t.Errorf("a: got %q %v", v, err)
		}
		if _, err := tx.GetMeta("b"); !errors.Is(err, ErrNotFound) {
			t.Errorf("b: got %v, want ErrNotFound", err)
		}
		return nil
	})
}

func TestUpdateGivesUpOnlyBeforeItBegins(t *testing.T) {
	db := openTest(t)
	held, release := make(chan struct{}), make(chan struct{})
	db.Submit(func(*Tx) error { close(held); <-release; return nil }, func(error) {})
	<-held
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- db.Update(ctx, func(tx *Tx) error { return tx.SetMeta("late", "1") }) }()
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	close(release)
	update(t, db, func(tx *Tx) error {
		if _, err := tx.GetMeta("late"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a function ran although its caller was told that it would not: %v", err)
		}
		return nil
	})
}

func TestCloseFinishesWhatWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	db := openAt(t, path, nil)
	var failed error
	for range 100 {
		db.Submit(func(tx *Tx) error { _, err := tx.AddSystemEvent("k", "x"); return err }, func(err error) { failed = errors.Join(failed, err) })
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if failed != nil {
		t.Fatal(failed)
	}
	if err := db.Update(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("Update after Close: got %v, want ErrClosed", err)
	}
	if err := db.View(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("View after Close: got %v, want ErrClosed", err)
	}
	view(t, openAt(t, path, nil), func(tx *Tx) error {
		events, err := tx.ListSystemEvents("k")
		if len(events) != 100 {
			t.Errorf("got %d rows, want 100", len(events))
		}
		return err
	})
}

func TestViewIsASnapshotAndCannotWrite(t *testing.T) {
	db := openTest(t)
	update(t, db, func(tx *Tx) error { return tx.SetMeta("v", "old") })
	view(t, db, func(tx *Tx) error {
		if v, _ := tx.GetMeta("v"); v != "old" {
			t.Fatalf("got %q", v)
		}
		update(t, db, func(tx *Tx) error { return tx.SetMeta("v", "new") })
		if v, _ := tx.GetMeta("v"); v != "old" {
			t.Errorf("a snapshot changed to %q", v)
		}
		if err := tx.SetMeta("v", "never"); err == nil {
			t.Error("a read transaction wrote")
		}
		if _, err := tx.DropOutboxOfAccount("c", "a", "x"); err == nil {
			t.Error("a read transaction wrote by a statement that returns rows")
		}
		return nil
	})
	view(t, db, func(tx *Tx) error {
		if v, _ := tx.GetMeta("v"); v != "new" {
			t.Errorf("a new snapshot: got %q, want new", v)
		}
		return nil
	})
}
