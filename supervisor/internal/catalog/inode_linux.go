package catalog

import (
	"io/fs"
	"syscall"
)

// inodeOf gives a file's identity, and when its content or mode last changed in unix
// nanoseconds; unlike the time of its content that one cannot be set back.
func inodeOf(info fs.FileInfo) (dev, ino uint64, ctimeNS int64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, 0
	}
	return st.Dev, st.Ino, st.Ctim.Nano()
}
