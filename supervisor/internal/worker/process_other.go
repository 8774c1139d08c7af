//go:build !linux

package worker

import (
	"errors"
	"syscall"
)

// processAttributes put a child in a process group of its own. Where there is no
// parent-death signal the lifeline on stdin ends the child.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// awaitExit cannot wait without reaping here; the caller's Wait does.
func awaitExit(int) error { return errors.ErrUnsupported }

// startTicks has no source here: processes of a former life are not recognised.
func startTicks(int) (uint64, error) { return 0, errors.ErrUnsupported }

// executableOf has no source here.
func executableOf(int) string { return "" }

// residentBytes has no source here: the memory limit is not watched.
func residentBytes(int) int64 { return 0 }
