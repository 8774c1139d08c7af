// Package logfile writes the supervisor's log: JSON lines in the form that clients of
// the reference parse, one file a day in the reference's place, and plain lines for a person at the console.
//
// Concurrency: a Log and its handlers may be used from any goroutine. A line that
// cannot be written is dropped: logging never stops the work it tells of.
package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// keepFor is how long a day's file is kept (spec: logging).
const keepFor = 24 * time.Hour

var dayFile = regexp.MustCompile(`^openclaw-\d{4}-\d{2}-\d{2}\.log$`)

// Config is what Open needs.
type Config struct {
	// File fixes the path and turns rolling and pruning off; empty = a file a day in Dir.
	File string
	// Dir is where the daily files lie; empty = DefaultDir.
	Dir string
	Now func() time.Time
}

// Log is the open log file.
type Log struct {
	cfg Config

	mu   sync.Mutex // guards all below
	path string
	file *os.File
}

// DefaultDir is the reference's place under the temp root, or one of our own where
// that folder belongs to somebody else.
func DefaultDir() string {
	const root = "/tmp"
	shared := filepath.Join(root, "openclaw")
	if err := os.Mkdir(shared, 0o700); err == nil || ownDir(shared) {
		return shared
	}
	return filepath.Join(root, fmt.Sprintf("openclaw-%d", os.Getuid()))
}

// Open opens the log and removes daily files that are too old.
func Open(cfg Config) (*Log, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Dir == "" {
		cfg.Dir = DefaultDir()
	}
	l := &Log{cfg: cfg}
	dir := cfg.Dir
	if cfg.File != "" {
		dir = filepath.Dir(cfg.File)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the log folder: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.roll(); err != nil {
		return nil, err
	}
	l.prune()
	return l, nil
}

// Path is the file that is written now; with daily files it changes at midnight.
func (l *Log) Path() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.path
}

// Write appends one whole line.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cfg.File == "" && l.today() != l.path {
		if err := l.roll(); err != nil {
			return 0, err
		}
		l.prune()
	}
	return l.file.Write(line)
}

// Close closes the file; lines that come later are errors.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

func (l *Log) today() string {
	return filepath.Join(l.cfg.Dir, "openclaw-"+l.cfg.Now().Format("2006-01-02")+".log")
}

// roll is called with mu held.
func (l *Log) roll() error {
	path := l.cfg.File
	if path == "" {
		path = l.today()
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	if l.file != nil {
		_ = l.file.Close()
	}
	l.file, l.path = f, path
	return nil
}

// prune is called with mu held.
func (l *Log) prune() {
	if l.cfg.File != "" {
		return
	}
	entries, err := os.ReadDir(l.cfg.Dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !dayFile.MatchString(e.Name()) || l.cfg.Now().Sub(info.ModTime()) < keepFor {
			continue
		}
		if path := filepath.Join(l.cfg.Dir, e.Name()); path != l.path {
			_ = os.Remove(path)
		}
	}
}
