package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// mediaUnused is how long a file is kept that no delivery holds.
const mediaUnused = 24 * time.Hour

// ErrMediaTooLarge says that a file is larger than it may be.
var ErrMediaTooLarge = errors.New("the file is too large")

// MediaStore keeps files under the SHA-256 of their bytes, so that a delivery sends what
// was there when it was made. It is safe for concurrent use.
type MediaStore struct {
	dir string
	db  *journal.DB
}

// NewMediaStore keeps files in dir, which is made (0700) with the first of them.
func NewMediaStore(dir string, db *journal.DB) *MediaStore { return &MediaStore{dir: dir, db: db} }

// Put copies r into the store and returns its row; the same bytes are kept once. At most
// maxBytes are taken (0 = any number): ErrMediaTooLarge beyond. The file is on disk when Put returns.
func (s *MediaStore) Put(ctx context.Context, r io.Reader, mime string, maxBytes int64) (row journal.MediaRow, err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return row, fmt.Errorf("store media: %w", err)
	}
	temp, err := os.CreateTemp(s.dir, ".incoming-*") // 0600
	if err != nil {
		return row, fmt.Errorf("store media: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	if maxBytes > 0 {
		r = io.LimitReader(r, maxBytes+1)
	}
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(temp, sum), r)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return row, fmt.Errorf("store media: %w", err)
	}
	if maxBytes > 0 && size > maxBytes {
		return row, fmt.Errorf("store media: more than %d bytes: %w", maxBytes, ErrMediaTooLarge)
	}
	name := hex.EncodeToString(sum.Sum(nil))
	row = journal.MediaRow{SHA256: name, Path: name, MIME: mime, Size: size}
	// The row comes first: a file without a row would never be swept.
	if err := s.db.Update(ctx, func(tx *journal.Tx) error { return tx.PutMedia(row) }); err != nil {
		return row, fmt.Errorf("store media: %w", err)
	}
	if err := os.Rename(temp.Name(), filepath.Join(s.dir, name)); err != nil {
		return row, fmt.Errorf("store media: %w", err)
	}
	return row, nil
}

// Open opens a stored file; journal.ErrNotFound where there is none.
func (s *MediaStore) Open(ctx context.Context, sha string) (*os.File, journal.MediaRow, error) {
	var row journal.MediaRow
	err := s.db.View(ctx, func(tx *journal.Tx) (err error) {
		row, err = tx.GetMedia(sha)
		return err
	})
	if err != nil {
		return nil, row, err
	}
	f, err := os.Open(s.path(row))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("open media %s: %w", sha, journal.ErrNotFound)
	}
	return f, row, err
}

// Path is where a stored file lies; it is for those who are given a folder to read.
func (s *MediaStore) Path(row journal.MediaRow) string { return s.path(row) }

func (s *MediaStore) path(row journal.MediaRow) string {
	return filepath.Join(s.dir, filepath.Base(row.Path))
}

// Sweep removes files that nothing has used for a day and no live delivery holds.
func (s *MediaStore) Sweep(ctx context.Context) error {
	var rows []journal.MediaRow
	err := s.db.Update(ctx, func(tx *journal.Tx) (err error) {
		rows, err = tx.SweepMedia(tx.NowMS() - mediaUnused.Milliseconds())
		return err
	})
	for _, row := range rows {
		if rmErr := os.Remove(s.path(row)); rmErr != nil && !errors.Is(rmErr, fs.ErrNotExist) {
			err = errors.Join(err, rmErr)
		}
	}
	if err != nil {
		return fmt.Errorf("sweep media: %w", err)
	}
	return nil
}

// file is a stored file as a Send takes it.
func (s *MediaStore) file(ctx context.Context, meta message.MediaMeta) (channel.MediaFile, error) {
	f, _, err := s.Open(ctx, meta.SHA256)
	if err != nil {
		return channel.MediaFile{}, err
	}
	_ = f.Close()
	return channel.MediaFile{Meta: meta, Open: func() (io.ReadCloser, error) { return os.Open(f.Name()) }}, nil
}
