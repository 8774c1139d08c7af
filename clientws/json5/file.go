package json5

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"
)

// Backups is how many numbered copies of a file are kept: name.bak is the newest, then name.bak.1 … name.bak.4.
const Backups = 5

// lockPatience is how long [UpdateFile] waits for another writer before it gives up.
const lockPatience = 10 * time.Second

// ErrUnchanged may be returned by the function given to [UpdateFile] to leave the file as it is without an error.
var ErrUnchanged = errors.New("nothing to write")

// UpdateFile changes a file under a kernel lock that every writer of this package takes: it reads the file (nil where
// there is none), lets change make the new text, keeps the old one as a numbered backup and puts the new one in its
// place in one rename. File, backups and lock get mode 0600, a missing directory 0700. A symbolic link is followed, so
// that it stays a link. It waits for another writer until ctx ends, at most ten seconds. Errors of change come back
// unwrapped and leave the file untouched.
func UpdateFile(ctx context.Context, path string, change func(current []byte) ([]byte, error)) error {
	target, err := resolveLink(path)
	if err != nil {
		return fmt.Errorf("resolve %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return fmt.Errorf("make the directory of %s: %w", target, err)
	}
	lock := flock.New(target+".lock", flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("another program is writing %s: %w", target, err)
	}
	defer func() { _ = lock.Close() }()

	current, err := os.ReadFile(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read before writing: %w", err)
	}
	if err != nil {
		current = nil
	} else if current == nil {
		current = []byte{}
	}
	next, err := change(current)
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	if current != nil {
		if string(next) == string(current) {
			return nil
		}
		if err := backUp(target, current); err != nil {
			return err
		}
	}
	return WriteAtomic(target, next)
}

// WriteAtomic writes a file with mode 0600 so that a reader, or a crash, sees the old bytes or the new ones, whole.
func WriteAtomic(path string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	// CreateTemp makes the file 0600.
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	syncDir(filepath.Dir(path))
	return nil
}

// backUp moves the numbered copies one on and keeps the given bytes as the newest.
func backUp(path string, data []byte) error {
	for i := Backups - 1; i > 0; i-- {
		from, to := backupName(path, i-1), backupName(path, i)
		if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("move backup %s: %w", from, err)
		}
		_ = os.Chmod(to, 0o600)
	}
	return WriteAtomic(backupName(path, 0), data)
}

func backupName(path string, i int) string {
	if i == 0 {
		return path + ".bak"
	}
	return path + ".bak." + strconv.Itoa(i)
}

func resolveLink(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		// Nothing there yet, or a link to a file that is yet to be made.
		if link, linkErr := os.Readlink(path); linkErr == nil {
			if !filepath.IsAbs(link) {
				link = filepath.Join(filepath.Dir(path), link)
			}
			return link, nil
		}
		return path, nil
	}
	return resolved, err
}

// syncDir makes a rename durable where the file system offers it; where it does not, the rename itself is what we have.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
