//go:build unix

package catalog

import (
	"fmt"
	"os"
	"syscall"
)

// distrust says why a file or folder must not be trusted: another owner, or writable by others.
func distrust(path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return err.Error()
	}
	return distrustInfo(info)
}

// distrustInfo is distrust of a file that is open.
func distrustInfo(info os.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Getuid() && st.Uid != 0 {
		return fmt.Sprintf("belongs to another user (uid %d)", st.Uid)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Sprintf("can be written by others (mode %04o)", info.Mode().Perm())
	}
	return ""
}
