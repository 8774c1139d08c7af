package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strconv"
)

// migration is one step of the schema, run in one transaction with the number it leads to.
type migration struct {
	name string
	sql  string
}

const createMeta = `CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`

// refuseNewer looks into a file without changing a byte of it, nor making files beside
// it, and gives *NewerError where a later program wrote it. What it cannot read it leaves
// to the real opening: after a migration the file itself always holds its schema number.
func refuseNewer(ctx context.Context, path string, known int) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && info.Size() == 0) {
		return nil
	}
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(path, url.Values{"mode": {"ro"}, "immutable": {"1"}}))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var schema, version string
	const get = "SELECT value FROM meta WHERE key = ?"
	if db.QueryRowContext(ctx, get, MetaSchema).Scan(&schema) != nil {
		return nil
	}
	_ = db.QueryRowContext(ctx, get, MetaWrittenBy).Scan(&version)
	return checkSchema(schema, version, known)
}

func checkSchema(schema, version string, known int) error {
	n, err := strconv.Atoi(schema)
	if err != nil {
		return fmt.Errorf("the journal's schema number is %q", schema)
	}
	if n > known {
		return &NewerError{Schema: n, Known: known, Version: version}
	}
	return nil
}

// migrate brings the file to the last of steps, after copying a file that holds
// something. Each step is whole or not done.
func (db *DB) migrate(ctx context.Context, steps []migration) error {
	if err := db.pool.writer.exec(createMeta); err != nil {
		return err
	}
	have, err := db.schema(len(steps))
	if err != nil {
		return err
	}
	if have == len(steps) {
		return nil
	}
	if have > 0 {
		if err := db.backUp(ctx, have); err != nil {
			return err
		}
	}
	for n := have; n < len(steps); n++ {
		err := db.direct(func(tx *Tx) error {
			if err := tx.conn.exec(steps[n].sql); err != nil {
				return err
			}
			if err := tx.SetMeta(MetaSchema, strconv.Itoa(n+1)); err != nil {
				return err
			}
			return tx.SetMeta(MetaWrittenBy, db.cfg.Version)
		})
		if err != nil {
			return fmt.Errorf("migrate journal to schema %d (%s): %w", n+1, steps[n].name, err)
		}
		db.log.Info("journal migrated", slog.Int("schema", n+1))
	}
	// An older program must find the number without reading, and so touching, the log beside the file.
	return db.pool.writer.exec("PRAGMA wal_checkpoint(TRUNCATE)")
}

func (db *DB) schema(known int) (have int, err error) {
	err = db.direct(func(tx *Tx) error {
		schema, err := tx.GetMeta(MetaSchema)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		version, err := tx.GetMeta(MetaWrittenBy)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := checkSchema(schema, version, known); err != nil {
			return err
		}
		have, err = strconv.Atoi(schema)
		return err
	})
	return have, err
}

// backUp writes a whole, synced copy beside the file, named for the schema it has.
func (db *DB) backUp(ctx context.Context, schema int) error {
	path := fmt.Sprintf("%s.schema-%d.bak", db.cfg.Path, schema)
	temp := path + ".tmp"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("copy journal: %w", err)
	}
	if err := createPrivate(temp); err != nil {
		return fmt.Errorf("copy journal: %w", err)
	}
	if _, err := db.pool.writer.c.ExecContext(ctx, "VACUUM INTO ?", temp); err != nil {
		return fmt.Errorf("copy journal: %w", classify(err))
	}
	f, err := os.OpenFile(temp, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("copy journal: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close(), os.Rename(temp, path)); err != nil {
		return fmt.Errorf("copy journal: %w", err)
	}
	db.log.Info("journal copied before its migration", slog.String("copy", path))
	return nil
}
