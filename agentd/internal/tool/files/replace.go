package files

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// replace makes content the whole of a file. It is replaced in one step, so that a crash
// leaves the old file or the new one and never a half; its permissions stay. A symbolic
// link is followed. Where that would take the file from its owner, from its other names
// or is not possible at all, it is written in place.
func replace(path string, content []byte) error {
	path, err := follow(path)
	if err != nil {
		return err
	}
	mode, inPlace := fs.FileMode(0o644), false
	info, err := os.Stat(path)
	switch {
	case err == nil:
		if mode, err = writable(info); err != nil {
			return err
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			inPlace = s.Nlink > 1 || int(s.Uid) != os.Geteuid()
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if inPlace {
		return os.WriteFile(path, content, mode)
	}
	fresh := filepath.Join(filepath.Dir(path), ".openclaw-"+rand.Text())
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil { // the folder lets nobody add a file
		return os.WriteFile(path, content, mode)
	}
	err = fill(f, content)
	if err == nil && info != nil {
		err = os.Chmod(fresh, mode) // whatever the process's mask took away
	}
	if err == nil {
		if err = os.Rename(fresh, path); err == nil {
			return nil
		}
		if errors.Is(err, syscall.EBUSY) { // the file is a mount of its own
			err = os.WriteFile(path, content, mode)
		}
	}
	return errors.Join(err, os.Remove(fresh))
}

// writable gives the permissions of a file that may be written.
func writable(info fs.FileInfo) (fs.FileMode, error) {
	mode := info.Mode()
	if !mode.IsRegular() {
		return 0, errors.New("it is not a regular file")
	}
	if mode&0o200 == 0 {
		return 0, errors.New("it is write-protected")
	}
	return mode.Perm(), nil
}

// follow gives the file that a path stands for, which need not be there yet.
func follow(path string) (string, error) {
	for range 40 {
		target, err := os.Readlink(path)
		if err != nil { // no link, or nothing
			return path, nil //nolint:nilerr // then the path stands for itself
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return "", errors.New("too many symbolic links")
}

// fill writes a new file and closes it.
func fill(f *os.File, content []byte) error {
	_, err := f.Write(content)
	return errors.Join(err, f.Close())
}
