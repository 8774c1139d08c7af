package session

import (
	"bytes"
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
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// mirrorEvery is the least time between two writes of one mirror.
const mirrorEvery = time.Second

// Run writes the mirrors that are behind, at most once a second, and a last time when
// ctx ends. A mirror that cannot be written is said once, and tried again with the next change.
func (x *Index) Run(ctx context.Context) error {
	for {
		select {
		case <-x.wake:
		case <-ctx.Done():
			x.writeMirrors(context.WithoutCancel(ctx))
			return nil
		}
		x.writeMirrors(context.WithoutCancel(ctx)) // a write that has begun is ended
		t := time.NewTimer(mirrorEvery)
		select {
		case <-t.C:
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
		if err := x.writeMirror(ctx, a); err != nil {
			x.cfg.Log.Warn("sessions.json could not be written; the journal has everything", "agent", a, "error", err)
		}
	}
}

func (x *Index) writeMirror(ctx context.Context, agentID string) error {
	all := map[string]json.RawMessage{}
	for _, e := range x.List(agentID) {
		all[e.Key] = e.JSON()
	}
	raw, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("render sessions.json: %w", err)
	}
	raw = append(raw, '\n')
	path := x.cfg.StorePath(agentID)
	if err := replaceFile(path, raw); err != nil {
		return err
	}
	return x.cfg.DB.Update(ctx, func(tx *journal.Tx) error { return tx.SetMeta(mirrorKey(agentID), hash(raw)) })
}

// replaceFile writes a file whole or not at all, under the lock that others hold while they write it.
func replaceFile(path string, raw []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the sessions folder: %w", err)
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	tmp, err := os.CreateTemp(filepath.Dir(path), ".sessions-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = tmp.Write(raw)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(tmp.Name()))
	}
	return nil
}

func mirrorKey(agentID string) string { return "mirror:" + agentID }

func hash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// importMirror takes over a sessions.json that is not as we last wrote it. A missing,
// empty or unreadable one is written anew from the journal.
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
	ours := ""
	err = x.cfg.DB.View(ctx, func(tx *journal.Tx) (err error) {
		ours, err = tx.GetMeta(mirrorKey(agentID))
		return err
	})
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		return fmt.Errorf("read the mirror's mark: %w", err)
	}
	if hash(raw) == ours {
		return nil
	}
	found, err := parseMirror(raw)
	if err != nil {
		x.cfg.Log.Warn("sessions.json cannot be read and is written anew from the journal", "file", path, "error", err)
		x.behind(agentID)
		return nil
	}
	entries := make([]Entry, 0, len(found))
	for key, f := range found {
		fields, sessionID, updated, err := parseFields(f)
		if err != nil || sessionID == "" {
			x.cfg.Log.Warn("an entry of sessions.json is left out: it has no session id", "session", key)
			continue
		}
		entries = append(entries, Entry{Key: key, AgentID: agentID, SessionID: sessionID, UpdatedMS: updated, Fields: fields})
	}
	err = x.cfg.DB.Update(ctx, func(tx *journal.Tx) error {
		for _, e := range entries {
			row := journal.SessionRow{SessionKey: e.Key, AgentID: e.AgentID, SessionID: e.SessionID, Entry: e.JSON(), UpdatedMS: e.UpdatedMS}
			if err := tx.PutSession(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take over %s: %w", path, err)
	}
	x.mu.Lock()
	for _, e := range entries {
		x.entries[e.Key] = e
	}
	x.mu.Unlock()
	x.cfg.Log.Info("sessions.json was changed by others and is taken over", "file", path, "entries", len(entries))
	x.behind(agentID)
	return nil
}

func parseMirror(raw []byte) (map[string]json.RawMessage, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, errors.New("the file is empty")
	}
	doc, err := json5.Parse(raw)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(doc.Value())
	if err != nil {
		return nil, err
	}
	var out map[string]json.RawMessage
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, err
	}
	return out, nil
}
