package pairing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrUnknownCode says that no pending request has the code.
var ErrUnknownCode = errors.New("no pending pairing request has this code")

// Config is what New needs; only Dir is required.
type Config struct {
	// Dir is the credentials directory; it is made at the first write.
	Dir string
	// Now stamps; nil means the wall clock.
	Now func() time.Time
	Log *slog.Logger
}

// Store is the pairing store of all channels.
type Store struct {
	cfg Config

	writing sync.Mutex // held over a change of the files

	mu    sync.Mutex // guards cache; never held over a change
	cache map[string]cached
}

// cached is an allow-list as the file held it when it looked like info.
type cached struct {
	info    os.FileInfo
	entries []string
}

// New makes a Store; nothing is read before the first question.
func New(cfg Config) *Store {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Store{cfg: cfg, cache: map[string]cached{}}
}

func (s *Store) path(channel, what string) (string, error) {
	key, err := fileKey(channel)
	return filepath.Join(s.cfg.Dir, key+"-"+what+".json"), err
}

func (s *Store) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// Allowed gives the senders that were let in to a channel. The file is read again when it
// looks different from the last time; one that cannot be read lets nobody in, and is logged once.
func (s *Store) Allowed(channel string) []string {
	path, err := s.path(channel, "allowFrom")
	if err != nil {
		return nil
	}
	info, err := os.Stat(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.cache, path)
		return nil
	}
	c, known := s.cache[path]
	if known && os.SameFile(c.info, info) && c.info.ModTime().Equal(info.ModTime()) && c.info.Size() == info.Size() {
		return c.entries
	}
	entries, err := readAllowed(path)
	if err != nil {
		s.cfg.Log.Error("an allow-list cannot be read and lets nobody in", "channel", channel, "error", err)
	}
	s.cache[path] = cached{info, entries}
	return entries
}

// Request files a sender's request, or finds the one made before, which is marked as
// seen. created says that it is new. Where MaxPending others wait nothing is filed and the request
// is empty. An error means that nothing was filed. It waits for other writers until ctx ends.
func (s *Store) Request(ctx context.Context, channel, id string, meta map[string]string) (r Request, created bool, err error) {
	path, err := s.path(channel, "pairing")
	if err != nil {
		return Request{}, false, err
	}
	found, err := s.find(path, func(r Request) bool { return r.ID == id })
	if err != nil {
		return Request{}, false, err
	}
	err = s.change(ctx, path, func() error {
		all, err := readRequests(path)
		if err != nil {
			return err
		}
		now := s.now()
		pending := living(all, now)
		i := slices.IndexFunc(pending, func(r Request) bool { return r.ID == id })
		switch {
		case i >= 0:
			r = pending[i]
			r.LastSeenAt = now
			if len(meta) > 0 {
				r.Meta = meta
			}
			if r.Code == "" {
				if r.Code, err = newCode(pending); err != nil {
					return err
				}
			}
			pending[i] = r
		case len(pending) < MaxPending:
			r = Request{ID: id, CreatedAt: now, LastSeenAt: now, Meta: meta}
			if r.Code, err = newCode(pending); err != nil {
				return err
			}
			created, pending = true, append(pending, r)
		case len(pending) == len(all):
			return nil
		}
		return writeRequests(path, pending)
	})
	if err != nil && found.Code != "" {
		// It stands as it was; that it was seen again is all that is lost.
		s.cfg.Log.Warn("a pairing request could not be marked as seen", "channel", channel, "error", err)
		return found, false, nil
	}
	if err != nil {
		return Request{}, false, err
	}
	return r, created, nil
}

// List gives the requests that wait on a channel, the oldest first.
func (s *Store) List(channel string) ([]Request, error) {
	path, err := s.path(channel, "pairing")
	if err != nil {
		return nil, err
	}
	all, err := readRequests(path)
	if err != nil {
		return nil, err
	}
	out := living(all, s.now())
	slices.SortStableFunc(out, func(a, b Request) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out, nil
}

// Approve lets in who has a code, in either case, and gives their request; it waits no
// more then. ErrUnknownCode where nobody has it.
func (s *Store) Approve(ctx context.Context, channel, code string) (Request, error) {
	r, err := s.pending(channel, code)
	if err != nil {
		return Request{}, err
	}
	// Let in first: after a crash between the two the same code can be approved again.
	if err := s.allow(ctx, channel, r.ID); err != nil {
		return Request{}, err
	}
	return s.Reject(ctx, channel, code)
}

// Reject takes a request back without letting anybody in, and gives it; the sender may ask
// again. ErrUnknownCode where nobody has the code.
func (s *Store) Reject(ctx context.Context, channel, code string) (gone Request, err error) {
	path, err := s.path(channel, "pairing")
	if err != nil {
		return Request{}, err
	}
	err = s.change(ctx, path, func() error {
		all, err := readRequests(path)
		if err != nil {
			return err
		}
		pending := living(all, s.now())
		i := slices.IndexFunc(pending, hasCode(code))
		if i < 0 {
			return ErrUnknownCode
		}
		gone = pending[i]
		return writeRequests(path, slices.Delete(pending, i, i+1))
	})
	return gone, err
}

func (s *Store) pending(channel, code string) (Request, error) {
	path, err := s.path(channel, "pairing")
	if err != nil {
		return Request{}, err
	}
	r, err := s.find(path, hasCode(code))
	if err == nil && r.ID == "" {
		err = ErrUnknownCode
	}
	return r, err
}

// find gives the first living request that match picks, an empty one where there is none.
func (s *Store) find(path string, match func(Request) bool) (Request, error) {
	all, err := readRequests(path)
	if err != nil {
		return Request{}, err
	}
	pending := living(all, s.now())
	if i := slices.IndexFunc(pending, match); i >= 0 {
		return pending[i], nil
	}
	return Request{}, nil
}

func hasCode(code string) func(Request) bool {
	code = strings.ToUpper(strings.TrimSpace(code))
	return func(r Request) bool { return code != "" && strings.ToUpper(r.Code) == code }
}

// allow adds a sender to a channel's allow-list; "*" is never added.
func (s *Store) allow(ctx context.Context, channel, id string) error {
	if id = strings.TrimSpace(id); id == "" || id == "*" {
		return fmt.Errorf("let in %q: it is nobody's id", id)
	}
	path, err := s.path(channel, "allowFrom")
	if err != nil {
		return err
	}
	return s.change(ctx, path, func() error {
		entries, err := readAllowed(path)
		if err != nil {
			return err
		}
		if slices.Contains(entries, id) {
			return nil
		}
		return writeJSON(path, allowFile{fileVersion, append(entries, id)})
	})
}

// change runs f with the file locked against other goroutines and other programs.
func (s *Store) change(ctx context.Context, path string, f func() error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("make the credentials directory: %w", err)
	}
	release, err := acquire(ctx, path)
	if err != nil {
		return err
	}
	defer release()
	return f()
}
