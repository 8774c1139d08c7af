package inbox_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/inbox"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

const (
	crashPoint = "OPENCLAW_TEST_CRASH_POINT"
	crashPath  = "OPENCLAW_TEST_CRASH_PATH"
)

func TestMain(m *testing.M) {
	if point := os.Getenv(crashPoint); point != "" {
		os.Exit(crashChild(point, os.Getenv(crashPath)))
	}
	os.Exit(m.Run())
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way
}

// crashChild takes one event over and kills itself at a point.
func crashChild(point, path string) int {
	db, err := journal.Open(context.Background(), journal.Config{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 3
	}
	box := inbox.New(inbox.Config{DB: db, Log: slog.New(slog.DiscardHandler), Notify: func(journal.InboxRow) {
		if point == "notified" {
			die()
		}
	}})
	if point == "received" {
		die()
	}
	go func() { _ = box.Run(context.Background()) }()
	box.Store("net", inbound(1, "default", "m:1", "hello"), func(plugin.Ack) {
		if point == "stored" { // on disk; the acknowledgement never leaves
			die()
		}
	})
	<-time.After(patience)
	return 4
}

func TestAKillAtEachStepOfTakingOver(t *testing.T) {
	for point, known := range map[string]bool{"received": false, "stored": true, "notified": true} {
		t.Run(point, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			child := exec.CommandContext(t.Context(), os.Args[0])
			child.Env = append(os.Environ(), crashPoint+"="+point, crashPath+"="+path)
			out, err := child.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the child ended with %v, want SIGKILL: %s", err, out)
			}
			db, err := journal.Open(t.Context(), journal.Config{Path: path, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			box := inbox.New(inbox.Config{DB: db, Log: slog.New(slog.DiscardHandler)})
			pending, err := box.Pending(t.Context())
			if err != nil || (len(pending) == 1) != known {
				t.Errorf("pending after the kill: %d rows, %v; known: %v", len(pending), err, known)
			}
			// What was not acknowledged is delivered again, and is there once.
			acks := make(chan plugin.Ack, 1)
			box.Store("net", inbound(1, "default", "m:1", "hello"), func(a plugin.Ack) { acks <- a })
			want := plugin.Stored
			if known {
				want = plugin.Duplicate
			}
			if got := <-acks; got.Code != want {
				t.Errorf("redelivery: got %v, want %v", got.Code, want)
			}
			if pending, err = box.Pending(t.Context()); err != nil || len(pending) != 1 {
				t.Errorf("pending in the end: %d rows, %v; want 1", len(pending), err)
			}
		})
	}
}
