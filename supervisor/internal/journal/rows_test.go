package journal

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

func ids[T any, I any](rows []T, id func(T) I) []I {
	out := make([]I, len(rows))
	for i, r := range rows {
		out[i] = id(r)
	}
	return out
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("%s (-got +want):\n%s", what, d)
	}
}

func is(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestInboxRows(t *testing.T) {
	db := openTest(t)
	row := InboxRow{Channel: "net", Account: "a", EventKey: "m:1", Kind: InboxMessage, Conversation: "c", Thread: "t", NetworkMS: 5, Body: []byte("b")}
	var id []int64
	inboxID := func(r InboxRow) int64 { return r.ID }
	update(t, db, func(tx *Tx) error {
		for _, r := range []InboxRow{row, {Channel: "net", Account: "a", EventKey: "e:1"}, {Channel: "net", Account: "b", EventKey: "m:1"}, {Channel: "x", Account: "a", EventKey: "m:1"}} {
			n, inserted, err := tx.InsertInbox(r)
			if err != nil || !inserted {
				t.Fatalf("insert %+v: %v %v", r, inserted, err)
			}
			id = append(id, n)
			if _, inserted, err := tx.InsertInbox(r); inserted || err != nil {
				t.Errorf("insert %+v again: %v %v", r, inserted, err)
			}
		}
		got, err := tx.GetInbox(id[0])
		want := row
		want.ID, want.State, want.ReceivedMS = id[0], InboxNew, testTime.UnixMilli()
		same(t, "row", got, want)
		return err
	})
	update(t, db, func(tx *Tx) error {
		is(t, "state of a row that is not there", tx.SetInboxState([]int64{99}, InboxDone, "", ""), ErrNotFound)
		if err := tx.SetInboxState(id[:2], InboxRunning, "run", ""); err != nil {
			return err
		}
		rows, err := tx.ListInboxOfRun("run")
		same(t, "of the run", ids(rows, inboxID), id[:2])
		if err := errors.Join(tx.SetInboxState(id[:1], InboxDone, "", ""), tx.SetInboxState(id[2:3], InboxContext, "", "")); err != nil {
			return err
		}
		done, _ := tx.GetInbox(id[0])
		if done.Body != nil || done.RunID != "run" || done.State != InboxDone {
			t.Errorf("done: %+v", done)
		}
		live, _ := tx.ListInbox(InboxRunning, InboxNew)
		same(t, "live", ids(live, inboxID), []int64{id[1], id[3]})
		n, _ := tx.DropInboxOfAccount("net", "b", "account_removed")
		dropped, _ := tx.GetInbox(id[2])
		if n != 1 || dropped.State != InboxDropped || dropped.Cause != "account_removed" {
			t.Errorf("drop: %d, %+v", n, dropped)
		}
		return err
	})
}

func TestHistoryOfAConversationIsTheLastRowsInOrder(t *testing.T) {
	db := openTest(t)
	update(t, db, func(tx *Tx) error {
		for _, r := range []InboxRow{
			{EventKey: "1", Conversation: "c"}, {EventKey: "2", Conversation: "c"}, {EventKey: "3", Conversation: "other"},
			{EventKey: "4", Conversation: "c", Thread: "t"}, {EventKey: "5", Conversation: "c"}, {EventKey: "6", Conversation: "c", State: InboxNew},
		} {
			r.Channel, r.Account = "net", "a"
			if r.State == "" {
				r.State = InboxContext
			}
			if _, _, err := tx.InsertInbox(r); err != nil {
				return err
			}
		}
		rows, err := tx.ListInboxOfConversation("net", "a", "c", "", InboxContext, 2)
		same(t, "history", ids(rows, func(r InboxRow) string { return r.EventKey }), []string{"2", "5"})
		return err
	})
}

func TestRunRows(t *testing.T) {
	db := openTest(t)
	run := RunRow{RunID: "r1", Method: "chat.send", ClientKey: "k", SessionKey: "s", SessionID: "i", AgentID: "main", Source: SourceChat, Route: []byte("route"), Inputs: []byte("in")}
	update(t, db, func(tx *Tx) error {
		if err := tx.InsertRun(run); err != nil {
			return err
		}
		got, err := tx.GetRunByClientKey("chat.send", "k")
		want := run
		want.State, want.CreatedMS = RunQueued, testTime.UnixMilli()
		same(t, "run", got, want)
		_, missing := tx.GetRunByClientKey("agent", "k")
		is(t, "another method's key", missing, ErrNotFound)
		if found, err := tx.FindRunByClientKey("k"); err != nil || found.RunID != "r1" {
			t.Errorf("find: %+v %v", found, err)
		}
		return errors.Join(err, tx.InsertRun(RunRow{RunID: "r2", SessionKey: "s", Source: SourceChannel, State: RunRunning}), tx.InsertRun(RunRow{RunID: "r3", SessionKey: "s", Source: SourceChannel}))
	})
	is(t, "a second run of the same key", db.Update(t.Context(), func(tx *Tx) error {
		r := run
		r.RunID = "r9"
		return tx.InsertRun(r)
	}), ErrConflict)
	update(t, db, func(tx *Tx) error {
		for want := 1; want <= 2; want++ {
			if n, err := tx.StartRun("r1"); err != nil || n != want {
				t.Errorf("start: %d %v, want %d", n, err, want)
			}
		}
		if n, err := tx.StartRun("r2"); err != nil || n != 2 {
			t.Errorf("start of one that was inserted as running: %d %v, want 2", n, err)
		}
		live, err := tx.ListRuns(RunRunning, RunQueued)
		same(t, "live", ids(live, func(r RunRow) string { return r.RunID }), []string{"r1", "r2", "r3"})
		newest, _ := tx.ListRunsOfSession("s", 2)
		same(t, "newest", ids(newest, func(r RunRow) string { return r.RunID }), []string{"r3", "r2"})
		return err
	})
	update(t, db, func(tx *Tx) error {
		if err := tx.EndRun("r1", RunFinished, []byte("result"), ""); err != nil {
			return err
		}
		is(t, "a second end", tx.EndRun("r1", RunFailed, nil, "x"), ErrConflict)
		is(t, "the end of nothing", tx.EndRun("none", RunFailed, nil, "x"), ErrNotFound)
		_, err := tx.StartRun("r1")
		is(t, "start after the end", err, ErrConflict)
		got, err := tx.GetRun("r1")
		if got.State != RunFinished || string(got.Result) != "result" || got.FinishedMS != testTime.UnixMilli() || got.StartedMS == 0 {
			t.Errorf("ended: %+v", got)
		}
		return err
	})
}

func TestARunIsChargedOnlyWithoutProgress(t *testing.T) {
	db := openTest(t)
	update(t, db, func(tx *Tx) error {
		if err := tx.InsertRun(RunRow{RunID: "r", Source: SourceChannel}); err != nil {
			return err
		}
		for i, c := range []struct {
			progress string
			charged  bool
			total    int
		}{{"", true, 1}, {"e1", false, 1}, {"", true, 2}, {"e2", false, 2}, {"", true, 3}} {
			if c.progress != "" {
				if err := tx.SetRunProgress("r", c.progress); err != nil {
					return err
				}
			}
			charged, total, err := tx.ChargeRun("r")
			if err != nil || charged != c.charged || total != c.total {
				t.Errorf("death %d: charged %v, %d in all, %v; want %v, %d", i, charged, total, err, c.charged, c.total)
			}
		}
		_, _, err := tx.ChargeRun("none")
		is(t, "a charge of nothing", err, ErrNotFound)
		return nil
	})
}

func TestRunCallsGiveTheStoredAnswer(t *testing.T) {
	db := openTest(t)
	update(t, db, func(tx *Tx) error {
		row, begun, err := tx.BeginRunCall("r", "c", "send")
		if err != nil || !begun || row.State != CallBegun {
			t.Errorf("first: %+v %v %v", row, begun, err)
		}
		if row, begun, err = tx.BeginRunCall("r", "c", "send"); err != nil || begun || row.State != CallBegun {
			t.Errorf("interrupted: %+v %v %v", row, begun, err)
		}
		is(t, "answer to nothing", tx.FinishRunCall("r", "none", nil), ErrNotFound)
		if err := tx.FinishRunCall("r", "c", []byte("42")); err != nil {
			return err
		}
		if row, begun, err = tx.BeginRunCall("r", "c", "send"); begun || string(row.Answer) != "42" || row.State != CallDone {
			t.Errorf("repeated: %+v %v", row, begun)
		}
		return err
	})
}

func delivery(id message.DeliveryID, conversation message.ConversationID) OutboxRow {
	return OutboxRow{DeliveryID: id, RunID: "r", Part: string(id), Channel: "net", Account: "a", Conversation: conversation, Body: []byte("b"),
		Media: []string{"aa", "bb"}, ExpiresMS: 10}
}

func TestOutboxRows(t *testing.T) {
	db := openTest(t)
	key := func(r OutboxRow) message.DeliveryID { return r.DeliveryID }
	update(t, db, func(tx *Tx) error {
		for i, c := range []struct {
			row OutboxRow
			seq int64
		}{{delivery("A1", "A"), 1}, {delivery("A2", "A"), 2}, {delivery("B1", "B"), 1}} {
			seq, inserted, err := tx.InsertOutbox(c.row)
			if err != nil || !inserted || seq != c.seq {
				t.Errorf("insert %d: seq %d %v %v, want %d", i, seq, inserted, err, c.seq)
			}
		}
		if _, inserted, err := tx.InsertOutbox(delivery("A1", "A")); err != nil || inserted {
			t.Errorf("replay: %v %v", inserted, err)
		}
		got, err := tx.GetOutbox("A1")
		want := delivery("A1", "A")
		want.Seq, want.State, want.CreatedMS, want.UpdatedMS = 1, OutboxQueued, testTime.UnixMilli(), testTime.UnixMilli()
		same(t, "row", got, want)
		next, _ := tx.NextPerConversation()
		same(t, "next", ids(next, key), []message.DeliveryID{"A1", "B1"})
		got.State, got.NetworkID, got.Attempts = OutboxSent, "n", 1
		is(t, "from another state", tx.UpdateOutbox(got, OutboxAttempting), ErrConflict)
		return errors.Join(err, tx.UpdateOutbox(got, OutboxQueued))
	})
	update(t, db, func(tx *Tx) error {
		next, _ := tx.NextPerConversation()
		same(t, "next after the first is sent", ids(next, key), []message.DeliveryID{"A2", "B1"})
		live, _ := tx.ListLiveOutbox()
		same(t, "live", ids(live, key), []message.DeliveryID{"A2", "B1"})
		if live[0].Body != nil || len(live[0].Media) != 2 {
			t.Errorf("live row: %+v", live[0])
		}
		sent, _ := tx.ListOutbox(OutboxFilter{States: []OutboxState{OutboxSent}, Channel: "net", Account: "a", Conversation: "A", RunID: "r"})
		same(t, "sent", ids(sent, key), []message.DeliveryID{"A1"})
		none, _ := tx.ListOutbox(OutboxFilter{Channel: "other"})
		same(t, "of another channel", len(none), 0)
		if seq, err := tx.MoveOutboxToEnd("A1"); err != nil || seq != 3 {
			t.Errorf("move: %d %v, want 3", seq, err)
		}
		doubtful, _ := tx.GetOutbox("B1")
		doubtful.DoubtMS = 1
		if err := tx.UpdateOutbox(doubtful, OutboxQueued); err != nil {
			return err
		}
		dropped, err := tx.DropOutboxOfAccount("net", "a", "account_removed")
		same(t, "dropped", dropped, []message.DeliveryID{"A2"})
		counts, _ := tx.CountOutbox()
		same(t, "counts", counts, map[OutboxState]int64{OutboxSent: 1, OutboxDropped: 1, OutboxQueued: 1})
		n, _ := tx.SweepOutbox(testTime.UnixMilli()+1, 10, OutboxSent, OutboxDropped)
		same(t, "swept", n, int64(2))
		return err
	})
}

func TestIdempotencyRowsExpire(t *testing.T) {
	c := clock.NewFake(testTime)
	db := openAt(t, filepath.Join(t.TempDir(), "journal.db"), c)
	row := IdemRow{Method: "agent", Key: "k", Caller: "me", ParamsHash: "h", Answer: []byte("{}"), ExpiresMS: testTime.UnixMilli() + 1000}
	update(t, db, func(tx *Tx) error { return tx.PutIdem(row) })
	view(t, db, func(tx *Tx) error {
		got, err := tx.GetIdem("agent", "k")
		same(t, "row", got, row)
		return err
	})
	c.Advance(time.Second)
	update(t, db, func(tx *Tx) error {
		_, err := tx.GetIdem("agent", "k")
		is(t, "expired", err, ErrNotFound)
		n, err := tx.SweepIdem()
		same(t, "swept", n, int64(1))
		return err
	})
}

func TestSmallTables(t *testing.T) {
	db := openTest(t)
	update(t, db, func(tx *Tx) error {
		w := WorkerRow{ID: "telegram", Desired: DesiredOff, PinnedSHA256: "p", LastGoodSHA256: "g", Restarts: 3, LastExit: "killed", PID: 7, StartTicks: 1 << 63, Executable: "/x"}
		if err := errors.Join(tx.PutWorker(WorkerRow{ID: "telegram"}), tx.PutWorker(w)); err != nil {
			return err
		}
		got, err := tx.ListWorkers()
		same(t, "workers", got, []WorkerRow{w})
		for _, want := range []bool{true, false} {
			if was, err := tx.DeleteWorker("telegram"); err != nil || was != want {
				t.Errorf("delete: %v %v, want %v", was, err, want)
			}
		}
		_, missing := tx.GetWorker("telegram")
		is(t, "deleted worker", missing, ErrNotFound)
		return err
	})
	update(t, db, func(tx *Tx) error {
		for i, want := range []bool{true, false} {
			if first, err := tx.FireSlot("job", 100, "r"); err != nil || first != want {
				t.Errorf("fire %d: %v %v, want %v", i, first, err, want)
			}
		}
		for _, text := range []string{"one", "two"} {
			if _, err := tx.AddSystemEvent("s", text); err != nil {
				return err
			}
		}
		if _, err := tx.AddSystemEvent("other", "three"); err != nil {
			return err
		}
		taken, err := tx.TakeSystemEvents("s")
		same(t, "taken", ids(taken, func(e SystemEventRow) string { return e.Text }), []string{"one", "two"})
		again, _ := tx.TakeSystemEvents("s")
		same(t, "again", len(again), 0)
		return err
	})
	update(t, db, func(tx *Tx) error {
		for _, v := range []string{"1", "2"} {
			if err := tx.PutCursor(CursorRow{"net", "a", "offset", v}); err != nil {
				return err
			}
		}
		cursors, err := tx.ListCursors("net", "a")
		same(t, "cursors", cursors, []CursorRow{{"net", "a", "offset", "2"}})
		s := SessionRow{SessionKey: "k", AgentID: "main", SessionID: "i", Entry: []byte(`{"a":1}`), UpdatedMS: 5}
		if err := tx.PutSession(s); err != nil {
			return err
		}
		got, _ := tx.GetSession("k")
		same(t, "session", got, s)
		listed, _ := tx.ListSessions("work")
		same(t, "sessions of another agent", len(listed), 0)
		return err
	})
}

func TestOldRowsAreForgottenByThemselves(t *testing.T) {
	c := clock.NewFake(testTime)
	db := openAt(t, filepath.Join(t.TempDir(), "journal.db"), c)
	update(t, db, func(tx *Tx) error {
		if _, err := tx.FireSlot("job", testTime.UnixMilli(), "r"); err != nil {
			return err
		}
		if _, _, err := tx.BeginRunCall("old", "c", "send"); err != nil {
			return err
		}
		return errors.Join(tx.InsertRun(RunRow{RunID: "old", Source: SourceChat}), tx.InsertRun(RunRow{RunID: "live", Source: SourceChat}), tx.EndRun("old", RunFinished, nil, ""))
	})
	limit := time.After(20 * time.Second)
	for swept := false; !swept; {
		select {
		case <-limit:
			t.Fatal("an old run was never forgotten")
		case <-time.After(time.Millisecond):
			c.Advance(24 * time.Hour)
		}
		view(t, db, func(tx *Tx) error {
			_, err := tx.GetRun("old")
			swept = errors.Is(err, ErrNotFound)
			return nil
		})
	}
	view(t, db, func(tx *Tx) error {
		_, err := tx.GetRunCall("old", "c")
		is(t, "the old run's call", err, ErrNotFound)
		_, err = tx.GetRun("live")
		return err
	})
}
