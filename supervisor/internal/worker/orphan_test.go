package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// hostMain is what the test binary does when it is a host: it runs three workers, tells
// their pids and waits to be killed.
func hostMain(dir string) {
	sink := newSink()
	pool := New(Config{Sink: sink, SocketRoot: dir, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	var specs []Spec
	for _, id := range []string{"a", "b", "c"} {
		specs = append(specs, Spec{
			ID: id, Kind: plugin.KindChannel, Path: os.Getenv("OPENCLAW_TEST_FAULTWORKER"), StateDir: filepath.Join(dir, "state-"+id),
			Env: []string{"FAULTWORKER_ID=" + id, os.Getenv("OPENCLAW_TEST_FAULT_" + id)},
			Configure: func(context.Context) (plugin.Configuration, error) {
				return plugin.Configuration{JSON: json.RawMessage(`{}`)}, nil
			},
		})
	}
	if err := pool.Apply(specs); err != nil {
		panic(err)
	}
	go func() {
		told := map[string]bool{}
		for len(told) < len(specs) {
			sink.mu.Lock()
			for _, h := range sink.running {
				if !told[h.ID] {
					told[h.ID] = true
					_, _ = os.Stdout.WriteString(strconv.Itoa(h.PID) + "\n")
				}
			}
			changed := sink.changed
			sink.mu.Unlock()
			if len(told) < len(specs) {
				<-changed
			}
		}
	}()
	_ = pool.Run(context.Background())
}

func TestNoWorkerOutlivesAKilledSupervisor(t *testing.T) {
	dir, err := os.MkdirTemp("", "h")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	host := exec.Command(os.Args[0])
	host.Env = append(os.Environ(), hostFlag+"="+dir, "OPENCLAW_TEST_FAULTWORKER="+faultworker,
		// One ignores every polite request, so that only the parent-death signal ends it.
		`OPENCLAW_TEST_FAULT_a=FAULTWORKER_FAULT={"drain":"hang"}`, "OPENCLAW_TEST_FAULT_b=X=1", "OPENCLAW_TEST_FAULT_c=X=1")
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for sc := bufio.NewScanner(out); len(pids) < 3 && sc.Scan(); {
		pid, err := strconv.Atoi(sc.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) < 3 {
		t.Fatalf("the host told %d pids", len(pids))
	}
	// One that is stopped can answer no lifeline either.
	if err := syscall.Kill(pids[1], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	awaitDead(t, 2*time.Second, pids...)

	// The next supervisor sweeps what the dead one left.
	s, err := openSockets(dir, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "openclaw-") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d socket directories, want the living one alone", n)
	}
}
