package journal

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// A child process takes a message to a point of its way and kills itself there; the test
// opens what it left. The points before a commit are inside its function, those after it in its callback.
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

func crashChild(point, path string) int {
	db, err := open(context.Background(), Config{Path: path, Log: quiet()}, migrations)
	if err != nil {
		return 3
	}
	step := func(name string, fn func(*Tx) error) {
		err = errors.Join(err, db.Update(context.Background(), func(tx *Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			if point == "before "+name {
				die()
			}
			return nil
		}))
		if point == "after "+name {
			die()
		}
	}
	var id int64
	step("T1", func(tx *Tx) (err error) {
		if id, _, err = tx.InsertInbox(crashRow); err != nil {
			return err
		}
		return tx.PutCursor(CursorRow{Channel: "net", Account: "default", Name: "offset", Value: "7"})
	})
	step("T2", func(tx *Tx) error {
		run := RunRow{RunID: "run", SessionKey: "s", AgentID: "main", Source: SourceChannel, State: RunRunning, Inputs: []byte("frozen")}
		return errors.Join(tx.InsertRun(run), tx.SetInboxState([]int64{id}, InboxRunning, "run", ""))
	})
	step("T3", func(tx *Tx) error { _, _, err := tx.BeginRunCall("run", "call", "send"); return err })
	step("T3'", func(tx *Tx) error { return tx.FinishRunCall("run", "call", []byte("answer")) })
	step("T5", func(tx *Tx) error {
		_, _, insertErr := tx.InsertOutbox(OutboxRow{DeliveryID: "D", RunID: "run", Part: "1", Channel: "net", Account: "default", Conversation: "c", ExpiresMS: 1 << 60})
		return errors.Join(insertErr, tx.EndRun("run", RunFinished, []byte("result"), ""),
			tx.PutSession(SessionRow{SessionKey: "s", AgentID: "main", SessionID: "i", Entry: []byte("{}")}),
			tx.SetInboxState([]int64{id}, InboxDone, "run", ""))
	})
	if err != nil {
		return 4
	}
	return 0
}

var crashRow = InboxRow{Channel: "net", Account: "default", EventKey: "m:1", Kind: InboxMessage, Conversation: "c", Body: []byte("body")}

func TestAKillAtEachPoint(t *testing.T) {
	// What each point leaves: the states in the order inbox, run, call, outbox; "-" = no row.
	for point, want := range map[string]string{
		"before T1":  "- - - -",
		"after T1":   "new - - -",
		"before T2":  "new - - -",
		"after T2":   "running running - -",
		"before T3":  "running running - -",
		"after T3":   "running running begun -",
		"before T3'": "running running begun -",
		"after T3'":  "running running done -",
		"before T5":  "running running done -",
		"after T5":   "done finished done queued",
	} {
		t.Run(point, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			child := exec.CommandContext(t.Context(), os.Args[0])
			child.Env = append(os.Environ(), crashPoint+"="+point, crashPath+"="+path)
			out, err := child.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the child ended with %v, want SIGKILL: %s", err, out)
			}
			db := openAt(t, path, nil) // its lock died with it
			if db.CleanStop() {
				t.Error("a kill was taken for a clean stop")
			}
			view(t, db, func(tx *Tx) error {
				if got := crashStates(t, tx); got != want {
					t.Errorf("left %q, want %q", got, want)
				}
				cursors, err := tx.ListCursors("net", "default")
				if (len(cursors) == 1) != (point != "before T1") {
					t.Errorf("cursors: %v", cursors)
				}
				return err
			})
			// The network delivers again; the run is not made twice.
			update(t, db, func(tx *Tx) error {
				_, inserted, err := tx.InsertInbox(crashRow)
				if inserted != (point == "before T1") {
					t.Errorf("a redelivery was taken for new: %v", inserted)
				}
				return err
			})
		})
	}
}

func crashStates(t *testing.T, tx *Tx) string {
	t.Helper()
	state := func(s string, err error) string {
		if errors.Is(err, ErrNotFound) {
			return "-"
		}
		if err != nil {
			t.Error(err)
		}
		return s
	}
	inbox, err := tx.GetInbox(1)
	states := []string{state(string(inbox.State), err)}
	run, err := tx.GetRun("run")
	states = append(states, state(string(run.State), err))
	call, err := tx.GetRunCall("run", "call")
	states = append(states, state(string(call.State), err))
	delivery, err := tx.GetOutbox(message.DeliveryID("D"))
	return strings.Join(append(states, state(string(delivery.State), err)), " ")
}
