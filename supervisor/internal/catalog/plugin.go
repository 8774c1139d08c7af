package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// plugin checks a file from a plugin folder and gives the private copy of it.
func (c *Catalog) plugin(ctx context.Context, id, dir, path string) (Entry, error) {
	e := Entry{ID: id, Path: path, Source: path}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return e, &Refusal{CodeUnsafeFile, fmt.Sprintf("%s cannot be followed: %v", path, err), "put the program itself into the folder"}
	}
	targetDir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return e, fmt.Errorf("look at %s: %w", dir, err)
	}
	if rel, err := filepath.Rel(targetDir, target); err != nil || strings.HasPrefix(rel, "..") {
		return e, &Refusal{CodeUnsafeFile, fmt.Sprintf("%s leads out of the plugin folder, to %s", path, target), "put the program itself into the folder"}
	}
	for _, p := range []string{targetDir, target} {
		if reason := distrust(p); reason != "" {
			return e, &Refusal{CodeUnsafeFile, fmt.Sprintf("%s %s", p, reason), "make it yours and writable by you alone: chown and chmod go-w " + p}
		}
	}
	if err := executable(target); err != nil {
		return e, err
	}
	if e.Path, e.SHA256, err = c.copyOf(target, filepath.Base(path)); err != nil {
		return e, err
	}
	e.Revision = e.SHA256
	return c.approved(ctx, e)
}

// approved compares with the pin, or makes it at first use. Where the file is not the approved one, the
// Entry that comes with the refusal is of the approved version, as long as its copy is there: it may go on.
func (c *Catalog) approved(ctx context.Context, e Entry) (Entry, error) {
	if c.cfg.Pins == nil {
		return e, nil
	}
	pinned, err := c.cfg.Pins.Pinned(ctx, e.ID)
	switch {
	case err != nil:
		return Entry{ID: e.ID, Source: e.Source}, fmt.Errorf("read the pin of %s: %w", e.ID, err)
	case pinned == "":
		if err := c.cfg.Pins.Pin(ctx, e.ID, e.SHA256); err != nil {
			return Entry{ID: e.ID, Source: e.Source}, fmt.Errorf("pin %s: %w", e.ID, err)
		}
		return e, nil
	case pinned == e.SHA256:
		return e, nil
	}
	refusal := &Refusal{CodeUnapproved, fmt.Sprintf("%s is not the file that was approved (SHA-256 %s, approved %s)", e.Source, short(e.SHA256), short(pinned)), "openclaw plugins approve " + e.ID}
	old := Entry{ID: e.ID, Source: e.Source}
	if path := filepath.Join(c.cfg.CopyDir, pinned, filepath.Base(e.Source)); executable(path) == nil {
		old.Path, old.SHA256, old.Revision = path, pinned, pinned
	}
	return old, refusal
}

func short(sum string) string { return sum[:min(len(sum), 12)] }

// copyOf gives the private copy of a file and its hash. The file is held open while it is
// checked once more, hashed and copied, so that what was trusted, what was hashed and what
// will run are the same bytes, whatever the name comes to mean meanwhile. A version that was read before is not read again.
func (c *Catalog) copyOf(path, name string) (copied, sum string, err error) {
	in, err := os.Open(path)
	if err != nil {
		return "", "", fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return "", "", fmt.Errorf("look at %s: %w", path, err)
	}
	if reason := distrustInfo(info); reason != "" || !info.Mode().IsRegular() {
		return "", "", &Refusal{CodeUnsafeFile, path + " was put in the place of another file while it was looked at", "put the program into the folder again"}
	}
	v := versionOf(info)
	c.mu.Lock()
	defer c.mu.Unlock()
	if sum, ok := c.copies[v]; ok {
		copied = filepath.Join(c.cfg.CopyDir, sum, name)
		if have, err := os.Stat(copied); err == nil && have.Size() == info.Size() {
			return copied, sum, nil
		}
	}
	if copied, sum, err = c.copyIn(in, name); err != nil {
		return "", "", fmt.Errorf("copy %s: %w", path, err)
	}
	if after, err := in.Stat(); err != nil || versionOf(after) != v {
		return "", "", &Refusal{CodeUnsafeFile, path + " was written while it was read", "wait until it is whole"}
	}
	c.copies[v] = sum
	return copied, sum, nil
}

// copyIn writes the bytes of in below the folder of copies and hashes them on the way.
func (c *Catalog) copyIn(in io.Reader, name string) (copied, sum string, err error) {
	if err := os.MkdirAll(c.cfg.CopyDir, 0o700); err != nil {
		return "", "", err
	}
	tmp, err := os.CreateTemp(c.cfg.CopyDir, ".copy-*")
	if err != nil {
		return "", "", err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already after the rename
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(tmp, h), in)
	if err = errors.Join(err, tmp.Chmod(0o500), tmp.Sync(), tmp.Close()); err != nil {
		return "", "", err
	}
	sum = hex.EncodeToString(h.Sum(nil))
	dir := filepath.Join(c.cfg.CopyDir, sum)
	copied = filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", err
	}
	return copied, sum, os.Rename(tmp.Name(), copied)
}
