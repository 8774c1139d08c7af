//go:build unix

package logfile

import (
	"os"
	"syscall"
)

// ownDir reports whether a path is a real directory of ours.
func ownDir(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}
