package e2e

import "syscall"

// sysProcAttr puts a process into a group of its own, so that a signal to the test is
// not one to it, and into new namespaces where some are asked for.
func sysProcAttr(clones uintptr) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Cloneflags: clones}
}
