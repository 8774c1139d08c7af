package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

// readers is how many snapshots are read at once; a further View waits.
const readers = 4

// Config is what Open needs.
type Config struct {
	// Path of the file; its directory is made (0700) where it is missing.
	Path string
	Log  *slog.Logger
	// Clock stamps rows; nil = the system's.
	Clock clock.Clock
	// Version of this program, remembered in the file so that an older program can name it.
	Version string
	// MaxBytes caps the file's size; 0 = only the disk does.
	MaxBytes int64
}

// DB is the open journal.
type DB struct {
	cfg   Config
	log   *slog.Logger
	clock clock.Clock
	lock  *flock.Flock
	pool  *pool

	instanceID string
	cleanStop  bool

	condition conditionBox
	queue     queue
	writer    sync.WaitGroup // the writer goroutine; Close waits for it
}

// Open opens the journal, makes or migrates it where needed, and starts the writer. A
// file of a later version gives *NewerError and stays untouched; one that another process has
// open gives ErrLocked. ctx bounds the opening only. Close must be called.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	return open(ctx, cfg, migrations)
}

func open(ctx context.Context, cfg Config, steps []migration) (_ *DB, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Version == "" {
		cfg.Version = "unknown"
	}
	if cfg.Path, err = filepath.Abs(cfg.Path); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Path), 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	lock := flock.New(cfg.Path+".lock", flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("open journal: lock: %w", err)
	}
	if !held {
		return nil, fmt.Errorf("open journal %s: %w", cfg.Path, ErrLocked)
	}
	defer func() {
		if err != nil {
			_ = lock.Close()
		}
	}()
	if err := refuseNewer(ctx, cfg.Path, len(steps)); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := createPrivate(cfg.Path); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	p, err := openPool(ctx, cfg.Path, readers)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	db := &DB{cfg: cfg, log: cfg.Log, clock: cfg.Clock, lock: lock, pool: p}
	db.condition.set(Condition{Code: ConditionOK, SinceMS: clock.Millis(cfg.Clock)})
	db.queue.wake = make(chan struct{}, 1)
	db.queue.stopped = make(chan struct{})
	if err := db.prepare(ctx, steps); err != nil {
		p.close()
		return nil, fmt.Errorf("open journal: %w", err)
	}
	db.writer.Go(db.write)
	return db, nil
}

// prepare brings the schema up to date and reads what was left by the last life.
func (db *DB) prepare(ctx context.Context, steps []migration) error {
	if err := db.migrate(ctx, steps); err != nil {
		return err
	}
	if err := db.pool.writer.limit(ctx, db.cfg.MaxBytes); err != nil {
		return err
	}
	return db.direct(func(tx *Tx) error {
		id, err := tx.GetMeta(MetaInstanceID)
		switch {
		case errors.Is(err, ErrNotFound):
			id = uuid.NewString()
			if err := tx.SetMeta(MetaInstanceID, id); err != nil {
				return err
			}
		case err != nil:
			return err
		}
		stop, err := tx.GetMeta(MetaCleanStop)
		fresh := errors.Is(err, ErrNotFound)
		if err != nil && !fresh {
			return err
		}
		db.instanceID, db.cleanStop = id, fresh || stop == "1"
		return tx.SetMeta(MetaCleanStop, "0")
	})
}

// InstanceID names this installation, for as long as the file lives.
func (db *DB) InstanceID() string { return db.instanceID }

// CleanStop reports whether the life before this one ended by Close, or there was none.
func (db *DB) CleanStop() bool { return db.cleanStop }

// Path is the absolute path of the file.
func (db *DB) Path() string { return db.cfg.Path }

// SetMaxBytes changes the cap of the file's size; 0 takes it away. A cap below the present size stops growth only.
func (db *DB) SetMaxBytes(ctx context.Context, n int64) error {
	return db.Update(ctx, func(tx *Tx) error { return tx.conn.limit(ctx, n) })
}

// Close stops taking work, finishes what waits, marks the stop as clean and closes the
// file. It may be called more than once; later calls return ErrClosed.
func (db *DB) Close() error {
	if !db.queue.close() {
		return ErrClosed
	}
	db.writer.Wait()
	err := db.direct(func(tx *Tx) error { return tx.SetMeta(MetaCleanStop, "1") })
	if err == nil {
		err = db.pool.writer.exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
	db.pool.close()
	if lockErr := db.lock.Close(); err == nil {
		err = lockErr
	}
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// createPrivate makes the file readable by its owner alone; SQLite gives the same mode to the files beside it.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	return f.Close()
}
