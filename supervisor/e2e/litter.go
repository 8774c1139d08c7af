package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// orphanLimit is how long something of ours may live on after its supervisor was killed.
const orphanLimit = 2 * time.Second

// living is a process that belongs to an Env.
type living struct {
	PID     int
	Command string
}

// Living lists the processes that belong to this Env: those whose environment or
// executable names its root. Zombies count as gone, the command line in CLI does not occur.
func (e *Env) Living() []living {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var list []living
	root := []byte(e.Root)
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		dir := filepath.Join("/proc", entry.Name())
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		command, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if !bytes.Contains(environ, root) && !bytes.Contains(command, root) || zombie(dir) {
			continue
		}
		list = append(list, living{PID: pid, Command: strings.TrimSpace(strings.ReplaceAll(string(command), "\x00", " "))})
	}
	return list
}

// zombie tells whether a process has ended, and only waits to be reaped.
func zombie(dir string) bool {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return true
	}
	_, rest, ok := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ")
	return !ok || strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
}

// ExpectGoneBy fails where something of this Env lives on after orphanLimit from a moment.
func (e *Env) ExpectGoneBy(killed time.Time) {
	e.t.Helper()
	ctx, cancel := context.WithDeadline(e.t.Context(), killed.Add(orphanLimit))
	defer cancel()
	err := await(ctx, func() error {
		if list := e.Living(); len(list) > 0 {
			return fmt.Errorf("%+v", list)
		}
		return nil
	})
	if err != nil {
		e.t.Errorf("%s after the supervisor was killed there lives: %v", orphanLimit, err)
	}
}

// checkNothingLives ends, and complains about, what the supervisor has left behind.
func (e *Env) checkNothingLives() {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), orphanLimit)
	defer cancel()
	err := await(ctx, func() error {
		if list := e.Living(); len(list) > 0 {
			return fmt.Errorf("%+v", list)
		}
		return nil
	})
	if err == nil {
		return
	}
	e.t.Errorf("a process outlived its supervisor: %v", err)
	for _, l := range e.Living() {
		if p, err := os.FindProcess(l.PID); err == nil {
			_ = p.Kill()
		}
	}
}

// mayHold are the places of an Env that are not the state directory and that something of ours writes to.
func (e *Env) mayHold(path string) bool {
	rel, err := filepath.Rel(e.Root, path)
	if err != nil {
		return false
	}
	top, _, _ := strings.Cut(rel, string(filepath.Separator))
	return slices.Contains([]string{"state", "client", "bin"}, top) || strings.HasPrefix(rel, "supervisor-") || top == "run" && !e.clean
}

// checkLitter complains about files that were written outside the state directory. Sockets
// may be left by a supervisor that was killed; after a clean stop there are none.
func (e *Env) checkLitter() {
	e.t.Helper()
	seen := 0
	err := filepath.WalkDir(e.Root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if seen++; seen > 10_000 {
			return fs.SkipAll
		}
		if d.IsDir() && (path == e.State || path != e.Root && e.mayHold(path)) {
			return fs.SkipDir
		}
		if !d.IsDir() && !e.mayHold(path) {
			e.t.Errorf("written outside the state directory: %s", path)
		}
		return nil
	})
	if err != nil {
		e.t.Error(err)
	}
}

// breakdowns are texts that no log of ours may hold.
var breakdowns = []string{"panic: ", "DATA RACE", "fatal error: ", "goroutine leak"}

// checkOutput complains about breakdowns in what the supervisor printed and logged.
func (e *Env) checkOutput() {
	e.t.Helper()
	for _, name := range e.outputs() {
		text := readFile(name)
		for line := range strings.Lines(text) {
			if !containsAny(line, breakdowns) || containsAny(line, e.Tolerated) {
				continue
			}
			e.t.Errorf("%s: %s", filepath.Base(name), strings.TrimSpace(line))
		}
	}
}

func containsAny(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(text, p) })
}

// outputs are the files with what the supervisors printed and logged.
func (e *Env) outputs() []string {
	names, _ := filepath.Glob(e.dir("supervisor-*.out"))
	if _, err := os.Stat(e.LogFile()); err == nil {
		names = append(names, e.LogFile())
	}
	return names
}

// dump shows the end of everything that was logged.
func (e *Env) dump() {
	for _, name := range e.outputs() {
		text := readFile(name)
		const most = 12 << 10
		if len(text) > most {
			text = "…" + text[len(text)-most:]
		}
		e.t.Logf("--- %s\n%s", filepath.Base(name), text)
	}
}
