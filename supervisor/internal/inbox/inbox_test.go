package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/inbox"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

const patience = 20 * time.Second

// env is an inbox over a journal of its own; it notes acknowledgements and notifications in their order.
type env struct {
	t     *testing.T
	db    *journal.DB
	box   *inbox.Inbox
	clock *clock.Fake

	mu       sync.Mutex // guards all below
	acks     []string   // "<event id> <code>"
	told     []journal.InboxRow
	observed int
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{t: t, clock: clock.NewFake(time.UnixMilli(1_800_000_000_000))}
	log := slog.New(slog.DiscardHandler)
	db, err := journal.Open(t.Context(), journal.Config{Path: filepath.Join(t.TempDir(), "journal.db"), Log: log, Clock: e.clock})
	if err != nil {
		t.Fatal(err)
	}
	e.db = db
	e.box = inbox.New(inbox.Config{DB: db, Clock: e.clock, Log: log,
		Notify:  func(r journal.InboxRow) { e.mu.Lock(); e.told = append(e.told, r); e.mu.Unlock() },
		Observe: func(string, plugin.Event) { e.mu.Lock(); e.observed++; e.mu.Unlock() }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.box.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, goleak.IgnoreCurrent())
	})
	return e
}

func (e *env) store(channel string, ev plugin.Event) {
	e.box.Store(channel, ev, func(a plugin.Ack) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.acks = append(e.acks, fmt.Sprintf("%d %s", ev.ID, map[plugin.AckCode]string{plugin.Stored: "stored", plugin.Duplicate: "duplicate", plugin.RefusedEvent: "refused"}[a.Code]))
	})
}

func (e *env) answers() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.acks)
}

func (e *env) rows() []journal.InboxRow {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.told)
}

func (e *env) until(what string, cond func() bool) {
	e.t.Helper()
	limit := time.After(patience)
	for !cond() {
		select {
		case <-limit:
			e.t.Fatalf("never came: %s; acks: %q", what, e.answers())
		case <-time.After(time.Millisecond):
		}
	}
}

func inbound(id uint64, account message.AccountID, key, text string) plugin.Event {
	return plugin.Event{ID: id, Inbound: &message.Inbound{Account: account, EventKey: key, Conversation: "c", Text: text,
		Cursor: &message.Cursor{Name: "offset", Value: fmt.Sprint(id)}}}
}

func (e *env) cursor(account string) string {
	e.t.Helper()
	value := ""
	if err := e.db.View(e.t.Context(), func(tx *journal.Tx) error {
		cursors, err := tx.ListCursors("net", account)
		if len(cursors) > 0 {
			value = cursors[0].Value
		}
		return err
	}); err != nil {
		e.t.Fatal(err)
	}
	return value
}

func TestStoredThenAcknowledgedThenNotified(t *testing.T) {
	e := newEnv(t)
	e.store("net", inbound(1, "default", "m:1", "hello"))
	e.store("net", plugin.Event{ID: 2, Edit: &message.InboundEdit{Message: message.Inbound{Account: "default", EventKey: "e:1:9", Conversation: "c", Text: "hullo"}, EditTimeMS: 9}})
	e.store("net", plugin.Event{ID: 3, Reaction: &message.InboundReaction{Account: "default", EventKey: "r:1", Conversation: "c", Emoji: "👍"}})
	e.store("net", inbound(4, "default", "m:1", "hello")) // redelivered
	e.store("net", plugin.Event{ID: 5, Receipt: &plugin.Receipt{Account: "default"}})
	e.store("other", inbound(6, "default", "m:1", "another channel's"))
	e.until("six answers", func() bool { return len(e.answers()) == 6 })
	got := slices.DeleteFunc(e.answers(), func(s string) bool { return s == "6 stored" })
	if d := cmp.Diff(got, []string{"1 stored", "2 stored", "3 stored", "4 duplicate", "5 stored"}); d != "" {
		t.Errorf("answers of one account (-got +want):\n%s", d)
	}
	e.until("four notifications", func() bool { return len(e.rows()) == 4 })
	var kinds []journal.InboxKind
	for _, r := range e.rows() {
		if r.Channel == "net" {
			kinds = append(kinds, r.Kind)
		}
		if r.ID == 0 || r.State != journal.InboxNew || r.ReceivedMS != e.clock.Now().UnixMilli() {
			t.Errorf("row: %+v", r)
		}
	}
	if d := cmp.Diff(kinds, []journal.InboxKind{journal.InboxMessage, journal.InboxEdit, journal.InboxReaction}); d != "" {
		t.Errorf("kinds (-got +want):\n%s", d)
	}
	m, err := message.UnmarshalInbound(e.rows()[0].Body)
	if err != nil || m.Text != "hello" {
		t.Errorf("body: %+v, %v", m, err)
	}
	if e.observed != 1 {
		t.Errorf("events without a row: observed %d, want 1", e.observed)
	}
	if got := e.cursor("default"); got != "1" {
		t.Errorf("cursor: got %q, want that of the first copy", got)
	}
	if got := e.box.Counts(); got != (inbox.Counts{Stored: 4, Duplicate: 1}) {
		t.Errorf("counts: %+v", got)
	}
	pending, err := e.box.Pending(t.Context())
	if err != nil || len(pending) != 4 || pending[0].ID > pending[1].ID {
		t.Errorf("pending: %d rows, %v", len(pending), err)
	}
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("k", inbox.MaxKey+1)
	for name, c := range map[string]struct {
		change func(*message.Inbound)
		reason string
		cursor string
	}{
		"no event key":    {func(m *message.Inbound) { m.EventKey = "" }, "malformed", ""},
		"no account":      {func(m *message.Inbound) { m.Account = "" }, "malformed", ""},
		"no conversation": {func(m *message.Inbound) { m.Conversation = "" }, "malformed", ""},
		"long event key":  {func(m *message.Inbound) { m.EventKey = long }, "malformed", ""},
		"long thread":     {func(m *message.Inbound) { m.Thread = message.ThreadID(long) }, "malformed", ""},
		"nameless cursor": {func(m *message.Inbound) { m.Cursor.Name = "" }, "malformed", ""},
		"not UTF-8":       {func(m *message.Inbound) { m.Text = "\xff" }, "malformed", "1"},
		"large body":      {func(m *message.Inbound) { m.Text = strings.Repeat("x", inbox.MaxBody+1) }, "over_size", "1"},
		"large media ref": {func(m *message.Inbound) { m.Media = []message.MediaRef{{Opaque: make([]byte, 4097)}} }, "over_size", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			ev := inbound(1, "default", "m:1", "x")
			c.change(ev.Inbound)
			acks := make(chan plugin.Ack, 1)
			e.box.Store("net", ev, func(a plugin.Ack) { acks <- a })
			select {
			case a := <-acks:
				if a.Code != plugin.RefusedEvent || !strings.HasPrefix(a.Reason, c.reason) {
					t.Errorf("got %+v, want a refusal for %q", a, c.reason)
				}
			case <-time.After(patience):
				t.Fatal("no answer")
			}
			if got := e.cursor("default"); got != c.cursor {
				t.Errorf("cursor: got %q, want %q", got, c.cursor)
			}
			if rows, err := e.box.Pending(t.Context()); err != nil || len(rows) != 0 {
				t.Errorf("a refused event was stored: %v %v", rows, err)
			}
			if got := e.box.Counts().Refused; got != 1 {
				t.Errorf("counted %d refusals, want 1", got)
			}
		})
	}
	t.Run("exactly at the limit", func(t *testing.T) {
		e := newEnv(t)
		ev := inbound(1, "default", "m:1", "")
		body, err := ev.Inbound.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		ev.Inbound.Text = strings.Repeat("x", inbox.MaxBody-len(body)-4) // the text's own tag and length take four bytes
		e.store("net", ev)
		e.until("the answer", func() bool { return len(e.answers()) == 1 })
		if got := e.answers()[0]; got != "1 stored" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("no body at all", func(t *testing.T) {
		e := newEnv(t)
		e.store("net", plugin.Event{ID: 1})
		e.until("the answer", func() bool { return len(e.answers()) == 1 })
		if got := e.answers()[0]; got != "1 refused" {
			t.Errorf("got %q", got)
		}
	})
}

func TestAFullDiskHoldsBackAndKeepsOrder(t *testing.T) {
	e := newEnv(t)
	e.store("net", inbound(1, "default", "m:1", "first"))
	e.until("the first", func() bool { return len(e.answers()) == 1 })
	if err := e.db.SetMaxBytes(t.Context(), 4096); err != nil { // no growth
		t.Fatal(err)
	}
	big := strings.Repeat("x", 200_000)
	e.store("net", inbound(2, "default", "m:2", big)) // does not fit
	e.until("the journal is full", func() bool { return e.db.Condition().Code == journal.ConditionFull })
	e.store("net", inbound(3, "default", "m:3", "small enough, but behind"))
	e.store("net", plugin.Event{ID: 4, Gap: &plugin.Gap{Account: "default"}})
	e.store("net", inbound(5, "default", "", "malformed, but behind"))
	for range 20 { // the retries fail
		e.clock.Advance(500 * time.Millisecond)
	}
	_ = e.db.Update(t.Context(), func(*journal.Tx) error { return nil }) // the writer has seen all before, and may fail this with it
	if got := e.answers(); !slices.Equal(got, []string{"1 stored"}) {
		t.Fatalf("answers while the disk is full: %q", got)
	}
	if err := e.db.SetMaxBytes(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	e.until("all answers", func() bool { e.clock.Advance(500 * time.Millisecond); return len(e.answers()) == 5 })
	if d := cmp.Diff(e.answers(), []string{"1 stored", "2 stored", "3 stored", "4 stored", "5 refused"}); d != "" {
		t.Errorf("answers (-got +want):\n%s", d)
	}
	e.until("the notifications", func() bool { return len(e.rows()) == 3 })
	for i, r := range e.rows() {
		if want := fmt.Sprintf("m:%d", i+1); r.EventKey != want || (i > 0 && r.ID <= e.rows()[i-1].ID) {
			t.Errorf("notification %d: %s with id %d, want %s", i, r.EventKey, r.ID, want)
		}
	}
	if got := e.cursor("default"); got != "3" {
		t.Errorf("cursor: got %q, want 3", got)
	}
}

func TestManyAccountsKeepTheirOrder(t *testing.T) {
	e := newEnv(t)
	const accounts, each = 8, 100
	var wg sync.WaitGroup
	for a := range accounts {
		wg.Go(func() {
			for i := range each {
				e.store("net", inbound(uint64(a*each+i), message.AccountID(fmt.Sprint("a", a)), fmt.Sprint("m:", i), "x"))
			}
		})
	}
	wg.Wait()
	e.until("all notifications", func() bool { return len(e.rows()) == accounts*each })
	next, last := map[message.AccountID]int{}, map[message.AccountID]int64{}
	for _, r := range e.rows() {
		if want := fmt.Sprint("m:", next[r.Account]); r.EventKey != want {
			t.Fatalf("%s: got %s, want %s", r.Account, r.EventKey, want)
		}
		if r.ID <= last[r.Account] {
			t.Fatalf("%s: id %d after %d", r.Account, r.ID, last[r.Account])
		}
		next[r.Account]++
		last[r.Account] = r.ID
	}
}

func TestSweepForgetsOnlyWhatIsOverAndOld(t *testing.T) {
	e := newEnv(t)
	for i, state := range []journal.InboxState{journal.InboxDone, journal.InboxDenied, journal.InboxDropped, journal.InboxContext, journal.InboxNew, journal.InboxParked} {
		e.store("net", inbound(uint64(i), "default", string(state), "x"))
		e.until("the row", func() bool { return len(e.rows()) == i+1 })
		if err := e.db.Update(t.Context(), func(tx *journal.Tx) error {
			return tx.SetInboxState([]int64{e.rows()[i].ID}, state, "", "why")
		}); err != nil {
			t.Fatal(err)
		}
	}
	sweep := func() int64 {
		n, err := e.box.Sweep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	e.clock.Advance(inbox.Memory)
	if n := sweep(); n != 0 {
		t.Errorf("at the end of the memory: %d rows, want 0", n)
	}
	e.clock.Advance(time.Hour) // Run may have swept already: what counts is what is left
	sweep()
	if err := e.db.View(t.Context(), func(tx *journal.Tx) error {
		counts, err := tx.CountInbox()
		if d := cmp.Diff(counts, map[journal.InboxState]int64{journal.InboxNew: 1, journal.InboxParked: 1}); d != "" {
			t.Errorf("left (-got +want):\n%s", d)
		}
		done, getErr := tx.GetInbox(e.rows()[0].ID)
		if !errors.Is(getErr, journal.ErrNotFound) {
			t.Errorf("a done row is left: %+v %v", done, getErr)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
