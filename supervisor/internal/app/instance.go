package app

import (
	"context"
	"crypto/sha1" //nolint:gosec // the name of the lock file is the reference's, and no secret
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// instanceWait is how long a start waits for another instance with the same configuration to end (spec: single instance).
const (
	instanceWait = 5 * time.Second
	instancePoll = 100 * time.Millisecond
)

// instance is the one-instance lock of a configuration. The kernel releases it with
// the process; what stands in the file is only for the message.
type instance struct {
	lock *flock.Flock
}

type instanceNote struct {
	PID        int    `json:"pid"`
	CreatedAt  string `json:"createdAt"`
	ConfigPath string `json:"configPath"`
}

// lockInstance takes the lock of configPath, or says who has it.
func lockInstance(ctx context.Context, configPath string) (*instance, error) {
	dir := filepath.Join("/tmp", fmt.Sprintf("openclaw-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the lock folder: %w", err)
	}
	sum := sha1.Sum([]byte(configPath)) //nolint:gosec // see the import
	path := filepath.Join(dir, "gateway."+hex.EncodeToString(sum[:])[:8]+".lock")
	l := flock.New(path, flock.SetPermissions(0o600))
	wait, cancel := context.WithTimeout(ctx, instanceWait)
	defer cancel()
	if ok, err := l.TryLockContext(wait, instancePoll); !ok {
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return nil, fmt.Errorf("gateway already running (pid %s); lock timeout after %dms", holder(path), instanceWait.Milliseconds())
	}
	note, err := json.Marshal(instanceNote{PID: os.Getpid(), CreatedAt: time.Now().UTC().Format(time.RFC3339), ConfigPath: configPath})
	if err == nil {
		err = os.WriteFile(path, append(note, '\n'), 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), l.Unlock())
	}
	return &instance{lock: l}, nil
}

func holder(path string) string {
	var note instanceNote
	raw, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(raw, &note) != nil || note.PID == 0 {
		return "unknown"
	}
	return fmt.Sprint(note.PID)
}

func (i *instance) release() error { return i.lock.Unlock() }
