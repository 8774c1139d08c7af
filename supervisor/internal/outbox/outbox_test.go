package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/outbox"
)

func TestDeliveryID(t *testing.T) {
	seen := map[message.DeliveryID]string{}
	for _, c := range []struct {
		run, part string
		chunk     int
	}{{"a", "1", 0}, {"a", "1", 1}, {"a", "11", 0}, {"a1", "1", 0}, {"a", "notice", 0}, {"", "", 0}} {
		id := outbox.DeliveryID(c.run, c.part, c.chunk)
		if len(id) != 24 || strings.Trim(string(id), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			t.Errorf("%v: got %q, want 24 characters of base32", c, id)
		}
		if other, ok := seen[id]; ok {
			t.Errorf("%v has the id of %s", c, other)
		}
		seen[id] = fmt.Sprint(c)
	}
	if a, b := outbox.DeliveryID("r", "1", 2), outbox.DeliveryID("r", "1", 2); a != b {
		t.Errorf("not deterministic: %s, %s", a, b)
	}
}

func TestOrderWithinAConversationAndNoneAcross(t *testing.T) {
	e := newEnv(t)
	gate := make(chan struct{})
	e.net.send = func(_ context.Context, m message.Outbound, _ []channel.MediaFile) message.SendResult {
		if m.Text.Plain == "a1" {
			<-gate
		}
		return message.SendResult{Outcome: message.Sent}
	}
	e.run()
	a1 := e.insert(entry("r1", "A", "a1"))[0]
	a2 := e.insert(entry("r2", "A", "a2"))[0]
	b1 := e.insert(entry("r3", "B", "b1"))[0]
	e.ends(b1, journal.OutboxSent)
	if got := e.row(a2).State; got != journal.OutboxQueued {
		t.Errorf("second of a conversation whose first is being sent: got %s, want queued", got)
	}
	close(gate)
	e.ends(a1, journal.OutboxSent)
	e.ends(a2, journal.OutboxSent)
	got := slices.DeleteFunc(e.net.texts(), func(s string) bool { return s == "b1" })
	if !slices.Equal(got, []string{"a1", "a2"}) {
		t.Errorf("order: got %q", got)
	}
}

func TestFirstOfAnIdleConversationIsStoredAsAttempting(t *testing.T) {
	e := newEnv(t)
	e.run()
	e.insert(entry("r0", "Z", "warm")) // once it is sent, Run is known to run
	e.ends(outbox.DeliveryID("r0", "1", 0), journal.OutboxSent)
	var states []journal.OutboxState
	err := e.db.Update(t.Context(), func(tx *journal.Tx) error {
		ids, err := e.box.Insert(tx, entry("r1", "A", "a1"), entry("r2", "A", "a2"))
		for _, id := range ids {
			r, err := tx.GetOutbox(id)
			if err != nil {
				return err
			}
			states = append(states, r.State)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []journal.OutboxState{journal.OutboxAttempting, journal.OutboxQueued}; !slices.Equal(states, want) {
		t.Errorf("inserted as %v, want %v", states, want)
	}
	if r := e.ends(outbox.DeliveryID("r2", "1", 0), journal.OutboxSent); r.Attempts != 1 || r.NetworkID != "net-a2" {
		t.Errorf("attempts %d, network id %q; want 1, net-a2", r.Attempts, r.NetworkID)
	}
	// A rolled back claim leaves the conversation usable.
	boom := errors.New("boom")
	if err := e.db.Update(t.Context(), func(tx *journal.Tx) error {
		_, err := e.box.Insert(tx, entry("r3", "A", "never"))
		return errors.Join(err, boom)
	}); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	e.ends(e.insert(entry("r4", "A", "a4"))[0], journal.OutboxSent)
	// A replay is harmless.
	e.insert(entry("r4", "A", "a4"))
	e.ends(e.insert(entry("r5", "A", "a5"))[0], journal.OutboxSent)
	e.sentTexts("warm", "a1", "a2", "a4", "a5")
}

func TestNotSentIsTriedAgainFastThenSlowlyUntilItExpires(t *testing.T) {
	e := newEnv(t)
	var mu sync.Mutex
	var at []time.Duration
	e.net.send = func(context.Context, message.Outbound, []channel.MediaFile) message.SendResult {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, e.clock.Now().Sub(start))
		return message.SendResult{Outcome: message.NotSent, Code: "busy", Text: "try later"}
	}
	id := e.insert(entry("r1", "A", "x"))[0]
	e.run()
	next := e.insert(entry("r2", "A", "behind"))[0]
	e.moves(100*time.Millisecond, "three attempts", func() bool { return len(e.net.texts()) >= 3 })
	mu.Lock()
	fast := slices.Clone(at)
	mu.Unlock()
	if fast[1]-fast[0] < 400*time.Millisecond || fast[2]-fast[1] < 800*time.Millisecond {
		t.Errorf("waits between fast attempts: %v", fast)
	}
	e.moves(5*time.Second, "a fourth attempt", func() bool { return len(e.net.texts()) >= 4 })
	mu.Lock()
	if wait := at[3] - at[2]; wait < time.Minute {
		t.Errorf("wait before the fourth attempt: %v, want a minute at least", wait)
	}
	mu.Unlock()
	e.moves(30*time.Second, "the end", func() bool { return e.row(id).State.Final() })
	r := e.ends(id, journal.OutboxExpired)
	if r.Attempts < 4 {
		t.Errorf("attempts: %d", r.Attempts)
	}
	e.moves(30*time.Second, "the end of the one behind", func() bool { return e.row(next).State.Final() })
}

func TestRetryAfterIsHonouredAndNotCounted(t *testing.T) {
	e := newEnv(t)
	e.net.send = results(message.SendResult{Outcome: message.NotSent, RetryAfterMS: 7000, Code: "flood"}, message.SendResult{Outcome: message.Sent})
	e.run()
	id := e.insert(entry("r1", "A", "x"))[0]
	e.until("it is put off", func() bool { return e.row(id).NotBeforeMS > 0 })
	if r := e.row(id); r.NotBeforeMS != start.UnixMilli()+7000 || r.Attempts != 0 || r.DoubtMS != 0 || r.State != journal.OutboxQueued || r.Cause != "flood" {
		t.Errorf("after a flood wait: %+v", r)
	}
	e.clock.Advance(6999 * time.Millisecond)
	e.box.Wake()
	e.insert(entry("r2", "B", "other")) // another conversation is not held up
	e.ends(outbox.DeliveryID("r2", "1", 0), journal.OutboxSent)
	e.sentTexts("x", "other")
	e.moves(time.Millisecond, "the second attempt", func() bool { return e.row(id).State.Final() })
	if r := e.ends(id, journal.OutboxSent); r.Attempts != 1 {
		t.Errorf("attempts: got %d, want 1", r.Attempts)
	}
}

func TestARefusalIsFinalAndInNobodysWay(t *testing.T) {
	e := newEnv(t)
	e.net.send = results(message.SendResult{Outcome: message.Refused, Code: "forbidden", Text: "blocked by the user"}, message.SendResult{Outcome: message.Sent})
	e.run()
	ids := e.insert(entry("r1", "A", "x"), entry("r2", "A", "y"))
	if r := e.ends(ids[0], journal.OutboxRefused); r.Cause != "forbidden: blocked by the user" || r.DoubtMS != 0 {
		t.Errorf("row: %+v", r)
	}
	e.ends(ids[1], journal.OutboxSent)
	e.sentTexts("x", "y")
}

func TestNothingIsTriedBeforeTheAccountIsReady(t *testing.T) {
	e := newEnv(t)
	e.net.notReady["default"] = true
	e.run()
	var ids []message.DeliveryID
	for i := range 500 {
		ids = append(ids, e.insert(entry(fmt.Sprint("r", i), fmt.Sprint("c", i%40), fmt.Sprint(i)))...)
	}
	for range 90 {
		e.clock.Advance(time.Second)
	}
	e.sentTexts()
	if r := e.row(ids[0]); r.Attempts != 0 || r.State != journal.OutboxQueued {
		t.Errorf("attempts %d in state %s, want 0 queued", r.Attempts, r.State)
	}
	e.net.set(func(n *network) { n.notReady["default"] = false })
	e.box.AccountReady("test", "default")
	for _, id := range ids { // the clock stands still: no time is needed
		if r := e.ends(id, journal.OutboxSent); r.Attempts != 1 {
			t.Errorf("attempts: got %d, want 1", r.Attempts)
		}
	}
}

func TestNoGhosts(t *testing.T) {
	e := newEnv(t)
	for i := range 110 {
		e.insert(entry(fmt.Sprint("r", i), fmt.Sprint("c", i%7), "late"))
	}
	e.down()
	e.clock.Advance(15 * time.Hour)
	e.run()
	e.until("all are expired", func() bool {
		counts, err := e.box.Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return counts[journal.OutboxExpired] == 110
	})
	e.sentTexts()
}

func TestAWorkerThatGoesAwayIsNoAttempt(t *testing.T) {
	e := newEnv(t)
	e.net.send = func(context.Context, message.Outbound, []channel.MediaFile) message.SendResult {
		e.net.set(func(n *network) { n.notReady["default"] = true })
		return message.SendResult{Outcome: message.NotSent, Code: "worker_unavailable"}
	}
	e.run()
	id := e.insert(entry("r1", "A", "x"))[0]
	e.until("it is back in line", func() bool { r := e.row(id); return r.State == journal.OutboxQueued && r.Cause != "" })
	if r := e.row(id); r.Attempts != 0 || r.DoubtMS != 0 {
		t.Errorf("attempts %d, doubt %d; want none", r.Attempts, r.DoubtMS)
	}
	e.net.set(func(n *network) { n.notReady["default"], n.send = false, nil })
	e.box.AccountReady("test", "default")
	e.ends(id, journal.OutboxSent)
}

func TestPacing(t *testing.T) {
	e := newEnv(t)
	e.net.caps.Pacing = plugin.Pacing{PerConversationMS: 1000, PerAccountMS: 100}
	var mu sync.Mutex
	at := map[string]time.Duration{}
	e.net.send = func(_ context.Context, m message.Outbound, _ []channel.MediaFile) message.SendResult {
		mu.Lock()
		defer mu.Unlock()
		at[m.Text.Plain] = e.clock.Now().Sub(start)
		return message.SendResult{Outcome: message.Sent}
	}
	e.run()
	ids := e.insert(entry("r1", "A", "a1"), entry("r2", "A", "a2"), entry("r3", "B", "b1"), entry("r4", "C", "c1"))
	e.moves(10*time.Millisecond, "the end", func() bool {
		return !slices.ContainsFunc(ids, func(id message.DeliveryID) bool { return !e.row(id).State.Final() })
	})
	mu.Lock()
	defer mu.Unlock()
	const slack = 60 * time.Millisecond // the clock moves on between the start of a Send and its stamp here
	if d := at["a2"] - at["a1"]; d < time.Second-slack {
		t.Errorf("one conversation: %v apart, want a second", d)
	}
	all := []time.Duration{at["a1"], at["b1"], at["c1"]}
	slices.Sort(all)
	if all[1]-all[0] < 100*time.Millisecond-slack || all[2]-all[1] < 100*time.Millisecond-slack {
		t.Errorf("one account: %v, want 100 ms apart", all)
	}
}

func TestNoSendBeforeTheAttemptIsStored(t *testing.T) {
	e := newEnv(t)
	id := e.insert(entry("r1", "A", strings.Repeat("x", 20_000)))[0] // queued: nothing runs yet
	fill(t, e.db)
	e.run()
	e.until("the journal says that it is full", func() bool { return e.db.Condition().Code == journal.ConditionFull })
	for range 5 {
		e.clock.Advance(time.Second)
	}
	e.sentTexts()
	if err := e.db.SetMaxBytes(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	e.moves(time.Second, "the end", func() bool { return e.row(id).State.Final() })
	if r := e.ends(id, journal.OutboxSent); r.Attempts != 1 {
		t.Errorf("attempts: got %d, want 1", r.Attempts)
	}
}

// fill leaves no page free in the journal.
func fill(t *testing.T, db *journal.DB) {
	t.Helper()
	if err := db.SetMaxBytes(t.Context(), 4096); err != nil {
		t.Fatal(err)
	}
	size := 2000
	for range 10_000 {
		err := db.Update(t.Context(), func(tx *journal.Tx) error {
			_, err := tx.AddSystemEvent("fill", strings.Repeat("y", size))
			return err
		})
		if errors.Is(err, journal.ErrFull) {
			if size == 1 {
				return
			}
			size = max(size/2, 1)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the journal never became full")
}

func TestOperator(t *testing.T) {
	e := newEnv(t)
	e.net.send = results(message.SendResult{Outcome: message.Unknown}, message.SendResult{Outcome: message.Sent})
	e.run()
	id := e.insert(entry("r1", "A", "x"))[0]
	e.ends(id, journal.OutboxUnknown)
	listed, err := e.box.List(t.Context(), journal.OutboxFilter{States: []journal.OutboxState{journal.OutboxUnknown}})
	if err != nil || len(listed) != 1 || listed[0].DeliveryID != id {
		t.Errorf("List: %+v, %v", listed, err)
	}
	if err := e.box.Retry(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	e.ends(id, journal.OutboxSent)
	if err := e.box.Retry(t.Context(), id); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("Retry of a sent one: got %v, want ErrConflict", err)
	}
	if err := e.box.Drop(t.Context(), id); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("Drop of a sent one: got %v, want ErrConflict", err)
	}
	e.net.set(func(n *network) { n.notReady["default"] = true })
	ids := e.insert(entry("r2", "A", "y"), entry("r3", "A", "z"), entry("r4", "A", "w"))
	if err := e.box.Drop(t.Context(), ids[1]); err != nil {
		t.Fatal(err)
	}
	e.ends(ids[1], journal.OutboxDropped)
	if err := e.db.Update(t.Context(), func(tx *journal.Tx) error {
		n, err := e.box.DropAccount(tx, "test", "default", "account_removed")
		if n != 2 {
			t.Errorf("DropAccount: %d rows, want 2", n)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if r := e.ends(ids[2], journal.OutboxDropped); r.Cause != "account_removed" {
		t.Errorf("cause: %q", r.Cause)
	}
	if _, err := e.box.Await(t.Context(), "NOSUCH"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("Await of nothing: got %v, want ErrNotFound", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	pending := e.insert(entry("r5", "A", "v"))[0]
	if _, err := e.box.Await(ctx, pending); !errors.Is(err, context.Canceled) {
		t.Errorf("Await with a dead context: got %v", err)
	}
}

func TestStopWaitsForSendsAndLeavesHangingOnesInDoubt(t *testing.T) {
	e := newEnv(t)
	e.net.send = func(ctx context.Context, m message.Outbound, _ []channel.MediaFile) message.SendResult {
		<-ctx.Done()
		return message.SendResult{Outcome: message.Unknown}
	}
	e.run()
	id := e.insert(entry("r1", "A", "x"))[0]
	e.until("the Send", func() bool { return len(e.net.texts()) == 1 })
	e.stop()
	e.stop = nil
	if r := e.row(id); r.State != journal.OutboxAttempting || r.DoubtMS == 0 {
		t.Errorf("after a stop in mid-Send: %s, doubt %d; want attempting, in doubt", r.State, r.DoubtMS)
	}
	e.down()
	e.net.send = nil
	e.run()
	e.ends(id, journal.OutboxUnknown)
	e.sentTexts("x")
}

func TestMedia(t *testing.T) {
	e := newEnv(t)
	data := bytes.Repeat([]byte("picture"), 30_000)
	row, err := e.media.Put(t.Context(), bytes.NewReader(data), "image/png", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.media.Put(t.Context(), bytes.NewReader(data), "image/png", 100); !errors.Is(err, outbox.ErrMediaTooLarge) {
		t.Errorf("Put over the limit: got %v, want ErrMediaTooLarge", err)
	}
	var got []byte
	e.net.send = func(_ context.Context, _ message.Outbound, media []channel.MediaFile) message.SendResult {
		for _, f := range media {
			r, err := f.Open()
			if err != nil {
				t.Error(err)
				continue
			}
			got, err = io.ReadAll(r)
			if err != nil {
				t.Error(err)
			}
			_ = r.Close()
		}
		return message.SendResult{Outcome: message.Sent}
	}
	withMedia := func(run, sha string) outbox.Entry {
		en := entry(run, "A", run)
		en.Lifetime = 48 * time.Hour
		en.Message.Media = []message.MediaMeta{{Kind: message.MediaImage, MIME: row.MIME, Size: row.Size, SHA256: sha}}
		return en
	}
	held := e.insert(withMedia("r1", row.SHA256))[0] // queued: it holds the file
	e.clock.Advance(25 * time.Hour)
	if err := e.media.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, _, err := e.media.Open(t.Context(), row.SHA256)
	if err != nil {
		t.Fatalf("a file that a delivery holds was swept: %v", err)
	}
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: %v %v", info.Mode(), err)
	}
	_ = f.Close()
	e.run()
	e.ends(held, journal.OutboxSent)
	if !bytes.Equal(got, data) {
		t.Errorf("the worker got %d bytes, want the %d stored ones", len(got), len(data))
	}
	if err := e.media.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(e.media.Path(row)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an unused file was not removed: %v", err)
	}
	missing := e.insert(withMedia("r2", row.SHA256))[0]
	if r := e.ends(missing, journal.OutboxRefused); !strings.HasPrefix(r.Cause, "unreadable") {
		t.Errorf("cause: %q", r.Cause)
	}
}
