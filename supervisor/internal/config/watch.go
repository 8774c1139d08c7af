package config

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Run watches the file until ctx ends and hands every change to apply, which also gets the changes of [Store.Edit] and
// [Store.Reload] while Run runs; the calls never overlap, and apply must not call Edit or Reload. When Run returns, no
// goroutine of it is left. Its error is that the directory cannot be watched.
func (s *Store) Run(ctx context.Context, apply func(context.Context, Change) error) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch configuration: %w", err)
	}
	defer func() { _ = watcher.Close() }()
	names, err := s.watch(watcher)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.apply = apply
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.apply = nil
		s.mu.Unlock()
	}()
	// What changed between Open and now is taken over at once.
	due := time.NewTimer(0)
	defer due.Stop()
	settling := false
	var last fileState
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, open := <-watcher.Events:
			if !open {
				return nil
			}
			if names[filepath.Clean(event.Name)] {
				last, settling = s.state(), true
				due.Reset(s.opts.Settle)
			}
		case err, open := <-watcher.Errors:
			if !open {
				return nil
			}
			s.opts.Log.Warn("configuration watch lost events; reading the file", "error", err)
			last, settling = s.state(), true
			due.Reset(s.opts.Settle)
		case <-due.C:
			now := s.state()
			if settling && now != last {
				last = now
				due.Reset(s.opts.Settle)
				continue
			}
			if settling {
				settling = false
				due.Reset(time.Duration(s.Snapshot().Config.Gateway.Reload.DebounceMs) * time.Millisecond)
				continue
			}
			// A bad file is a condition and was logged; it is read again when it changes.
			_, _ = s.Reload(ctx)
		}
	}
}

// watch adds the directory of the file, and of what it links to, and gives the names that count.
func (s *Store) watch(watcher *fsnotify.Watcher) (map[string]bool, error) {
	file := filepath.Clean(s.opts.Paths.ConfigFile)
	names := map[string]bool{file: true}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		names[target] = true
	}
	for name := range names {
		dir := filepath.Dir(name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("watch configuration: %w", err)
		}
		if err := watcher.Add(dir); err != nil {
			return nil, fmt.Errorf("watch %s: %w", dir, err)
		}
	}
	return names, nil
}

// fileState tells one state of the file from another without reading it.
type fileState struct {
	exists bool
	size   int64
	mtime  int64
}

func (s *Store) state() fileState {
	info, err := os.Stat(s.opts.Paths.ConfigFile)
	if err != nil {
		return fileState{}
	}
	return fileState{exists: true, size: info.Size(), mtime: info.ModTime().UnixNano()}
}
