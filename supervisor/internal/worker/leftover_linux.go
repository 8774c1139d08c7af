package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// leftoverTimeout bounds the wait for one leftover to be gone.
const leftoverTimeout = 2 * time.Second

// endLeftovers ends the processes of a former life of this supervisor that still live,
// and gives the records without them. A process that is not the recorded one by pid, start time and executable is
// a stranger and is left alone.
func endLeftovers(ctx context.Context, records []Record, save *recorder, logger *slog.Logger) []Record {
	for i := range records {
		r := &records[i]
		if r.PID == 0 {
			continue
		}
		ours, err := endLeftover(ctx, *r)
		switch {
		case err != nil:
			logger.Warn("leftover of a former life not ended", keyWorker, r.ID, keyPID, r.PID, keyError, err)
		case ours:
			logger.Info("ended the leftover of a former life", keyWorker, r.ID, keyPID, r.PID)
		default:
			logger.Debug("no leftover of a former life", keyWorker, r.ID, keyPID, r.PID)
		}
		r.PID, r.StartTicks, r.Executable = 0, 0, ""
		save.save(*r, nil)
	}
	return records
}

// endLeftover reports whether the recorded process lived, and ends it. The process is held by a
// descriptor before it is looked at, so that the one that is signalled is the one that was checked.
func endLeftover(ctx context.Context, r Record) (bool, error) {
	fd, err := unix.PidfdOpen(r.PID, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open process: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if !identical(r) {
		return false, nil
	}
	if group, err := unix.Getpgid(r.PID); err == nil && group == r.PID {
		_ = unix.Kill(-group, unix.SIGKILL)
	}
	if err := unix.PidfdSendSignal(fd, syscall.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return true, fmt.Errorf("end process: %w", err)
	}
	return true, awaitGone(ctx, fd)
}

// identical compares a record with the process that has its pid now.
func identical(r Record) bool {
	ticks, err := startTicks(r.PID)
	if err != nil || r.StartTicks == 0 || ticks != r.StartTicks {
		return false
	}
	return r.Executable != "" && executableOf(r.PID) == r.Executable
}

// awaitGone waits until the process behind a descriptor has ended; a zombie counts.
func awaitGone(ctx context.Context, fd int) error {
	end := time.Now().Add(leftoverTimeout)
	for {
		wait := time.Until(end)
		if wait <= 0 || ctx.Err() != nil {
			return errors.New("it does not end")
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(min(wait, 100*time.Millisecond).Milliseconds())+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for its end: %w", err)
		}
		if n > 0 {
			return nil
		}
	}
}
