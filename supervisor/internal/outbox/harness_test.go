package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/outbox"
)

const patience = 20 * time.Second

var start = time.UnixMilli(1_800_000_000_000)

// network is a scripted Deliverer.
type network struct {
	mu        sync.Mutex // guards all below
	notReady  map[message.AccountID]bool
	caps      plugin.ChannelCaps
	send      func(ctx context.Context, m message.Outbound, media []channel.MediaFile) message.SendResult
	reconcile func(id message.DeliveryID) (channel.Reconciliation, message.MessageID, error)
	sent      []message.Outbound // every Send, in order
	asked     int
}

func (n *network) Send(ctx context.Context, _ string, m message.Outbound, media []channel.MediaFile) message.SendResult {
	n.mu.Lock()
	n.sent = append(n.sent, m)
	send := n.send
	n.mu.Unlock()
	if send == nil {
		return message.SendResult{Outcome: message.Sent, ID: "net-" + message.MessageID(m.Text.Plain)}
	}
	return send(ctx, m, media)
}

func (n *network) Reconcile(_ context.Context, _ string, id message.DeliveryID, _ channel.Place, _ time.Time) (channel.Reconciliation, message.MessageID, error) {
	n.mu.Lock()
	n.asked++
	reconcile := n.reconcile
	n.mu.Unlock()
	if reconcile == nil {
		return channel.CannotTell, "", fmt.Errorf("reconcile: %w", channel.ErrUnsupported)
	}
	return reconcile(id)
}

func (n *network) Ready(_ string, account message.AccountID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.notReady[account]
}

func (n *network) Caps(string) (plugin.ChannelCaps, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.caps, true
}

func (n *network) set(f func(*network)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(n)
}

func (n *network) texts() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]string, len(n.sent))
	for i, m := range n.sent {
		out[i] = m.Text.Plain
	}
	return out
}

func (n *network) asks() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

// results answers the Sends one after the other; the last answer holds for all later ones.
func results(outcomes ...message.SendResult) func(context.Context, message.Outbound, []channel.MediaFile) message.SendResult {
	var mu sync.Mutex
	return func(context.Context, message.Outbound, []channel.MediaFile) message.SendResult {
		mu.Lock()
		defer mu.Unlock()
		r := outcomes[0]
		if len(outcomes) > 1 {
			outcomes = outcomes[1:]
		}
		return r
	}
}

// env is one life of an outbox over a journal that may have lived before.
type env struct {
	t     *testing.T
	path  string
	clock *clock.Fake
	net   *network
	db    *journal.DB
	box   *outbox.Outbox
	media *outbox.MediaStore
	stop  func()
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{t: t, path: filepath.Join(t.TempDir(), "journal.db"), clock: clock.NewFake(start), net: &network{notReady: map[message.AccountID]bool{}}}
	t.Cleanup(func() { e.down() })
	e.open()
	return e
}

// open opens journal and outbox, without running it.
func (e *env) open() {
	e.t.Helper()
	db, err := journal.Open(context.Background(), journal.Config{Path: e.path, Log: slog.New(slog.DiscardHandler), Clock: e.clock})
	if err != nil {
		e.t.Fatal(err)
	}
	e.db = db
	e.media = outbox.NewMediaStore(filepath.Join(filepath.Dir(e.path), "media"), db)
	e.box = outbox.New(outbox.Config{DB: db, Deliverer: e.net, Media: e.media, Clock: e.clock, Log: slog.New(slog.DiscardHandler),
		Jitter: func() float64 { return 0 }})
}

func (e *env) run() {
	e.t.Helper()
	if e.db == nil {
		e.open()
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.box.Run(ctx) }()
	e.stop = func() {
		cancel()
		if err := e.await(done); err != nil {
			e.t.Errorf("Run: %v", err)
		}
	}
}

// await waits for Run to end, moving the clock on for Sends that hang.
func (e *env) await(done <-chan error) error {
	limit := time.After(patience)
	for {
		select {
		case err := <-done:
			return err
		case <-limit:
			return errors.New("did not return")
		case <-time.After(5 * time.Millisecond):
			e.clock.Advance(time.Second)
		}
	}
}

func (e *env) down() {
	if e.stop != nil {
		e.stop()
		e.stop = nil
	}
	if e.db != nil {
		if err := e.db.Close(); err != nil {
			e.t.Errorf("close: %v", err)
		}
		e.db = nil
	}
}

func entry(run, to, text string) outbox.Entry {
	return outbox.Entry{RunID: run, Part: "1", Channel: "test",
		Message: message.Outbound{Account: "default", Conversation: message.ConversationID(to), Text: message.Text{Plain: text}}}
}

func (e *env) insert(entries ...outbox.Entry) (ids []message.DeliveryID) {
	e.t.Helper()
	err := e.db.Update(e.t.Context(), func(tx *journal.Tx) (err error) {
		ids, err = e.box.Insert(tx, entries...)
		return err
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return ids
}

func (e *env) row(id message.DeliveryID) journal.OutboxRow {
	e.t.Helper()
	r, err := e.box.Get(e.t.Context(), id)
	if err != nil {
		e.t.Fatal(err)
	}
	return r
}

// ends waits until a delivery has ended, the clock standing still.
func (e *env) ends(id message.DeliveryID, want journal.OutboxState) journal.OutboxRow {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), patience)
	defer cancel()
	r, err := e.box.Await(ctx, id)
	if err != nil {
		e.t.Fatalf("%v; row: %+v", err, e.row(id))
	}
	if r.State != want {
		e.t.Fatalf("delivery ended %s (%s), want %s", r.State, r.Cause, want)
	}
	return r
}

// until waits for a condition, the clock standing still.
func (e *env) until(what string, cond func() bool) {
	e.t.Helper()
	limit := time.After(patience)
	for !cond() {
		select {
		case <-limit:
			e.t.Fatalf("never came: %s; sends: %q", what, e.net.texts())
		case <-time.After(time.Millisecond):
		}
	}
}

// moves waits for a condition, moving the clock by steps of d.
func (e *env) moves(d time.Duration, what string, cond func() bool) {
	e.t.Helper()
	e.until(what, func() bool {
		if cond() {
			return true
		}
		e.clock.Advance(d)
		return false
	})
}

func (e *env) sentTexts(want ...string) {
	e.t.Helper()
	if got := e.net.texts(); !slices.Equal(got, want) {
		e.t.Errorf("sends: got %q, want %q", got, want)
	}
}
