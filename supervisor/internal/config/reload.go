package config

import (
	"context"
	"errors"
	"fmt"
	"strings"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

// Reload reads the file now and applies what changed. A file that cannot be used changes nothing but the conditions:
// what runs keeps the last good settings, and the error is an *InvalidError. An empty Change means nothing changed.
func (s *Store) Reload(ctx context.Context) (Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reload(ctx, s.Snapshot().Config.Gateway.Reload.Mode)
}

// reload does the work of Reload; s.mu is held.
func (s *Store) reload(ctx context.Context, mode string) (Change, error) {
	from := s.Snapshot()
	none := Change{From: from, To: from}
	file, err := source.Load(s.sourceOptions())
	if err != nil {
		return none, err
	}
	first := file.Hash != s.seen || !file.Exists
	s.seen = file.Hash
	if !file.Exists || !file.Valid() {
		err := file.Err()
		if !file.Exists {
			err = errors.New("the file is gone")
		}
		s.show(file, s.running(from))
		if first {
			s.opts.Log.Warn("config reload skipped (invalid config)", "error", err)
		}
		return none, fmt.Errorf("config reload skipped: %w", err)
	}
	s.show(file, nil)
	to := s.snapshot(file, FromFile, from.Revision+1)
	change := changeBetween(from, to)
	if change.Empty() && from.Origin == FromFile && from.Hash == to.Hash {
		return none, nil
	}
	if mode == "off" && !change.Empty() {
		s.opts.Log.Info("config changed; gateway.reload.mode is off, so it waits for a restart", "keys", strings.Join(change.Paths, ", "))
		change.To, change.Waiting, change.Accounts, change.Workers = from, change.Paths, nil, nil
		change.Listener, change.Plugins = false, false
		return change, nil
	}
	if len(change.Waiting) > 0 {
		s.opts.Log.Warn("config keys wait for a restart of the supervisor", "keys", strings.Join(change.Waiting, ", "))
	}
	s.current.Store(to)
	if err := s.saveLastGood(file); err != nil {
		s.opts.Log.Error("last good configuration not kept", "error", err)
	}
	if change.Empty() || s.apply == nil {
		return change, nil
	}
	s.opts.Log.Info("config applied", "revision", to.Revision, "keys", strings.Join(change.Applied(), ", "))
	if err := s.apply(ctx, change); err != nil {
		return change, fmt.Errorf("apply configuration: %w", err)
	}
	return change, nil
}

// running describes what is in force instead of a bad file, for the conditions.
func (s *Store) running(snapshot *Snapshot) *source.Loaded {
	return &source.Loaded{File: s.opts.Paths.ConfigFile, Exists: true, Warnings: snapshot.warnings}
}
