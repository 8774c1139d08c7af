package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEveryDeathIsNamedAndFollowedByALife lets one worker die in each way while another
// goes on.
func TestEveryDeathIsNamedAndFollowedByALife(t *testing.T) {
	cases := []struct {
		crash string
		want  Exit
		words string
	}{
		{"exit:0", Exit{Kind: ExitEnded}, "exiting with code 0"},
		{"exit:3", Exit{Kind: ExitFailed, Code: 3}, "exiting with code 3"},
		{"panic", Exit{Kind: ExitPanic, Code: 2}, "panic: fault on command"},
		{"stack", Exit{Kind: ExitPanic, Code: 2}, "goroutine stack exceeds"},
		{"abort", Exit{Kind: ExitFailed, Code: 2}, "SIGABRT"},
		{"kill", Exit{Kind: ExitSignal, Code: -1, Signal: "SIGKILL"}, ""},
	}
	b := runPool(t, Config{Policy: quick()})
	specs := []Spec{b.fault("bystander", nil)}
	for i, c := range cases {
		specs = append(specs, b.fault(fmt.Sprint("victim", i), map[string]any{"lives": 1, "crash": c.crash, "crashAfterMs": 20}))
	}
	b.apply(specs...)
	for i, c := range cases {
		id := fmt.Sprint("victim", i)
		dead, n := b.sink.awaitEvent(t, 0, "death by "+c.crash, func(e Event) bool { return e.Worker == id && e.Exit != nil })
		got := *dead.Exit
		got.AtMS = 0
		if got != c.want {
			t.Errorf("%s: exit is %+v, want %+v", c.crash, got, c.want)
		}
		if dead.Restarts != 1 {
			t.Errorf("%s: restart number is %d, want 1", c.crash, dead.Restarts)
		}
		if c.words != "" && !strings.Contains(strings.Join(dead.LastWords, "\n"), c.words) {
			t.Errorf("%s: last words lack %q: %q", c.crash, c.words, dead.LastWords)
		}
		if len(dead.LastWords) > DefaultPolicy().LastWords {
			t.Errorf("%s: %d last words", c.crash, len(dead.LastWords))
		}
		b.sink.awaitEvent(t, n, "a life after "+c.crash, is(id, Running))
	}
	if s, err := b.Status("bystander"); err != nil || s.Restarts != 0 || s.State != Running {
		t.Errorf("the bystander is %s with %d restarts (%v)", s.State, s.Restarts, err)
	}
}

func TestAWorkerThatDiesAgainAndAgainIsTriedForEver(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	const deaths = 7
	b.apply(b.fault("a", map[string]any{"lives": deaths, "configure": "crash", "crash": "exit:4"}))
	shown, _ := b.sink.awaitEvent(t, 0, "backing off", func(e Event) bool { return e.Condition != nil && e.Condition.Code == CodeBackingOff })
	if !strings.Contains(shown.Condition.Text, fmt.Sprintf("failed %d times", DefaultPolicy().QuickFailures)) {
		t.Errorf("it is shown as %q", shown.Condition.Text)
	}
	up, _ := b.sink.awaitEvent(t, 0, "running in the end", is("a", Running))
	if up.Restarts != deaths {
		t.Errorf("running after %d restarts, want %d", up.Restarts, deaths)
	}
	if up.Condition != nil {
		t.Errorf("it still has the condition %+v", up.Condition)
	}
}

// TestAStoppedProcessIsFoundOut stops a process, which keeps all its sockets open.
func TestAStoppedProcessIsFoundOut(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	b.apply(b.fault("a", nil))
	up, n := b.sink.awaitEvent(t, 0, "running", is("a", Running))
	if err := syscall.Kill(up.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	dead, n := b.sink.awaitEvent(t, n, "the end", func(e Event) bool { return e.Exit != nil })
	if dead.Exit.Kind != ExitStalled {
		t.Errorf("exit is %s, want %s", dead.Exit, ExitStalled)
	}
	if !strings.Contains(strings.Join(dead.LastWords, "\n"), "goroutine ") {
		t.Errorf("no dump of goroutines in the last words: %q", dead.LastWords)
	}
	awaitDead(t, time.Second, up.PID)
	b.sink.awaitEvent(t, n, "running again", is("a", Running))
}

func TestAHangInHealthIsFoundOut(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	b.apply(b.fault("a", map[string]any{"lives": 1, "health": "hang"}))
	dead, n := b.sink.awaitEvent(t, 0, "the end", func(e Event) bool { return e.Exit != nil })
	if dead.Exit.Kind != ExitStalled || dead.Condition == nil || dead.Condition.Code != CodeStalled {
		t.Errorf("event is %s", describe([]Event{dead}))
	}
	b.sink.awaitEvent(t, n, "running again", is("a", Running))
}

func TestAFloodCostsNoMemoryAndLeavesLastWords(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	b.apply(b.fault("quiet", nil))
	b.sink.awaitEvent(t, 0, "quiet running", is("quiet", Running))
	before := heap()
	b.apply(b.fault("quiet", nil), b.fault("a", map[string]any{"lives": 1, "crash": "exit:5", "floodBytes": 10 << 20}))
	dead, n := b.sink.awaitEvent(t, 0, "the end", func(e Event) bool { return e.Exit != nil })
	if dead.Exit.Kind != ExitFailed || dead.Exit.Code != 5 {
		t.Errorf("exit is %s", dead.Exit)
	}
	if len(dead.LastWords) != DefaultPolicy().LastWords || dead.LastWords[len(dead.LastWords)-1] != "exiting with code 5" {
		t.Errorf("%d last words, the last one %q", len(dead.LastWords), dead.LastWords[max(0, len(dead.LastWords)-1):])
	}
	b.sink.awaitEvent(t, n, "running again", is("a", Running))
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("the flood cost %d KiB", grown>>10)
	}
}

// heap is the memory in use after a collection.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestALeakCostsOneWorker(t *testing.T) {
	p := quick()
	p.MemoryLimit = 64 << 20
	b := runPool(t, Config{Policy: p})
	b.apply(b.fault("a", map[string]any{"lives": 1, "leakMbPerS": 300}), b.fault("b", nil))
	dead, n := b.sink.awaitEvent(t, 0, "the end", func(e Event) bool { return e.Exit != nil })
	if dead.Worker != "a" || dead.Exit.Kind != ExitMemory || dead.Condition == nil || dead.Condition.Code != CodeMemory {
		t.Errorf("event is %s", describe([]Event{dead}))
	}
	b.sink.awaitEvent(t, n, "running again", is("a", Running))
	if s, _ := b.Status("b"); s.Restarts != 0 {
		t.Errorf("the other worker was restarted %d times", s.Restarts)
	}
}

// TestAWorkersChildrenEndWithIt shows that the process group goes with its leader.
func TestAWorkersChildrenEndWithIt(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	b.apply(b.fault("a", map[string]any{"lives": 1, "children": 2, "crash": "kill", "crashAfterMs": 50}))
	b.sink.awaitEvent(t, 0, "the end", func(e Event) bool { return e.Exit != nil })
	raw, err := os.ReadFile(filepath.Join(b.dir, "a", "children"))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, s := range strings.Fields(string(raw)) {
		pid, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) != 2 {
		t.Fatalf("the worker had %d children", len(pids))
	}
	awaitDead(t, 2*time.Second, pids...)
}

// TestManyDeathsLeaveNothingBehind compares descriptors and goroutines over forty lives.
func TestManyDeathsLeaveNothingBehind(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("descriptors are counted in /proc")
	}
	p := quick()
	p.BackoffFirst, p.BackoffMax = time.Millisecond, time.Millisecond
	b := runPool(t, Config{Policy: p})
	b.apply(b.fault("a", nil))
	up, n := b.sink.awaitEvent(t, 0, "running", is("a", Running))
	die := func() {
		if err := syscall.Kill(up.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_, n = b.sink.awaitEvent(t, n, "the death", func(e Event) bool { return e.Exit != nil })
		up, n = b.sink.awaitEvent(t, n, "running again", is("a", Running))
	}
	for range 3 {
		die()
	}
	files, routines := openFiles(t), runtime.NumGoroutine()
	for range 40 {
		die()
	}
	const slack = 3 // what is just going away
	if now := openFiles(t); now > files+slack {
		t.Errorf("%d open files, %d before", now, files)
	}
	if now := runtime.NumGoroutine(); now > routines+slack {
		t.Errorf("%d goroutines, %d before", now, routines)
	}
	left, err := filepath.Glob(filepath.Join(b.sockets, "*", "*-a"))
	if err != nil || len(left) != 1 {
		t.Errorf("socket directories of dead processes: %v, %v", left, err)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
