package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// beforeHandshake does what is to go wrong before the supervisor has heard anything.
func (w *worker) beforeHandshake() {
	switch w.fault().Handshake {
	case "never":
		w.lastWord("the handshake never comes")
		<-make(chan struct{})
	case "text":
		fmt.Println("Usage: some other program [options]")
		os.Exit(0)
	case "contract":
		fmt.Println("1|9|unix|/nonexistent|grpc|")
		<-make(chan struct{})
	case "exit":
		w.lastWord("giving up before the handshake")
		os.Exit(7)
	}
}

// lastWord goes past go-plugin, which would lose it when the process dies at once.
func (w *worker) lastWord(s string) { _, _ = fmt.Fprintln(w.stderr, s) }

// die ends the process in one of several ways.
func (w *worker) die(how string) {
	w.flood(w.fault().FloodBytes)
	if code, ok := strings.CutPrefix(how, "exit:"); ok {
		n, err := strconv.Atoi(code)
		if err != nil {
			n = 1
		}
		w.lastWord("exiting with code " + strconv.Itoa(n))
		os.Exit(n)
	}
	switch how {
	case "panic":
		// In a goroutine that nobody recovers, as in a library.
		go func() { panic("fault on command") }()
		<-make(chan struct{})
	case "stack":
		debug.SetMaxStack(8 << 20) // the default of 1 GB takes too long
		fmt.Println(descend(1))
	case "abort":
		signalSelf(syscall.SIGABRT)
	case "segv":
		signalSelf(syscall.SIGSEGV)
	default:
		signalSelf(syscall.SIGKILL)
	}
}

func signalSelf(s syscall.Signal) {
	_ = syscall.Kill(os.Getpid(), s)
	<-make(chan struct{})
}

// descend has no end but that of the stack.
func descend(n int) int {
	var ballast [1 << 10]byte
	ballast[n%len(ballast)] = byte(n)
	return descend(n+1) + int(ballast[(n+1)%len(ballast)]) //nolint:staticcheck // without an end on purpose
}

// flood writes at least n bytes of whole lines to the real stderr.
func (w *worker) flood(n int) {
	line := append(bytes.Repeat([]byte("flood "), 20), '\n')
	chunk := bytes.Repeat(line, 64)
	for n > 0 {
		m, err := w.stderr.Write(chunk)
		if err != nil {
			return
		}
		n -= m
	}
}

// leak grows by so much a second until the process ends.
func (w *worker) leak(mbPerS int) {
	const steps = 10
	tick := time.NewTicker(time.Second / steps)
	defer tick.Stop()
	for range tick.C {
		block := make([]byte, mbPerS<<20/steps)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1 // touched, so that it is resident
		}
		w.mu.Lock()
		w.leaked = append(w.leaked, block)
		w.mu.Unlock()
	}
}

// children starts sleepers in this process's group and notes their pids.
func (w *worker) children(n int) {
	var pids []string
	for range n {
		c := exec.Command("sleep", "600")      //nolint:noctx // they must outlive every context
		c.SysProcAttr = &syscall.SysProcAttr{} // no parent-death signal: they outlive their parent
		if err := c.Start(); err != nil {
			w.lastWord("start a child: " + err.Error())
			continue
		}
		pids = append(pids, strconv.Itoa(c.Process.Pid))
	}
	_ = os.WriteFile(filepath.Join(w.stateDir, "children"), []byte(strings.Join(pids, "\n")), 0o600)
}
