//go:build !linux

package e2e

import "syscall"

// sysProcAttr gives the default: namespaces are Linux's.
func sysProcAttr(uintptr) *syscall.SysProcAttr { return nil }
