package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// How long what listens on a port is given to end: politely, then altogether.
const (
	forcePolite = 700 * time.Millisecond
	forceTotal  = 2 * time.Second
	forcePoll   = 100 * time.Millisecond
)

// freePort ends every process that listens on a TCP port: SIGTERM, and after a moment SIGKILL.
func (t *tool) freePort(port int) error {
	owners, err := listeners(t.ctx, port)
	if err != nil {
		return err
	}
	began, killed := time.Now(), false
	for _, owner := range owners {
		t.note("--force: ending %s on port %d", owner, port)
		notify(owner.pid, syscall.SIGTERM)
	}
	ticker := time.NewTicker(forcePoll)
	defer ticker.Stop()
	for len(owners) > 0 {
		select {
		case <-t.ctx.Done():
			return errSilent
		case <-ticker.C:
		}
		if owners, err = listeners(t.ctx, port); err != nil {
			return err
		}
		if !killed && time.Since(began) > forcePolite {
			killed = true
			for _, owner := range owners {
				t.note("--force: killing %s", owner)
				notify(owner.pid, syscall.SIGKILL)
			}
		}
		if len(owners) > 0 && time.Since(began) > forceTotal {
			return fail("end it yourself, or choose another --port", "port %d is still held by %s", port, owners[0])
		}
	}
	return nil
}

func notify(pid int, s os.Signal) {
	if process, err := os.FindProcess(pid); err == nil {
		_ = process.Signal(s)
	}
}

// listeners finds the processes that listen on a TCP port, as far as this user may see them.
func listeners(ctx context.Context, port int) ([]portOwner, error) {
	if runtime.GOOS == "linux" {
		return listenersOfProc("/proc", port)
	}
	output, err := exec.CommandContext(ctx, "lsof", "-nP", "-iTCP:"+strconv.Itoa(port), "-sTCP:LISTEN", "-t").Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fail("install it, or end the process yourself", "--force needs lsof")
	}
	var owners []portOwner
	for word := range strings.FieldsSeq(string(output)) {
		if pid, err := strconv.Atoi(word); err == nil {
			owners = append(owners, portOwner{pid: pid})
		}
	}
	return owners, nil
}

// listenersOfProc reads the sockets that listen, and who has them open.
func listenersOfProc(proc string, port int) ([]portOwner, error) {
	wanted := map[string]bool{}
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		data, err := os.ReadFile(filepath.Join(proc, name))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			fields := strings.Fields(line)
			// Local address, state 0A (listening), inode.
			if len(fields) > 9 && fields[3] == "0A" && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
				wanted["socket:["+fields[9]+"]"] = true
			}
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	descriptors, err := filepath.Glob(filepath.Join(proc, "[0-9]*/fd/*"))
	if err != nil {
		return nil, err
	}
	var owners []portOwner
	seen := map[int]bool{os.Getpid(): true}
	for _, fd := range descriptors {
		link, err := os.Readlink(fd)
		if err != nil || !wanted[link] {
			continue
		}
		dir := filepath.Dir(filepath.Dir(fd))
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || seen[pid] {
			continue
		}
		seen[pid] = true
		comm, _ := os.ReadFile(filepath.Join(dir, "comm"))
		owners = append(owners, portOwner{pid, strings.TrimSpace(string(comm))})
	}
	if len(owners) == 0 {
		return nil, fail("end it yourself, or choose another --port", "port %d is held by a process of another user", port)
	}
	return owners, nil
}
