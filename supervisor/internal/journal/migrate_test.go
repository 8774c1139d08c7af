package journal

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func openWith(t *testing.T, path, version string, steps []migration) (*DB, error) {
	t.Helper()
	return open(t.Context(), Config{Path: path, Log: quiet(), Version: version}, steps)
}

var nextStep = migration{name: "next", sql: "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT"}

func TestMigrationCopiesFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	db, err := openWith(t, path, "1.0.0", migrations)
	if err != nil {
		t.Fatal(err)
	}
	update(t, db, func(tx *Tx) error { return tx.SetMeta("kept", "yes") })
	id := db.InstanceID()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err = openWith(t, path, "2.0.0", append(migrations[:1:1], nextStep))
	if err != nil {
		t.Fatal(err)
	}
	update(t, db, func(tx *Tx) error {
		if _, err := tx.exec("use", "INSERT INTO later (id) VALUES (1)"); err != nil {
			return err
		}
		if v, err := tx.GetMeta("kept"); err != nil || v != "yes" {
			t.Errorf("kept: %q %v", v, err)
		}
		return nil
	})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	// The copy is a journal of the old schema, private, with everything in it.
	backup := path + ".schema-1.bak"
	if info, err := os.Stat(backup); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("copy: %v %v", info, err)
	}
	old, err := openWith(t, backup, "1.0.0", migrations)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Close() }()
	if old.InstanceID() != id {
		t.Errorf("the copy's instance: got %s, want %s", old.InstanceID(), id)
	}
}

func TestAnOldProgramRefusesANewJournalUntouched(t *testing.T) {
	for _, how := range []string{"closed", "killed"} {
		t.Run(how, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			db, err := openWith(t, path, "2.0.0", append(migrations[:1:1], nextStep))
			if err != nil {
				t.Fatal(err)
			}
			update(t, db, func(tx *Tx) error { return tx.SetMeta("late", "x") })
			if how == "killed" {
				// What a kill leaves: the files as they are now, the log of changes beside the file included.
				killed := filepath.Join(t.TempDir(), "journal.db")
				for _, suffix := range []string{"", "-wal", "-shm"} {
					data, err := os.ReadFile(path + suffix)
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(killed+suffix, data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				defer func() { _ = db.Close() }()
				path = killed
			} else if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			before := snapshot(t, path)
			_, err = openWith(t, path, "1.0.0", migrations)
			var newer *NewerError
			if !errors.As(err, &newer) {
				t.Fatalf("got %v, want a *NewerError", err)
			}
			if newer.Schema != 2 || newer.Known != 1 || newer.Version != "2.0.0" || !strings.Contains(err.Error(), "2.0.0") {
				t.Errorf("error: %+v: %v", newer, err)
			}
			if after := snapshot(t, path); !bytes.Equal(before, after) {
				t.Error("the refused journal was touched")
			}
		})
	}
}

// snapshot is the content of all files of a journal but its lock.
func snapshot(t *testing.T, path string) []byte {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".lock") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(filepath.Dir(path), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(e.Name() + "\n")
		out.Write(data)
	}
	return out.Bytes()
}

func TestABrokenMigrationLeavesTheOldSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	db, err := openWith(t, path, "1.0.0", migrations)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	broken := migration{name: "broken", sql: "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT; CREATE TABLE later (id INTEGER)"}
	if _, err := openWith(t, path, "2.0.0", append(migrations[:1:1], broken)); err == nil {
		t.Fatal("a broken migration was accepted")
	}
	db, err = openWith(t, path, "1.0.0", migrations)
	if err != nil {
		t.Fatalf("the old program cannot open it any more: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFileThatIsNoJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("not a database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, path)
	if _, err := Open(context.Background(), Config{Path: path, Log: quiet()}); err == nil {
		t.Fatal("a file that is no journal was opened")
	}
	if !bytes.Equal(before, snapshot(t, path)) {
		t.Error("a file that is no journal was touched")
	}
}

func TestFilesArePrivate(t *testing.T) {
	db := openTest(t)
	update(t, db, func(tx *Tx) error { return tx.SetMeta("a", "b") })
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(db.Path() + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, want 0600", info.Name(), info.Mode().Perm())
		}
	}
	if info, err := os.Stat(filepath.Dir(db.Path())); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v %v, want 0700", info.Mode().Perm(), err)
	}
}
