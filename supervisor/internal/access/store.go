package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Paired is a device that may connect.
type Paired struct {
	DeviceID     string                         `json:"deviceId"`
	PublicKey    string                         `json:"publicKey"`
	DisplayName  string                         `json:"displayName,omitempty"`
	Platform     string                         `json:"platform,omitempty"`
	ClientID     string                         `json:"clientId,omitempty"`
	ClientMode   string                         `json:"clientMode,omitempty"`
	Role         protocol.Role                  `json:"role,omitempty"`
	Roles        []protocol.Role                `json:"roles,omitempty"`
	Scopes       []protocol.Scope               `json:"scopes,omitempty"`
	RemoteIP     string                         `json:"remoteIp,omitempty"`
	Tokens       map[protocol.Role]*DeviceToken `json:"tokens,omitempty"`
	CreatedAtMS  int64                          `json:"createdAtMs"`
	ApprovedAtMS int64                          `json:"approvedAtMs"`
}

// DeviceToken is what a paired device may show instead of the shared secret.
type DeviceToken struct {
	Token        string           `json:"token"`
	Role         protocol.Role    `json:"role"`
	Scopes       []protocol.Scope `json:"scopes"`
	CreatedAtMS  int64            `json:"createdAtMs"`
	RotatedAtMS  int64            `json:"rotatedAtMs,omitempty"`
	RevokedAtMS  int64            `json:"revokedAtMs,omitempty"`
	LastUsedAtMS int64            `json:"lastUsedAtMs,omitempty"`
}

// PendingLife is how long a request for pairing stays.
const PendingLife = 5 * time.Minute

const maxPending = 256

// flushDelay is how long changes are gathered before they are written.
const flushDelay = 200 * time.Millisecond

// store keeps the two files of devices. All fields below mu are guarded.
type store struct {
	dir string
	log *slog.Logger
	// woken tells Run that something is to be written.
	woken chan struct{}

	mu           sync.Mutex
	paired       map[string]*Paired                     // by device id
	pending      map[string]*protocol.DevicePairRequest // by request id
	dirtyPaired  bool
	dirtyPending bool
}

func openStore(dir string, log *slog.Logger) (*store, error) {
	s := &store{
		dir: dir, log: log, woken: make(chan struct{}, 1),
		paired: make(map[string]*Paired), pending: make(map[string]*protocol.DevicePairRequest),
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make device store: %w", err)
	}
	if err := s.load("paired.json", &s.paired); err != nil {
		return nil, err
	}
	if err := s.load("pending.json", &s.pending); err != nil {
		return nil, err
	}
	for id, p := range s.paired {
		if p == nil {
			delete(s.paired, id)
		}
	}
	for id, p := range s.pending {
		if p == nil {
			delete(s.pending, id)
		}
	}
	return s, nil
}

// load reads a file into v. One that cannot be read as JSON is put aside, so
// that a damaged file locks nobody out for good and is not lost either.
func (s *store) load(name string, v any) error {
	path := filepath.Join(s.dir, name)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read device store: %w", err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		aside := path + ".unreadable"
		s.log.Warn("device store is damaged, starting without it", "file", path, "kept", aside, "error", err)
		if err := os.Rename(path, aside); err != nil {
			return fmt.Errorf("put damaged device store aside: %w", err)
		}
	}
	return nil
}

// changed marks a file for writing, with s.mu held.
func (s *store) changed(paired, pending bool) {
	s.dirtyPaired = s.dirtyPaired || paired
	s.dirtyPending = s.dirtyPending || pending
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// run writes changes until ctx is done, and then the last ones.
func (s *store) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return s.flush()
		case <-s.woken:
		}
		select {
		case <-ctx.Done():
		case <-time.After(flushDelay):
		}
		if err := s.flush(); err != nil {
			s.log.Error("device store was not written, trying again", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(10 * flushDelay):
			}
			s.mu.Lock()
			s.changed(false, false)
			s.mu.Unlock()
		}
	}
}

// flush writes what has changed.
func (s *store) flush() error {
	s.mu.Lock()
	var paired, pending []byte
	var err error
	if s.dirtyPaired {
		paired, err = json.MarshalIndent(s.paired, "", "  ")
	}
	if err == nil && s.dirtyPending {
		pending, err = json.MarshalIndent(s.pending, "", "  ")
	}
	s.dirtyPaired, s.dirtyPending = false, false
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("marshal device store: %w", err)
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{"paired.json", paired}, {"pending.json", pending}} {
		if f.data == nil {
			continue
		}
		if werr := writeFile(filepath.Join(s.dir, f.name), f.data); werr != nil {
			s.mu.Lock()
			s.dirtyPaired = s.dirtyPaired || paired != nil
			s.dirtyPending = s.dirtyPending || pending != nil
			s.mu.Unlock()
			return werr
		}
	}
	return nil
}

// writeFile replaces path so that a reader sees the old or the new content.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write device store: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("write device store: %w", err)
		}
	}()
	if _, err = f.Write(append(data, '\n')); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
