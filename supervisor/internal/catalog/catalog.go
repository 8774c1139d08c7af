package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

const (
	// channelPrefix and the channel's id make a worker's file name.
	channelPrefix = "openclaw-channel-"
	agentBinary   = "openclaw-agentd"
)

// Entry is a program that may run.
type Entry struct {
	// ID is the channel's; empty for the agent runtime.
	ID string
	// Path is the file to run, absolute: for a plugin the private copy of Source.
	Path, Source string
	// SHA256 of the file in lower-case hex; empty for a bundled one, which is not hashed.
	SHA256 string
	// Bundled programs lie beside the supervisor, or in the plugins folder there.
	Bundled bool
	// Revision is different for every content that Path has had: a process of an older
	// one is to be started again.
	Revision string
}

// Pins remembers the SHA-256 of approved plugins. The first file of a configured channel
// is approved by that; a changed one is not.
type Pins interface {
	Pinned(ctx context.Context, id string) (sha256 string, err error)
	Pin(ctx context.Context, id, sha256 string) error
}

// Config is what New needs.
type Config struct {
	// BundledDir holds the bundled workers, and in plugins/ the bundled plugins.
	BundledDir string
	// PluginDirs are looked through in order, after the bundled ones.
	PluginDirs []string
	// CopyDir takes the private copies.
	CopyDir string
	Pins    Pins
}

// Catalog finds programs.
type Catalog struct {
	cfg Config

	mu     sync.Mutex         // guards copies
	copies map[version]string // the SHA-256 of files that were read already
}

// New makes a Catalog; it looks at nothing yet.
func New(cfg Config) *Catalog { return &Catalog{cfg: cfg, copies: map[version]string{}} }

// Refusal says why a program is not run, and what to do.
type Refusal struct {
	Code   string
	Text   string
	Action string
}

// Codes of refusals.
const (
	CodeNotFound   = "not_found"
	CodeUnsafeFile = "unsafe_file"
	CodeUnapproved = "unapproved"
)

// Error gives the text.
func (r *Refusal) Error() string { return r.Text }

// Remedy gives what to do.
func (r *Refusal) Remedy() string { return r.Action }

// AgentRuntime finds the agent runtime, which is always bundled.
func (c *Catalog) AgentRuntime() (Entry, error) {
	path := filepath.Join(c.cfg.BundledDir, agentBinary)
	if err := executable(path); err != nil {
		return Entry{Path: path}, err
	}
	return Entry{Path: path, Source: path, Bundled: true, Revision: revisionOf(path)}, nil
}

// Find gives the program of a channel; the error is a *Refusal where a person can do something about it.
// With CodeUnapproved the Entry, where it has a Path, is the version that was approved before: it may go on.
func (c *Catalog) Find(ctx context.Context, id string) (Entry, error) {
	if id == "" || strings.ContainsAny(id, `/\`) || strings.HasPrefix(id, ".") {
		return Entry{}, &Refusal{CodeNotFound, fmt.Sprintf("%q is no channel id", id), "correct the key under channels in the configuration"}
	}
	name := channelPrefix + id
	for _, dir := range []string{c.cfg.BundledDir, filepath.Join(c.cfg.BundledDir, "plugins")} {
		path := filepath.Join(dir, name)
		if exists(path) {
			return Entry{ID: id, Path: path, Source: path, Bundled: true, Revision: revisionOf(path)}, executable(path)
		}
	}
	for _, dir := range c.cfg.PluginDirs {
		if path := filepath.Join(dir, name); exists(path) {
			return c.plugin(ctx, id, dir, path)
		}
	}
	return Entry{}, &Refusal{
		CodeNotFound, fmt.Sprintf("no worker provides the channel: %s is neither beside the supervisor nor in a plugin folder", name),
		"put " + name + " into " + strings.Join(c.cfg.PluginDirs, " or ") + ", or take channels." + id + " out of the configuration",
	}
}

// IDs lists the channels that some program provides, sorted.
func (c *Catalog) IDs() []string {
	var out []string
	for _, dir := range c.dirs() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if id, ok := strings.CutPrefix(e.Name(), channelPrefix); ok && id != "" {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// dirs are all folders that are looked into, in order.
func (c *Catalog) dirs() []string {
	return append([]string{c.cfg.BundledDir, filepath.Join(c.cfg.BundledDir, "plugins")}, c.cfg.PluginDirs...)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// executable checks that a file is there and may be run.
func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Refusal{CodeNotFound, path + " is missing", "install it again beside openclaw-supervisor"}
	case err != nil:
		return fmt.Errorf("look at %s: %w", path, err)
	case !info.Mode().IsRegular():
		return &Refusal{CodeUnsafeFile, path + " is no regular file", "put the program itself there"}
	case info.Mode().Perm()&0o111 == 0:
		return &Refusal{CodeUnsafeFile, path + " is not executable", "chmod +x " + path}
	}
	return nil
}
