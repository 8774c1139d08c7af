package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/outbox"
)

// A child process takes a delivery to a point of its way and kills itself there. The
// network is a file: a line in it is a message that was accepted.
const (
	crashPoint = "OPENCLAW_TEST_CRASH_POINT"
	crashDir   = "OPENCLAW_TEST_CRASH_DIR"
)

func TestMain(m *testing.M) {
	if point := os.Getenv(crashPoint); point != "" {
		os.Exit(crashChild(point, os.Getenv(crashDir)))
	}
	goleak.VerifyTestMain(m)
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way
}

// fileNetwork accepts messages into a file, as a network without, or with, names does.
type fileNetwork struct {
	path  string
	named bool
	point string
}

func (n *fileNetwork) accepted() []string {
	data, _ := os.ReadFile(n.path)
	return strings.Fields(string(data))
}

func (n *fileNetwork) Send(_ context.Context, _ string, m message.Outbound, _ []channel.MediaFile) message.SendResult {
	if n.point == "before the network" {
		die()
	}
	for _, id := range n.accepted() {
		if n.named && id == string(m.Delivery) {
			return message.SendResult{Outcome: message.Sent, ID: "again"}
		}
	}
	f, err := os.OpenFile(n.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, m.Delivery)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return message.SendResult{Outcome: message.NotSent, Text: err.Error()}
	}
	if n.point == "after the network" {
		die()
	}
	return message.SendResult{Outcome: message.Sent, ID: "first"}
}

func (n *fileNetwork) Reconcile(context.Context, string, message.DeliveryID, channel.Place, time.Time) (channel.Reconciliation, message.MessageID, error) {
	return channel.CannotTell, "", channel.ErrUnsupported
}

func (n *fileNetwork) Ready(string, message.AccountID) bool { return n.point != "queued" }

func (n *fileNetwork) Caps(string) (plugin.ChannelCaps, bool) {
	if n.named {
		return plugin.ChannelCaps{IdempotentSend: plugin.IdempotentNamed}, true
	}
	return plugin.ChannelCaps{}, true
}

func crashChild(point, dir string) int {
	db, err := journal.Open(context.Background(), journal.Config{Path: filepath.Join(dir, "journal.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 3
	}
	n := &fileNetwork{path: filepath.Join(dir, "network"), point: point}
	ended := make(chan struct{})
	box := outbox.New(outbox.Config{DB: db, Deliverer: n, Log: slog.New(slog.DiscardHandler), Observe: func(r journal.OutboxRow) {
		switch {
		case r.State == journal.OutboxQueued && point == "queued":
			die()
		case r.State == journal.OutboxAttempting && point == "attempting":
			die()
		case r.State == journal.OutboxSent && point == "sent":
			die()
		case r.State.Final():
			close(ended)
		}
	}})
	go func() { _ = box.Run(context.Background()) }()
	err = db.Update(context.Background(), func(tx *journal.Tx) error {
		if _, err := box.Insert(tx, entry("run", "A", "x")); err != nil {
			return err
		}
		if point == "before T5" {
			die()
		}
		return nil
	})
	if err != nil {
		return 4
	}
	select {
	case <-ended:
	case <-time.After(patience):
	}
	return 5
}

func TestAKillAtEachStepOfADelivery(t *testing.T) {
	for _, c := range []struct {
		point     string
		named     bool
		want      journal.OutboxState // in the end, in the next life
		delivered int                 // messages on the network in the end
	}{
		{"before T5", false, "", 0},
		{"queued", false, journal.OutboxSent, 1},
		{"attempting", false, journal.OutboxUnknown, 0},
		{"before the network", false, journal.OutboxUnknown, 0},
		{"after the network", false, journal.OutboxUnknown, 1},
		{"sent", false, journal.OutboxSent, 1},
		{"queued", true, journal.OutboxSent, 1},
		{"attempting", true, journal.OutboxSent, 1},
		{"before the network", true, journal.OutboxSent, 1},
		{"after the network", true, journal.OutboxSent, 1},
		{"sent", true, journal.OutboxSent, 1},
	} {
		t.Run(fmt.Sprintf("%s, named %v", c.point, c.named), func(t *testing.T) {
			dir := t.TempDir()
			child := exec.CommandContext(t.Context(), os.Args[0])
			child.Env = append(os.Environ(), crashPoint+"="+c.point, crashDir+"="+dir)
			out, err := child.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the child ended with %v, want SIGKILL: %s", err, out)
			}
			db, err := journal.Open(t.Context(), journal.Config{Path: filepath.Join(dir, "journal.db"), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			n := &fileNetwork{path: filepath.Join(dir, "network"), named: c.named}
			box := outbox.New(outbox.Config{DB: db, Deliverer: n, Log: slog.New(slog.DiscardHandler)})
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			done := make(chan error, 1)
			go func() { done <- box.Run(ctx) }()
			defer func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}()
			id := outbox.DeliveryID("run", "1", 0)
			row, err := box.Await(ctx, id)
			if c.want == "" {
				if !errors.Is(err, journal.ErrNotFound) {
					t.Errorf("a transaction that was not finished left %+v, %v", row, err)
				}
			} else if err != nil || row.State != c.want {
				t.Errorf("ended %s (%s), %v; want %s", row.State, row.Cause, err, c.want)
			}
			if got := n.accepted(); len(got) != c.delivered {
				t.Errorf("on the network: %q, want %d", got, c.delivered)
			}
			if c.want != journal.OutboxSent && c.want != "" {
				// Shown, and in nobody's way.
				var next []message.DeliveryID
				if err := db.Update(ctx, func(tx *journal.Tx) (err error) {
					next, err = box.Insert(tx, entry("later", "A", "y"))
					return err
				}); err != nil {
					t.Fatal(err)
				}
				if row, err := box.Await(ctx, next[0]); err != nil || row.State != journal.OutboxSent {
					t.Errorf("the next of the conversation: %s, %v", row.State, err)
				}
			}
		})
	}
}
