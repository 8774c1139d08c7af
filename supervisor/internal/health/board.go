// Package health knows how the installation is doing: a Board of named
// conditions, and the snapshot that clients are shown.
//
// It owns conditions and the rendering of the snapshot, which is kept as JSON
// until something changes or it is a minute old. What workers, agents and
// sessions are like is asked of a Source of funcs. It never probes a network
// and sends nothing: whoever broadcasts waits on Changed.
//
// A Board may be used from several goroutines and starts none. Lock order:
// Board.rendering, then what a Source locks, then Board.mu; so Raise, Clear
// and Touch may be called while holding a lock that the Source takes, Snapshot
// and Refresh may not.
package health

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// MaxAge is how long a rendered snapshot is used when nothing was reported to
// have changed.
const MaxAge = time.Minute

// Source tells what the snapshot is made of. Funcs must not block and must
// not call the Board; a nil one leaves its part empty.
type Source struct {
	Workers          func() []protocol.WorkerView
	Labels           func(channel string) string
	Agents           func() []protocol.AgentHealth
	Sessions         func() protocol.SessionStore
	DefaultAgentID   func() string
	HeartbeatSeconds func() int64
}

// Config is what a Board needs. Now may be nil.
type Config struct {
	Source Source
	Now    func() time.Time
}

// Snapshot is a rendered state. JSON is shared: it must not be changed.
type Snapshot struct {
	JSON    json.RawMessage
	Version uint64
	At      time.Time
}

// Board holds conditions and renders snapshots.
type Board struct {
	source  Source
	now     func() time.Time
	changed chan struct{}

	rendering sync.Mutex // held while a snapshot is built

	mu         sync.Mutex // guards below
	conditions map[string]protocol.Condition
	dirty      bool
	current    Snapshot
}

// NewBoard makes a board without conditions.
func NewBoard(cfg Config) *Board {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Board{
		source:     cfg.Source,
		now:        cfg.Now,
		changed:    make(chan struct{}, 1),
		conditions: make(map[string]protocol.Condition),
		dirty:      true,
	}
}

// Raise shows a condition until Clear. Raising the same one again renews its
// words and keeps its Since. A zero Since is now.
func (b *Board) Raise(c protocol.Condition) {
	b.mu.Lock()
	old, known := b.conditions[c.Code]
	if known {
		c.Since = old.Since
	}
	if c.Since == 0 {
		c.Since = b.now().UnixMilli()
	}
	same := known && old == c
	if !same {
		b.conditions[c.Code] = c
		b.dirty = true
	}
	b.mu.Unlock()
	if !same {
		b.signal()
	}
}

// Clear takes a condition away. An unknown code is ignored.
func (b *Board) Clear(code string) {
	b.mu.Lock()
	_, known := b.conditions[code]
	if known {
		delete(b.conditions, code)
		b.dirty = true
	}
	b.mu.Unlock()
	if known {
		b.signal()
	}
}

// Conditions lists what is raised: the gravest first, then by code.
func (b *Board) Conditions() []protocol.Condition {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sorted()
}

func (b *Board) sorted() []protocol.Condition {
	list := make([]protocol.Condition, 0, len(b.conditions))
	for _, c := range b.conditions {
		list = append(list, c)
	}
	slices.SortFunc(list, func(x, y protocol.Condition) int {
		if d := rank(y.Severity) - rank(x.Severity); d != 0 {
			return d
		}
		return strings.Compare(x.Code, y.Code)
	})
	return list
}

func rank(s protocol.Severity) int {
	switch s {
	case protocol.SeverityCritical:
		return 2
	case protocol.SeverityWarning:
		return 1
	}
	return 0
}

// Touch says that something the Source tells of has changed.
func (b *Board) Touch() {
	b.mu.Lock()
	b.dirty = true
	b.mu.Unlock()
	b.signal()
}

// Changed delivers a value after one or more changes.
func (b *Board) Changed() <-chan struct{} { return b.changed }

func (b *Board) signal() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// Snapshot gives the present state, rendering it where it has changed or has
// grown old. An error means that the state cannot be put into JSON.
func (b *Board) Snapshot() (Snapshot, error) { return b.snapshot(false) }

// Refresh renders anew in any case, which gives a new version.
func (b *Board) Refresh() (Snapshot, error) { return b.snapshot(true) }

// Version is the version of the last rendered snapshot.
func (b *Board) Version() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current.Version
}

func (b *Board) snapshot(force bool) (Snapshot, error) {
	if !force {
		if s, ok := b.valid(); ok {
			return s, nil
		}
	}
	b.rendering.Lock()
	defer b.rendering.Unlock()
	if !force {
		if s, ok := b.valid(); ok {
			return s, nil // rendered while waiting
		}
	}
	b.mu.Lock()
	now, conditions := b.now(), b.sorted()
	b.dirty = false
	b.mu.Unlock()
	raw, err := json.Marshal(b.build(now, conditions))
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.dirty = true
		return Snapshot{}, fmt.Errorf("render health: %w", err)
	}
	b.current = Snapshot{JSON: raw, Version: b.current.Version + 1, At: now}
	return b.current, nil
}

// valid gives the rendered snapshot if it is still true.
func (b *Board) valid() (Snapshot, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ok := !b.dirty && b.current.Version > 0 && b.now().Sub(b.current.At) < MaxAge
	return b.current, ok
}
