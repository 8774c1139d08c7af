package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

// Options says what a [Store] works on. Only Paths is required.
type Options struct {
	Paths source.Paths
	// Environ is the process environment; nil takes it from the process.
	Environ source.Environ
	// WorkDir is where a .env file may lie besides the state directory; empty for none.
	WorkDir string
	// AllowUnconfigured lets a start happen without gateway.mode=local, and makes the file on the very first run.
	AllowUnconfigured bool
	// Dev is AllowUnconfigured with the settings of the profile "dev" in the new file.
	Dev bool
	// Overrides are what the command line says.
	Overrides Overrides
	// Version is stamped into meta by writes.
	Version string
	// Settle is how long a file must stay as it is before it is read again; 0 means 200 ms. The debounce after that is
	// gateway.reload.debounceMs.
	Settle time.Duration
	Log    *slog.Logger
	// Now stamps; nil means the wall clock.
	Now func() time.Time
}

// Store is the configuration of this supervisor. See the package comment.
type Store struct {
	opts    Options
	current atomic.Pointer[Snapshot]

	// mu is held while a new revision is worked out and applied, so that changes come one after the other.
	mu    sync.Mutex
	apply func(context.Context, Change) error
	// seen is the hash of the file's content that was looked at last.
	seen string

	// stateMu guards what is shown; it is never held together with a call to the outside.
	stateMu    sync.Mutex
	conditions []Condition
}

// Open reads the configuration and decides what to start with: the file; its last good copy when the file is bad or
// gone; a new file on the very first run, when that is allowed. It fails with a [*StartError] when the start must be
// refused. It starts nothing: [Store.Run] watches.
func Open(_ context.Context, opts Options) (*Store, error) {
	if opts.Environ == nil {
		opts.Environ = source.ProcessEnviron()
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Settle == 0 {
		opts.Settle = 200 * time.Millisecond
	}
	s := &Store{opts: opts}
	if err := os.MkdirAll(opts.Paths.StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	loaded, origin, err := s.first()
	if err != nil {
		return nil, err
	}
	if err := s.gate(loaded); err != nil {
		return nil, err
	}
	s.current.Store(s.snapshot(loaded, origin, 1))
	if origin == FromFile {
		if err := s.saveLastGood(loaded); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// first finds what to start with.
func (s *Store) first() (*source.Loaded, Origin, error) {
	file, err := source.Load(s.sourceOptions())
	if err != nil {
		return nil, "", err
	}
	if !file.Exists {
		return s.firstWithoutFile(file)
	}
	s.seen = file.Hash
	if file.Valid() {
		s.show(file, nil)
		return file, FromFile, nil
	}
	good, goodErr := s.loadLastGood()
	if good == nil {
		text := fmt.Sprintf("Invalid config at %s. Run `openclaw doctor` to see what is wrong.", file.File)
		return nil, "", &StartError{Text: text, Err: errors.Join(file.Err(), goodErr)}
	}
	s.show(file, good)
	return good, FromLastGood, nil
}

func (s *Store) firstWithoutFile(empty *source.Loaded) (*source.Loaded, Origin, error) {
	good, err := s.loadLastGood()
	if err != nil {
		s.opts.Log.Warn("last good configuration not usable", "error", err)
	}
	if good != nil {
		s.show(empty, good)
		return good, FromLastGood, nil
	}
	if !s.opts.AllowUnconfigured && !s.opts.Dev {
		s.show(empty, nil)
		return empty, FromDefaults, nil
	}
	if err := s.createFirst(); err != nil {
		return nil, "", err
	}
	made, err := source.Load(s.sourceOptions())
	if err != nil {
		return nil, "", err
	}
	if !made.Valid() {
		return nil, "", &StartError{Text: "The configuration that was just made cannot be used.", Err: made.Err()}
	}
	s.seen = made.Hash
	s.show(made, nil)
	return made, FromFile, nil
}

// SetLog gives the store the log that was opened with its own settings. Call it before Run.
func (s *Store) SetLog(log *slog.Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Log = log
}

// Snapshot is what is in force. It never blocks.
func (s *Store) Snapshot() *Snapshot { return s.current.Load() }

// Conditions are what an operator should see now, sorted as found. The slice is the caller's.
func (s *Store) Conditions() []Condition {
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	return append([]Condition(nil), s.conditions...)
}

func (s *Store) sourceOptions() source.Options {
	return source.Options{Paths: s.opts.Paths, Environ: s.opts.Environ, WorkDir: s.opts.WorkDir}
}

func (s *Store) snapshot(loaded *source.Loaded, origin Origin, revision uint64) *Snapshot {
	return &Snapshot{
		Revision: revision, Origin: origin, Hash: loaded.Hash, Config: loaded.Config, Tree: loaded.Tree,
		Paths: s.opts.Paths, Environ: loaded.Environ,
		overrides: s.opts.Overrides, merged: loaded.Merged, warnings: loaded.Warnings,
	}
}

// show remembers what was found in the file, for conditions and config.get. good is the copy that runs instead of it.
func (s *Store) show(file, good *source.Loaded) {
	var list []Condition
	for _, p := range file.Problems {
		list = append(list, conditionOf(CodeInvalid, p))
	}
	if good != nil && !file.Exists {
		list = append(list, Condition{Code: CodeMissing, File: file.File, Text: "the configuration file is gone; the last good one is in force",
			Action: "put it back (" + file.File + ".bak is the one before it), or remove " + lastGoodFile(s.opts.Paths) + " to begin anew"})
	}
	running := file
	if good != nil {
		running = good
	}
	for _, p := range running.Legacy {
		list = append(list, conditionOf(CodeLegacy, p))
	}
	for _, p := range running.Warnings {
		list = append(list, conditionOf(CodeWarning, p))
	}
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	s.conditions = list
}
