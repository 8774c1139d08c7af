package transcript

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockWait is how long a writer waits for another one to let go.
const lockWait = 10 * time.Second

// lockPoll is the pause between two tries; flock has no wait that ends with a context.
const lockPoll = 5 * time.Millisecond

// ErrLocked says that another process or run is writing the same transcript.
var ErrLocked = errors.New("transcript is being written by another run")

// lock takes the kernel lock beside a transcript. It dies with its holder: what
// counts is the lock, never that the file exists.
func lock(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open transcript lock: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lockWait, ErrLocked)
	defer cancel()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock transcript: %w", err)
		}
		timer := time.NewTimer(lockPoll)
		select {
		case <-ctx.Done():
			timer.Stop()
			_ = f.Close()
			return nil, fmt.Errorf("lock transcript: %w", context.Cause(ctx))
		case <-timer.C:
		}
	}
}
