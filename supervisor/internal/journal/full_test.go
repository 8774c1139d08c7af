package journal

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

func TestAFullJournalStoresNothingByHalves(t *testing.T) {
	c := clock.NewFake(testTime)
	db := openAt(t, filepath.Join(t.TempDir(), "journal.db"), c)
	if err := db.SetMaxBytes(t.Context(), 1); err != nil { // no growth
		t.Fatal(err)
	}
	err := db.Update(t.Context(), func(tx *Tx) error {
		if err := tx.SetMeta("half", "1"); err != nil {
			return err
		}
		_, err := tx.AddSystemEvent("k", strings.Repeat("x", 1<<20))
		return err
	})
	if !errors.Is(err, ErrFull) || !Retryable(err) {
		t.Fatalf("got %v, want ErrFull", err)
	}
	// A function that swallows the error does not get its transaction through either.
	err = db.Update(t.Context(), func(tx *Tx) error {
		_, _ = tx.AddSystemEvent("k", strings.Repeat("x", 1<<20))
		return nil
	})
	if !errors.Is(err, ErrFull) {
		t.Fatalf("a swallowed error: got %v, want ErrFull", err)
	}
	if got := db.Condition().Code; got != ConditionFull {
		t.Errorf("condition: %s, want %s", got, ConditionFull)
	}
	if err := db.SetMaxBytes(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if got := db.Condition().Code; got != ConditionOK {
		t.Errorf("condition after a write that went well: %s", got)
	}
	view(t, db, func(tx *Tx) error {
		if _, err := tx.GetMeta("half"); !errors.Is(err, ErrNotFound) {
			t.Errorf("half of a failed transaction was stored: %v", err)
		}
		return nil
	})
}

func TestAFullDiskFailsTheWholeGroupAndCallsHooks(t *testing.T) {
	db := openTest(t)
	if err := db.SetMaxBytes(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	held, release := make(chan struct{}), make(chan struct{})
	db.Submit(func(*Tx) error { close(held); <-release; return nil }, func(error) {})
	<-held
	var wg sync.WaitGroup
	errs := make([]error, 3)
	undone := 0
	own := errors.New("own")
	for i, fn := range []func(*Tx) error{
		func(tx *Tx) error { tx.OnRollback(func() { undone++ }); return tx.SetMeta("small", "1") },
		func(*Tx) error { return own },
		func(tx *Tx) error { _, err := tx.AddSystemEvent("k", strings.Repeat("x", 1<<20)); return err },
	} {
		wg.Add(1)
		db.Submit(fn, func(err error) { errs[i] = err; wg.Done() })
	}
	close(release)
	wg.Wait()
	if !errors.Is(errs[0], ErrFull) || !errors.Is(errs[1], own) || !errors.Is(errs[2], ErrFull) {
		t.Errorf("errors: %v", errs)
	}
	if undone != 1 {
		t.Errorf("rollback hooks: %d calls, want 1", undone)
	}
}

func TestAJournalThatCannotBeWrittenRecoversByItself(t *testing.T) {
	c := clock.NewFake(testTime)
	db := openAt(t, filepath.Join(t.TempDir(), "journal.db"), c)
	update(t, db, func(tx *Tx) error { return tx.SetMeta("a", "1") })
	if err := db.pool.writer.exec("PRAGMA query_only = 1"); err != nil { // as a read-only file system answers
		t.Fatal(err)
	}
	err := db.Update(t.Context(), func(tx *Tx) error { return tx.SetMeta("a", "2") })
	if !errors.Is(err, ErrReadOnly) || !Retryable(err) {
		t.Fatalf("got %v, want ErrReadOnly", err)
	}
	if got := db.Condition(); got.Code != ConditionReadOnly || got.Action == "" {
		t.Errorf("condition: %+v", got)
	}
	if err := db.pool.writer.exec("PRAGMA query_only = 0"); err != nil {
		t.Fatal(err)
	}
	awaitCode(t, db, c, ConditionOK) // nobody writes
	view(t, db, func(tx *Tx) error {
		if v, err := tx.GetMeta("a"); err != nil || v != "1" {
			t.Errorf("a: got %q %v, want the confirmed value", v, err)
		}
		return nil
	})
}

// awaitCode waits until the journal's condition has a code, moving its clock.
func awaitCode(t *testing.T, db *DB, c *clock.Fake, code string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for db.Condition().Code != code {
		select {
		case <-limit:
			t.Fatalf("condition: got %+v, want %s", db.Condition(), code)
		case <-time.After(time.Millisecond):
			c.Advance(probeEvery)
		}
	}
}
