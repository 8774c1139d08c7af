// Package workspace knows the files that make up an agent: which they are, where
// they lie, and how they are created once. It reads and writes only those names.
//
// Functions may be called from several goroutines; writes are whole (a new file put in the old one's place).
package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The files, in the order in which a prompt holds them.
const (
	Agents    = "AGENTS.md"
	Soul      = "SOUL.md"
	Tools     = "TOOLS.md"
	Identity  = "IDENTITY.md"
	User      = "USER.md"
	Heartbeat = "HEARTBEAT.md"
	Bootstrap = "BOOTSTRAP.md"
	Memory    = "MEMORY.md"
	// MemoryLower is another spelling of Memory that people use.
	MemoryLower = "memory.md"
)

// Names are the files that a person may list, read and write.
func Names() []string {
	return []string{Agents, Soul, Tools, Identity, User, Heartbeat, Bootstrap, Memory}
}

// UnsupportedError says that a name is none of the workspace's files.
type UnsupportedError struct{ Name string }

// Error names the file.
func (e *UnsupportedError) Error() string { return fmt.Sprintf("unsupported file %q", e.Name) }

// File is one of the workspace's files. Content is filled in by Get and Set.
type File struct {
	Name, Path string
	Missing    bool
	Size       int64
	Updated    time.Time
	Content    string
}

// List returns all files, also those that are missing.
func List(dir string) ([]File, error) {
	var out []File
	for _, n := range Names() {
		f, err := stat(dir, n)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func stat(dir, name string) (File, error) {
	f := File{Name: name, Path: filepath.Join(dir, name)}
	info, err := os.Stat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Missing = true
		return f, nil
	case err != nil:
		return f, fmt.Errorf("look at %s: %w", name, err)
	}
	f.Size, f.Updated = info.Size(), info.ModTime()
	return f, nil
}

// Get reads one file; a missing one is no error. A name that is none of the
// workspace's gives an *UnsupportedError.
func Get(dir, name string) (File, error) {
	if !slices.Contains(Names(), name) {
		return File{}, &UnsupportedError{name}
	}
	f, err := stat(dir, name)
	if err != nil || f.Missing {
		return f, err
	}
	raw, err := os.ReadFile(f.Path)
	if err != nil {
		return f, fmt.Errorf("read %s: %w", name, err)
	}
	f.Content = string(raw)
	return f, nil
}

// Set writes one file, creating the workspace where needed.
func Set(dir, name, content string) (File, error) {
	if !slices.Contains(Names(), name) {
		return File{}, &UnsupportedError{name}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return File{}, fmt.Errorf("create workspace: %w", err)
	}
	tmp, err := os.CreateTemp(dir, ".file-*")
	if err != nil {
		return File{}, fmt.Errorf("write %s: %w", name, err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.WriteString(content)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return File{}, fmt.Errorf("write %s: %w", name, err)
	}
	return Get(dir, name)
}
