package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
)

// Options of Open.
type Options struct {
	// Path is the absolute path of the JSONL file; it need not exist.
	Path string
	// SessionID and Cwd go into the header of a new file. An empty SessionID is made up.
	SessionID string
	Cwd       string
	// Cache of files that were written before; nil = none.
	Cache *Cache
	// Now is the clock; nil = the system's.
	Now func() time.Time
	Log *slog.Logger
}

// File is a transcript open for writing. It is not safe for concurrent use; the
// lock keeps other writers out until Close.
type File struct {
	opt     Options
	lock    *os.File
	f       *os.File
	size    int64
	header  *header
	entries []Entry
	ids     map[string]bool
}

// Open takes the lock of the transcript (waiting up to 10 s or until ctx ends),
// repairs what a crash left, and reads all entries. A file that does not exist is
// created by the first Append.
func Open(ctx context.Context, opt Options) (*File, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(filepath.Dir(opt.Path), 0o700); err != nil {
		return nil, fmt.Errorf("create transcript folder: %w", err)
	}
	l, err := lock(ctx, opt.Path)
	if err != nil {
		return nil, err
	}
	t := &File{opt: opt, lock: l, ids: map[string]bool{}}
	if err := t.load(); err != nil {
		_ = l.Close()
		return nil, err
	}
	return t, nil
}

// load reads the file, healing it where needed.
func (t *File) load() error {
	if r, ok := t.opt.Cache.take(t.opt.Path); ok {
		f, err := os.OpenFile(t.opt.Path, os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return fmt.Errorf("open transcript: %w", err)
		}
		t.f, t.size, t.header, t.entries, t.ids = f, r.info.Size(), r.header, r.entries, r.ids
		return nil
	}
	raw, err := os.ReadFile(t.opt.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read transcript: %w", err)
	}
	p, err := t.heal(raw)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(t.opt.Path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open transcript: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("open transcript: %w", err)
	}
	t.f, t.size, t.header, t.entries = f, info.Size(), p.header, p.entries
	for i := range t.entries {
		t.ids[t.entries[i].ID] = true
	}
	return nil
}

// Entries returns all entries in file order. The slice must not be changed.
func (t *File) Entries() []Entry { return t.entries }

// Context returns what a model gets to see.
func (t *File) Context() Context { return buildContext(t.entries) }

// Run returns the entries that belong to a run, in file order.
func (t *File) Run(runID string) []Entry {
	var out []Entry
	for i := range t.entries {
		if t.entries[i].RunID() == runID {
			out = append(out, t.entries[i])
		}
	}
	return out
}

// Append writes the entries, whole and in one write, after the leaf, and returns
// once they are on disk. It fills in id, parent and time, and returns the entries
// as written. After an error nothing of them is in the file.
func (t *File) Append(entries ...Entry) ([]Entry, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	now := stamp(t.opt.Now())
	var buf bytes.Buffer
	head := t.header
	if head == nil {
		head = &header{Type: TypeSession, Version: Version, ID: t.opt.SessionID, Timestamp: now, Cwd: t.opt.Cwd}
		if head.ID == "" {
			head.ID = uuid.NewString()
		}
		if err := writeLine(&buf, head); err != nil {
			return nil, err
		}
	}
	var parent *string
	if n := len(t.entries); n > 0 {
		parent = &t.entries[n-1].ID
	}
	out := make([]Entry, len(entries))
	fresh := map[string]bool{}
	for i, e := range entries {
		id, err := newID(func(s string) bool { return t.ids[s] || fresh[s] })
		if err != nil {
			return nil, err
		}
		fresh[id] = true
		e.ID, e.ParentID, e.Timestamp = id, parent, now
		if err := writeLine(&buf, &e); err != nil {
			return nil, err
		}
		out[i] = e
		parent = &out[i].ID
	}
	if err := t.write(buf.Bytes()); err != nil {
		return nil, err
	}
	t.header = head
	t.entries = append(t.entries, out...)
	for id := range fresh {
		t.ids[id] = true
	}
	return out, nil
}

// write appends raw and syncs. What a failed write left is cut off again.
func (t *File) write(raw []byte) error {
	created := false
	if t.f == nil {
		f, err := os.OpenFile(t.opt.Path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return fmt.Errorf("create transcript: %w", err)
		}
		t.f, created = f, true
	}
	_, err := t.f.Write(raw)
	if err == nil {
		err = t.f.Sync()
	}
	if err == nil && created {
		err = syncDir(filepath.Dir(t.opt.Path))
	}
	if err != nil {
		if cut := t.f.Truncate(t.size); cut != nil {
			err = errors.Join(err, cut)
		}
		return fmt.Errorf("append to transcript: %w", err)
	}
	t.size += int64(len(raw))
	return nil
}

// Close lets the lock go.
func (t *File) Close() error {
	var err error
	if t.f != nil {
		if info, serr := t.f.Stat(); serr == nil && info.Size() == t.size {
			t.opt.Cache.put(t.opt.Path, remembered{info: info, header: t.header, entries: t.entries, ids: t.ids})
		}
		err = t.f.Close()
		t.f = nil
	}
	return errors.Join(err, t.lock.Close())
}

func writeLine(buf *bytes.Buffer, v any) error {
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode transcript entry: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}
