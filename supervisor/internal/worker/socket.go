package worker

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// maxSocketDir bounds the private directory's path in bytes: a Unix socket's path holds
// 103 and its end at the least, a life's directory takes 14 and go-plugin's two names below it 38.
const maxSocketDir = 103 - 14 - 38

// youngDir is the age below which a directory without a held lock may still be
// another supervisor's that is just starting.
const youngDir = 10 * time.Second

var socketDirName = regexp.MustCompile(`^openclaw-[0-9a-f]{8}$`)

// sockets is the private directory of one supervisor, with a lock that marks it as living.
type sockets struct {
	dir  string
	lock *flock.Flock
}

// socketRoot is where such directories lie.
func socketRoot() (string, error) {
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" && filepath.IsAbs(d) && len(d) <= maxSocketDir-len("/openclaw-12345678") {
		if ownedPrivately(d) == nil {
			return d, nil
		}
	}
	d := filepath.Join("/tmp", "openclaw-"+strconv.Itoa(os.Getuid()))
	if err := os.Mkdir(d, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make socket directory: %w", err)
	}
	if err := ownedPrivately(d); err != nil {
		return "", err
	}
	return d, nil
}

// ownedPrivately checks that d is a directory, no link, of ours, and closed to others.
func ownedPrivately(d string) error {
	fi, err := os.Lstat(d)
	if err != nil {
		return fmt.Errorf("check socket directory: %w", err)
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	switch {
	case !fi.IsDir():
		return fmt.Errorf("check socket directory: %s is not a directory", d)
	case ok && int(st.Uid) != os.Getuid():
		return fmt.Errorf("check socket directory: %s belongs to user %d", d, st.Uid)
	case fi.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("check socket directory: %s is open to others (mode %#o): chmod 700 it", d, fi.Mode().Perm())
	}
	return nil
}

// openSockets makes the private directory below root, or in the usual place, and sweeps
// those of supervisors that are no more.
func openSockets(root string, logger *slog.Logger) (*sockets, error) {
	if root == "" {
		var err error
		if root, err = socketRoot(); err != nil {
			return nil, err
		}
	} else if err := ownedPrivately(root); err != nil {
		return nil, err
	}
	sweepSockets(root, logger)
	for range 3 {
		s, err := makeSockets(root)
		if err != nil || s != nil {
			return s, err
		}
	}
	return nil, fmt.Errorf("make socket directory: others take the locks below %s", root)
}

// makeSockets gives nil where another supervisor has swept the directory before its lock was taken.
func makeSockets(root string) (*sockets, error) {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	dir := filepath.Join(root, "openclaw-"+hex.EncodeToString(id[:]))
	if len(dir) > maxSocketDir {
		return nil, fmt.Errorf("make socket directory: %s is too long for a socket's path", root)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make socket directory: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && !ok:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("lock socket directory: %w", err)
	}
	return &sockets{dir: dir, lock: lock}, nil
}

// sweepSockets removes the directories whose lock nobody holds.
func sweepSockets(root string, logger *slog.Logger) {
	entries, err := os.ReadDir(root)
	if err != nil {
		logger.Warn("old socket directories not swept", keyPath, root, keyError, err)
		return
	}
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		fi, err := e.Info()
		if err != nil || !fi.IsDir() || !socketDirName.MatchString(e.Name()) || ownedPrivately(dir) != nil {
			continue
		}
		lock := flock.New(filepath.Join(dir, "lock"), flock.SetFlag(os.O_RDONLY))
		ok, err := lock.TryLock()
		_ = lock.Close()
		if errors.Is(err, os.ErrNotExist) {
			ok = time.Since(fi.ModTime()) > youngDir
		} else if err != nil {
			continue
		}
		if !ok {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			logger.Warn("old socket directory not swept", keyPath, dir, keyError, err)
			continue
		}
		logger.Info("swept the socket directory of a dead supervisor", keyPath, dir)
	}
}

func (s *sockets) close() {
	_ = os.RemoveAll(s.dir)
	_ = s.lock.Close()
}
