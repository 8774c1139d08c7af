package session

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

const (
	// mirrorEvery is the least time between two writes of one mirror.
	mirrorEvery = time.Second
	// lockPatience is how long another writer of a mirror is waited for.
	lockPatience = 2 * time.Second
)

// mark is what the journal remembers of a mirror.
type mark struct {
	// Ours are the hashes of what we wrote last and of what we were about to write. Both
	// are ours at the next start: a kill between the mark and the file leaves the older one.
	Ours []string `json:"ours"`
	// AtMS is when the newer was made; entries changed later are not in either.
	AtMS int64 `json:"atMs"`
}

// Run writes the mirrors that are behind, at most once a second, and a last time when
// ctx ends. A mirror that cannot be written is tried again with the next change.
func (x *Index) Run(ctx context.Context) error {
	for {
		select {
		case <-x.wake:
		case <-ctx.Done():
			x.writeMirrors(context.WithoutCancel(ctx))
			return nil
		}
		x.writeMirrors(context.WithoutCancel(ctx)) // a write that has begun is ended
		t := x.cfg.Clock.NewTimer(mirrorEvery)
		select {
		case <-t.C():
		case <-ctx.Done():
			t.Stop()
		}
	}
}

func (x *Index) writeMirrors(ctx context.Context) {
	x.mu.Lock()
	agents := make([]string, 0, len(x.dirty))
	for a := range x.dirty {
		agents = append(agents, a)
	}
	clear(x.dirty)
	x.mu.Unlock()
	slices.Sort(agents)
	for _, a := range agents {
		err := x.writeMirror(ctx, a)
		if err == nil {
			continue
		}
		x.mu.Lock()
		x.dirty[a] = true
		x.mu.Unlock()
		x.cfg.Log.Warn("sessions.json could not be written; the journal has everything", "agent", a, "error", err)
	}
}

func (x *Index) writeMirror(ctx context.Context, agentID string) error {
	now := clock.Millis(x.cfg.Clock)
	all := map[string]json.RawMessage{}
	for _, e := range x.List(agentID) {
		all[e.Key] = e.JSON()
	}
	raw, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("render sessions.json: %w", err)
	}
	raw = append(raw, '\n')
	err = x.cfg.DB.Update(ctx, func(tx *journal.Tx) error {
		m, err := readMark(tx, agentID)
		if err != nil {
			return err
		}
		m.Ours = append([]string{hash(raw)}, m.Ours...)
		m.Ours, m.AtMS = m.Ours[:min(len(m.Ours), 2)], now
		b, err := json.Marshal(m)
		if err != nil {
			return err
		}
		return tx.SetMeta(mirrorKey(agentID), string(b))
	})
	if err != nil {
		return fmt.Errorf("mark the mirror: %w", err)
	}
	return replaceFile(ctx, x.cfg.StorePath(agentID), raw)
}

// replaceFile writes a file whole or not at all, under the lock that others hold while they write it.
func replaceFile(ctx context.Context, path string, raw []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the sessions folder: %w", err)
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("another program is writing %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return json5.WriteAtomic(path, raw)
}

func mirrorKey(agentID string) string { return "session.mirror:" + agentID }

func readMark(tx *journal.Tx, agentID string) (m mark, err error) {
	raw, err := tx.GetMeta(mirrorKey(agentID))
	if errors.Is(err, journal.ErrNotFound) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("read the mirror's mark: %w", err)
	}
	return m, json.Unmarshal([]byte(raw), &m)
}

func hash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// importMirror takes over a sessions.json that is not as we wrote it: its entries replace
// ours, and ours that it lacks are gone, except what we changed after our last write. A missing, empty or
// unreadable file is written anew from the journal.
func (x *Index) importMirror(ctx context.Context, agentID string) error {
	path := x.cfg.StorePath(agentID)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		x.behind(agentID)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	var m mark
	err = x.cfg.DB.View(ctx, func(tx *journal.Tx) (err error) {
		m, err = readMark(tx, agentID)
		return err
	})
	if err != nil {
		return err
	}
	if at := slices.Index(m.Ours, hash(raw)); at >= 0 {
		if at > 0 || x.changedSince(agentID, m.AtMS) {
			x.behind(agentID) // a stop came before the file was written again
		}
		return nil
	}
	found, err := parseMirror(raw)
	if err != nil {
		x.cfg.Log.Warn("sessions.json cannot be read and is written anew from the journal", "file", path, "error", err)
		x.behind(agentID)
		return nil
	}
	put, gone := x.differences(agentID, found, m.AtMS)
	err = x.cfg.DB.Update(ctx, func(tx *journal.Tx) error {
		for _, e := range put {
			row := journal.SessionRow{SessionKey: e.Key, AgentID: e.AgentID, SessionID: e.SessionID, Entry: e.JSON(), UpdatedMS: e.UpdatedMS}
			if err := tx.PutSession(row); err != nil {
				return err
			}
		}
		for _, key := range gone {
			if _, err := tx.DeleteSession(key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take over %s: %w", path, err)
	}
	x.mu.Lock()
	for _, e := range put {
		x.entries[e.Key] = e
	}
	for _, key := range gone {
		delete(x.entries, key)
	}
	x.mu.Unlock()
	x.cfg.Log.Info("sessions.json was changed by others and is taken over", "file", path, "entries", len(put), "removed", len(gone))
	x.behind(agentID)
	return nil
}

func (x *Index) changedSince(agentID string, ms int64) bool {
	return slices.ContainsFunc(x.List(agentID), func(e Entry) bool { return e.UpdatedMS >= ms })
}

// differences says what an agent's index takes from a mirror that others wrote: the
// entries to put, and the keys that are gone.
func (x *Index) differences(agentID string, found map[string]json.RawMessage, lastWriteMS int64) (put []Entry, gone []string) {
	keys := Keys{DefaultAgent: agentID, MainKey: x.cfg.MainKey}
	theirs := map[string]Entry{}
	for key, f := range found {
		fields, sessionID, updated, err := parseFields(f)
		if err != nil || sessionID == "" {
			x.cfg.Log.Warn("an entry of sessions.json is left out: it has no session id", "session", key)
			continue
		}
		e := Entry{Key: keys.stored(key, fields), AgentID: agentID, SessionID: sessionID, UpdatedMS: updated, Fields: fields}
		if twin, ok := theirs[e.Key]; !ok || twin.UpdatedMS < e.UpdatedMS { // two spellings of one key: the newer holds
			theirs[e.Key] = e
		}
	}
	for _, e := range x.List(agentID) {
		their, ok := theirs[e.Key]
		changedSince := e.UpdatedMS >= lastWriteMS && lastWriteMS > 0
		switch {
		case !ok && !changedSince:
			gone = append(gone, e.Key)
		case ok && changedSince && e.UpdatedMS > their.UpdatedMS:
			delete(theirs, e.Key)
		}
	}
	for _, e := range theirs {
		put = append(put, e)
	}
	slices.SortFunc(put, func(a, b Entry) int { return cmp.Compare(a.Key, b.Key) })
	return put, gone
}

func parseMirror(raw []byte) (map[string]json.RawMessage, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, errors.New("the file is empty")
	}
	var out map[string]json.RawMessage
	if json.Unmarshal(raw, &out) == nil && out != nil { // the usual case, which keeps every number as it is
		return out, nil
	}
	doc, err := json5.Parse(raw)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(doc.Value())
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, err
	}
	if out == nil {
		return nil, errors.New("the file holds no object")
	}
	return out, nil
}
