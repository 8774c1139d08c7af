package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// Config is what Open needs; all fields but Log are required.
type Config struct {
	DB    *journal.DB
	Clock clock.Clock
	Log   *slog.Logger
	// StorePath is where an agent's sessions.json lies, absolute.
	StorePath func(agentID string) string
	// Agents are the agents whose mirrors are looked at when the index is opened.
	Agents []string
	// MainKey is session.mainKey, for short keys in mirrors that others wrote; empty = main.
	MainKey string
}

// Index is the session index.
type Index struct {
	cfg Config

	mu      sync.Mutex // guards all below
	entries map[string]Entry
	dirty   map[string]bool // agents whose mirror is behind
	wake    chan struct{}
}

// Open reads the index into memory and takes over what others wrote into the mirrors
// since we last did. It starts nothing: Run writes the mirrors.
func Open(ctx context.Context, cfg Config) (*Index, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	x := &Index{cfg: cfg, entries: map[string]Entry{}, dirty: map[string]bool{}, wake: make(chan struct{}, 1)}
	var rows []journal.SessionRow
	err := cfg.DB.View(ctx, func(tx *journal.Tx) (err error) {
		rows, err = tx.ListSessions("")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the session index: %w", err)
	}
	for _, r := range rows {
		e, err := fromRow(r)
		if err != nil {
			cfg.Log.Error("a session entry cannot be read and is left out", "session", r.SessionKey, "error", err)
			continue
		}
		x.entries[e.Key] = e
	}
	for _, agent := range cfg.Agents {
		if err := x.importMirror(ctx, agent); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func fromRow(r journal.SessionRow) (Entry, error) {
	f, _, _, err := parseFields(r.Entry)
	if err != nil {
		return Entry{}, err
	}
	return Entry{Key: r.SessionKey, AgentID: r.AgentID, SessionID: r.SessionID, UpdatedMS: r.UpdatedMS, Fields: f}, nil
}

// Get reads one entry by its canonical key.
func (x *Index) Get(key string) (Entry, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e, ok := x.entries[key]
	return e, ok
}

// List gives the entries of an agent, or of all for "", the last used first.
func (x *Index) List(agentID string) []Entry {
	x.mu.Lock()
	var out []Entry
	for _, e := range x.entries {
		if agentID == "" || e.AgentID == agentID {
			out = append(out, e)
		}
	}
	x.mu.Unlock()
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(b.UpdatedMS, a.UpdatedMS), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// Find gives the first entry that matches, in no particular order.
func (x *Index) Find(match func(Entry) bool) (Entry, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.entries {
		if match(e) {
			return e, true
		}
	}
	return Entry{}, false
}

// Ensure gives the entry of a conversation for a run that begins: a new one where there
// is none, one with a new session id where the rule says that the old one has ended. started tells of either.
func (x *Index) Ensure(tx *journal.Tx, key, agentID string, rule Rule) (e Entry, started bool, err error) {
	e, err = x.read(tx, key)
	now := x.cfg.Clock.Now()
	switch {
	case errors.Is(err, journal.ErrNotFound):
		e, started = Entry{Key: key, AgentID: agentID, SessionID: uuid.NewString()}, true
	case err != nil:
		return Entry{}, false, err
	case e.SessionID == "" || rule.Stale(time.UnixMilli(e.UpdatedMS), now):
		e, started = renew(e, slices.Concat(overrides, counters)), true
	}
	e, err = x.put(tx, e)
	return e, started, err
}

// Patch applies a merge patch to an entry: null removes a field. An entry that does not
// exist is made.
func (x *Index) Patch(tx *journal.Tx, key, agentID string, patch json.RawMessage) (Entry, error) {
	var p Fields
	if err := json.Unmarshal(patch, &p); err != nil {
		return Entry{}, fmt.Errorf("patch session %s: %w", key, err)
	}
	delete(p, "sessionId")
	delete(p, "updatedAt")
	e, err := x.read(tx, key)
	if errors.Is(err, journal.ErrNotFound) {
		e, err = Entry{Key: key, AgentID: agentID, SessionID: uuid.NewString()}, nil
	}
	if err != nil {
		return Entry{}, err
	}
	e.Fields = merge(e.Fields, p)
	return x.put(tx, e)
}

// Reset gives an entry a new session id and sets its counters to their beginning; label
// and settings stay. ErrNotFound of package journal.
func (x *Index) Reset(tx *journal.Tx, key string) (Entry, error) {
	e, err := x.read(tx, key)
	if err != nil {
		return Entry{}, err
	}
	e = renew(e, counters)
	for f, v := range map[string]json.RawMessage{"systemSent": json.RawMessage("false"), "inputTokens": number(0), "outputTokens": number(0), "totalTokens": number(0)} {
		e.Fields[f] = v
	}
	return x.put(tx, e)
}

// Delete removes an entry and reports whether it was there.
func (x *Index) Delete(tx *journal.Tx, key string) (bool, error) {
	e, err := x.read(tx, key)
	if errors.Is(err, journal.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err := tx.DeleteSession(key); err != nil {
		return false, err
	}
	tx.OnCommit(func() {
		x.mu.Lock()
		delete(x.entries, key)
		x.mu.Unlock()
		x.behind(e.AgentID)
	})
	return true, nil
}

func renew(e Entry, without []string) Entry {
	f := maps.Clone(e.Fields)
	if f == nil {
		f = Fields{}
	}
	for _, name := range without {
		delete(f, name)
	}
	e.Fields, e.SessionID = f, uuid.NewString()
	return e
}

func (x *Index) read(tx *journal.Tx, key string) (Entry, error) {
	row, err := tx.GetSession(key)
	if err != nil {
		return Entry{}, err
	}
	return fromRow(row)
}

// put stamps and stores an entry; memory and mirror follow once it is on disk.
func (x *Index) put(tx *journal.Tx, e Entry) (Entry, error) {
	e.UpdatedMS = x.cfg.Clock.Now().UnixMilli()
	row := journal.SessionRow{SessionKey: e.Key, AgentID: e.AgentID, SessionID: e.SessionID, Entry: e.JSON(), UpdatedMS: e.UpdatedMS}
	if err := tx.PutSession(row); err != nil {
		return Entry{}, err
	}
	tx.OnCommit(func() {
		x.mu.Lock()
		x.entries[e.Key] = e
		x.mu.Unlock()
		x.behind(e.AgentID)
	})
	return e, nil
}

// behind marks an agent's mirror.
func (x *Index) behind(agentID string) {
	x.mu.Lock()
	x.dirty[agentID] = true
	x.mu.Unlock()
	select {
	case x.wake <- struct{}{}:
	default:
	}
}
