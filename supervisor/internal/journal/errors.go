package journal

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What can go wrong, for errors.Is.
var (
	// ErrFull: the disk, or the size allowed to the journal, is used up. Nothing was stored.
	ErrFull = errors.New("no space left for the journal")
	// ErrReadOnly: the file system does not let us write. Nothing was stored.
	ErrReadOnly = errors.New("the journal cannot be written")
	// ErrBroken: the disk failed in another way. Nothing was stored.
	ErrBroken = errors.New("the journal's disk failed")
	// ErrNotFound: no such row.
	ErrNotFound = errors.New("not in the journal")
	// ErrClosed: the journal is closed, or is closing.
	ErrClosed = errors.New("the journal is closed")
	// ErrLocked: another process has the journal open.
	ErrLocked = errors.New("the journal is in use by another process")
	// ErrConflict: a row with this unique key exists, or the row is in a state that does not allow the change.
	ErrConflict = errors.New("conflicts with the journal")

	errReadTx = errors.New("a read transaction cannot write")
)

// NewerError says that the file was written by a later version, which alone can read
// it. The file was not touched.
type NewerError struct {
	// Schema is the file's, Known the highest of this program.
	Schema, Known int
	// Version of the program that wrote it; at least this one is needed.
	Version string
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the journal has schema %d, this program knows %d: version %s or later is needed; the file was not changed", e.Schema, e.Known, e.Version)
}

// Retryable reports whether err says that nothing is wrong with the transaction, only
// with the disk: the same transaction can succeed later.
func Retryable(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, ErrReadOnly) || errors.Is(err, ErrBroken)
}

// classify adds to a database error what it means. Other errors come back unchanged.
func classify(err error) error {
	var se *sqlite.Error
	if err == nil || Retryable(err) || !errors.As(err, &se) {
		return err
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOLFS:
		return fmt.Errorf("%w: %w", ErrBroken, err)
	case sqlite3.SQLITE_CONSTRAINT:
		return fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return err
}
