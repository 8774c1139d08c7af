package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent/agenttest"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/lane"
)

const patience = 10 * time.Second

// world is a Runner with a real journal, over a scripted runtime behind real gRPC.
type world struct {
	t      *testing.T
	path   string
	db     *journal.DB
	lanes  *lane.Lanes
	runner *Runner
	agent  *agenttest.Scripted

	mu        sync.Mutex // guards all below
	process   *agenttest.Process
	gone      chan struct{} // closed when process died
	blameless bool
	dead      []*agenttest.Process // handed out first, as a pool does that has not yet heard of a death
	delivered []Delivery
	chat      []protocol.ChatEvent
	changed   chan struct{}
}

func newWorld(t *testing.T, script *agenttest.Scripted) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "journal.db"), agent: script, changed: make(chan struct{}, 1)}
	w.spawn()
	w.open()
	t.Cleanup(w.close)
	return w
}

// open starts a supervisor's life; close ends it.
func (w *world) open() {
	w.t.Helper()
	db, err := journal.Open(w.t.Context(), journal.Config{Path: w.path})
	if err != nil {
		w.t.Fatal(err)
	}
	w.db, w.lanes = db, lane.New(lane.Config{})
	w.runner = New(Config{DB: db, Lanes: w.lanes, Agents: w, Planner: w, Sessions: w, Deliverer: w, Typist: w, Events: w, Clock: clock.System(), StuckAfter: time.Minute})
}

func (w *world) close() {
	w.lanes.Stop()
	w.runner.Wait()
	if err := w.db.Close(); err != nil {
		w.t.Error(err)
	}
}

func (w *world) spawn() {
	p := agenttest.Start(w.t, w.agent)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.process, w.gone = p, make(chan struct{})
}

// kill ends the runtime's process and starts another one. A script may call it from inside a run.
func (w *world) kill(blameless bool) {
	w.mu.Lock()
	old, gone := w.process, w.gone
	w.blameless = blameless
	w.mu.Unlock()
	w.spawn()
	close(gone)
	go old.Die()
}

// Await implements Agents.
func (w *world) Await(ctx context.Context) (Living, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	client := w.process.Client
	if n := len(w.dead); n > 0 {
		client, w.dead = w.dead[0].Client, w.dead[1:]
	}
	return Living{Client: client, Blameless: func(context.Context) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.blameless
	}}, ctx.Err()
}

// Plan implements Planner.
func (w *world) Plan(_ *journal.Tx, wish Wish) (string, Plan, error) {
	if wish.SessionKey == "refused" {
		return "", Plan{}, errors.New("no such session")
	}
	return "session-id", Plan{Route: wish.Route, SessionKeyAsSent: wish.AsSent, Inputs: wish.Inputs, Transcript: "/t.jsonl", Workspace: "/w"}, nil
}

// Patch implements Sessions.
func (w *world) Patch(*journal.Tx, string, json.RawMessage) error { return nil }

// Deliver implements Deliverer: as the outbox does, it knows a part that was inserted before.
func (w *world) Deliver(tx *journal.Tx, d Delivery) error {
	_, inserted, err := tx.InsertOutbox(journal.OutboxRow{DeliveryID: "d-" + deliveryName(d), RunID: d.RunID, Part: d.Part, Channel: d.Route.Channel, Conversation: d.Route.Conversation})
	if inserted {
		tx.OnCommit(func() {
			w.mu.Lock()
			w.delivered = append(w.delivered, d)
			w.mu.Unlock()
			w.poke()
		})
	}
	return err
}

// Typing implements Typist.
func (w *world) Typing(Route) func() { return func() {} }

// Chat implements Events.
func (w *world) Chat(e protocol.ChatEvent) {
	w.mu.Lock()
	w.chat = append(w.chat, e)
	w.mu.Unlock()
	w.poke()
}

// Agent implements Events.
func (w *world) Agent(protocol.AgentEvent, string) {}

func (w *world) poke() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *world) admit(key, text string) Admitted {
	w.t.Helper()
	a, err := w.runner.Admit(w.t.Context(), Admission{Method: "chat.send", Key: key, Source: journal.SourceChat, Wish: Wish{
		AgentID: "main", SessionKey: "agent:main:main", AsSent: "main", Inputs: []Input{{ID: "i-" + key, Text: text}},
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) ended(a Admitted) Final {
	w.t.Helper()
	select {
	case <-a.Done:
		return a.Outcome()
	case <-time.After(patience):
		w.t.Fatal("the run did not end")
		panic("unreachable")
	}
}

func (w *world) row(key string) journal.RunRow {
	w.t.Helper()
	var row journal.RunRow
	err := w.db.View(w.t.Context(), func(tx *journal.Tx) (err error) {
		row, err = tx.FindRunByClientKey(key)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

// inbox stores a message and runs it, as the router does.
func (w *world) inbox(ctx context.Context, text string) (id int64, err error) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), func(tx *journal.Tx) (err error) {
		id, _, err = tx.InsertInbox(journal.InboxRow{Channel: "telegram", Account: "default", EventKey: text, Kind: journal.InboxMessage, Conversation: "c1", Body: []byte("b")})
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return id, w.runner.RunInbound(ctx, Wish{
		AgentID: "main", SessionKey: "agent:main:main", Route: Route{Channel: "telegram", Conversation: "c1", ReplyTo: "m1", Deliver: true},
		Inputs: []Input{{ID: fmt.Sprint(id), Text: text}},
	}, []int64{id})
}

func (w *world) inboxState(id int64) journal.InboxState {
	w.t.Helper()
	var row journal.InboxRow
	if err := w.db.View(w.t.Context(), func(tx *journal.Tx) (err error) { row, err = tx.GetInbox(id); return err }); err != nil {
		w.t.Fatal(err)
	}
	return row.State
}

func texts(ds []Delivery) []string {
	var out []string
	for _, d := range ds {
		out = append(out, d.Part+":"+d.Text)
	}
	return out
}

func deliveryName(d Delivery) message.DeliveryID { return message.DeliveryID(d.RunID + d.Part) }

func TestARunIsAcknowledgedFirstThenRunThenRemembered(t *testing.T) {
	w := newWorld(t, &agenttest.Scripted{})
	a := w.admit("k1", "hi")
	if a.Existing || a.RunID != "k1" {
		t.Fatalf("admitted %+v", a)
	}
	if again := w.admit("k1", "other words"); !again.Existing || again.Ended {
		t.Errorf("a known key before its run began: %+v", again)
	}
	if n := len(w.agent.Runs()); n != 0 {
		t.Errorf("%d runs before Begin", n)
	}
	a.Begin()
	a.Begin()
	f := w.ended(a)
	if f.Result.Status != protocol.AgentOK || f.Result.Result.Payloads[0].Text != "ok" {
		t.Errorf("final %+v", f.Result)
	}
	if again := w.admit("k1", "hi"); !again.Ended || again.Final.Result.Result.Payloads[0].Text != "ok" {
		t.Errorf("a known key after the end: %+v", again)
	}
	if n := len(w.agent.Runs()); n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.chat[len(w.chat)-1]
	if last.State != protocol.ChatFinal || last.SessionKey != "agent:main:main" || last.RunID != "k1" {
		t.Errorf("last chat event %+v", last)
	}
}

func TestAnAnswerGoesOutOnceWithItsMessageDone(t *testing.T) {
	w := newWorld(t, &agenttest.Scripted{})
	id, err := w.inbox(t.Context(), "hi")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(texts(w.delivered), []string{"1:ok"}); d != "" {
		t.Errorf("delivered (-got +want):\n%s", d)
	}
	if s := w.inboxState(id); s != journal.InboxDone {
		t.Errorf("the message is %s", s)
	}
}

func TestADeathOfTheRuntimeIsResumedWithWhatWasDelivered(t *testing.T) {
	script := &agenttest.Scripted{}
	w := newWorld(t, script)
	first := true
	script.OnRun = func(ctx context.Context, r agent.RunRequest, emit func(agent.RunEvent) error) error {
		if !first {
			if d := cmp.Diff(r.Delivered, []agent.Part{{N: 1, Text: "part one"}}); d != "" {
				t.Errorf("delivered parts (-got +want):\n%s", d)
			}
			return emit(agent.RunEvent{Finished: &agent.Finished{Status: agent.RunOK, Parts: []agent.Part{{N: 1, Text: "part one"}, {N: 2, Text: "part two"}}}})
		}
		first = false
		if err := emit(agent.RunEvent{Progress: &agent.Progress{EntryID: "e1"}}); err != nil {
			return err
		}
		if err := emit(agent.RunEvent{Part: &agent.Part{N: 1, Text: "part one"}}); err != nil {
			return err
		}
		w.awaitDelivered(1)
		w.kill(false)
		<-ctx.Done()
		return ctx.Err()
	}
	if _, err := w.inbox(t.Context(), "hi"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(texts(w.delivered), []string{"1:part one", "2:part two"}); d != "" {
		t.Errorf("delivered (-got +want):\n%s", d)
	}
	runs := script.Runs()
	if len(runs) != 2 || runs[0].RunID != runs[1].RunID || runs[1].Attempt != runs[0].Attempt+1 {
		t.Errorf("attempts: %+v", runs)
	}
}

func (w *world) awaitDelivered(n int) {
	deadline := time.After(patience)
	for {
		w.mu.Lock()
		have := len(w.delivered)
		w.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-w.changed:
		case <-deadline:
			w.t.Error("no delivery in time")
			return
		}
	}
}

func TestPoisonIsParkedAfterThreeChargesAndSaidOnce(t *testing.T) {
	script := &agenttest.Scripted{}
	w := newWorld(t, script)
	script.OnRun = func(ctx context.Context, r agent.RunRequest, emit func(agent.RunEvent) error) error {
		if r.Inputs[0].Text == "poison" {
			w.kill(false)
			<-ctx.Done()
			return ctx.Err()
		}
		return agenttest.Answer(emit, "fine")
	}
	id, err := w.inbox(t.Context(), "poison")
	if err != nil {
		t.Fatal(err)
	}
	if s := w.inboxState(id); s != journal.InboxParked {
		t.Errorf("the message is %s", s)
	}
	if n := len(script.Runs()); n != MaxCharges {
		t.Errorf("%d attempts, want %d", n, MaxCharges)
	}
	if len(w.delivered) != 1 || w.delivered[0].Part != "notice" {
		t.Errorf("delivered %v", texts(w.delivered))
	}
	if _, err := w.inbox(t.Context(), "next"); err != nil {
		t.Fatal(err)
	}
	if got := texts(w.delivered); got[len(got)-1] != "1:fine" {
		t.Errorf("the conversation did not go on: %v", got)
	}
}

func TestDeathsThatSomebodyAskedForParkNobody(t *testing.T) {
	script := &agenttest.Scripted{}
	w := newWorld(t, script)
	script.OnRun = func(ctx context.Context, _ agent.RunRequest, emit func(agent.RunEvent) error) error {
		if len(script.Runs()) <= 2*MaxCharges {
			w.kill(true)
			<-ctx.Done()
			return ctx.Err()
		}
		return agenttest.Answer(emit, "at last")
	}
	if _, err := w.inbox(t.Context(), "hi"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(texts(w.delivered), []string{"1:at last"}); d != "" {
		t.Errorf("delivered (-got +want):\n%s", d)
	}
}

func TestADeathBeforeTheHandOverChargesNobody(t *testing.T) {
	w := newWorld(t, &agenttest.Scripted{})
	for range MaxCharges {
		p := agenttest.Start(t, w.agent)
		p.Die()
		w.dead = append(w.dead, p)
	}
	if _, err := w.inbox(t.Context(), "hi"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(texts(w.delivered), []string{"1:ok"}); d != "" {
		t.Errorf("delivered (-got +want):\n%s", d)
	}
}

func TestProgressMakesADeathBlameless(t *testing.T) {
	script := &agenttest.Scripted{}
	w := newWorld(t, script)
	script.OnRun = func(ctx context.Context, _ agent.RunRequest, emit func(agent.RunEvent) error) error {
		n := len(script.Runs())
		if n > 2*MaxCharges {
			return agenttest.Answer(emit, "long work")
		}
		if err := emit(agent.RunEvent{Progress: &agent.Progress{EntryID: fmt.Sprint("e", n)}}); err != nil {
			return err
		}
		// The answer to this call comes after the progress was read.
		if err := emit(agent.RunEvent{Part: &agent.Part{N: n, Text: fmt.Sprint("p", n)}}); err != nil {
			return err
		}
		w.awaitDelivered(n)
		w.kill(false)
		<-ctx.Done()
		return ctx.Err()
	}
	if _, err := w.inbox(t.Context(), "hi"); err != nil {
		t.Fatal(err)
	}
	if got := texts(w.delivered); !slices.Contains(got, "1:p1") || len(script.Runs()) != 2*MaxCharges+1 {
		t.Errorf("after %d attempts: %v", len(script.Runs()), got)
	}
}

func TestASupervisorThatComesBackTakesItsRunsUp(t *testing.T) {
	script := &agenttest.Scripted{}
	w := newWorld(t, script)
	started := make(chan struct{}, 4)
	script.OnRun = func(ctx context.Context, _ agent.RunRequest, _ func(agent.RunEvent) error) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	running := w.admit("running", "one")
	running.Begin()
	<-started
	w.admit("acknowledged", "two") // the supervisor dies before Begin
	w.close()
	script.OnRun = nil
	w.open()
	if err := w.runner.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"running", "acknowledged"} {
		f := w.ended(w.admit(key, "again"))
		if f.Result.Status != protocol.AgentOK || f.Result.RunID != key {
			t.Errorf("%s ended %+v", key, f.Result)
		}
		if row := w.row(key); row.State != journal.RunFinished || row.StalledAttempts != 0 {
			t.Errorf("%s is %s with %d charges", key, row.State, row.StalledAttempts)
		}
	}
}

func TestAbortIsToldAtOnceAndStored(t *testing.T) {
	script := &agenttest.Scripted{}
	w := newWorld(t, script)
	started, aborted := make(chan struct{}), make(chan struct{})
	script.OnRun = func(_ context.Context, _ agent.RunRequest, emit func(agent.RunEvent) error) error {
		close(started)
		<-aborted
		return emit(agent.RunEvent{Finished: &agent.Finished{Status: agent.RunAborted, StopReason: "aborted"}})
	}
	script.OnAbort = func(context.Context, string, string) (bool, error) { close(aborted); return true, nil }
	a := w.admit("k", "slow")
	a.Begin()
	<-started
	waiting := w.admit("w", "waits for its lane")
	waiting.Begin()
	if _, err := w.runner.Abort(t.Context(), "agent:main:other", "k", "rpc"); !errors.Is(err, ErrOtherSession) {
		t.Errorf("abort of another session's run: %v", err)
	}
	if d := cmp.Diff(w.runner.AbortSession(t.Context(), "agent:main:main", "rpc"), []string{"k", "w"}); d != "" {
		t.Errorf("aborted (-got +want):\n%s", d)
	}
	if f := w.ended(a); f.Aborted != "rpc" {
		t.Errorf("final %+v", f)
	}
	w.ended(waiting)
	for _, key := range []string{"k", "w"} {
		if row := w.row(key); row.State != journal.RunAborted {
			t.Errorf("%s is %s", key, row.State)
		}
	}
	if n := len(script.Runs()); n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var states []string
	for _, e := range w.chat {
		states = append(states, e.RunID+" "+string(e.State)+" "+e.SessionKey+" "+e.StopReason)
	}
	if d := cmp.Diff(states, []string{"k aborted main rpc", "w aborted main rpc"}); d != "" {
		t.Errorf("chat events (-got +want):\n%s", d)
	}
}

func TestARunWithoutProgressIsEndedAndTheLaneGoesOn(t *testing.T) {
	script := &agenttest.Scripted{}
	w := newWorld(t, script)
	w.runner.cfg.StuckAfter = 50 * time.Millisecond
	script.OnRun = func(ctx context.Context, r agent.RunRequest, emit func(agent.RunEvent) error) error {
		if r.Inputs[0].Text == "hang" {
			<-ctx.Done()
			return ctx.Err()
		}
		return agenttest.Answer(emit, "fine")
	}
	if _, err := w.inbox(t.Context(), "hang"); err != nil {
		t.Fatal(err)
	}
	if len(w.delivered) != 1 || w.delivered[0].Part != "error" {
		t.Fatalf("the person was told %v", texts(w.delivered))
	}
	if _, err := w.inbox(t.Context(), "next"); err != nil {
		t.Fatal(err)
	}
	if got := texts(w.delivered); got[len(got)-1] != "1:fine" {
		t.Errorf("the lane did not go on: %v", got)
	}
}

func TestARefusedPlanStoresNothing(t *testing.T) {
	w := newWorld(t, &agenttest.Scripted{})
	_, err := w.runner.Admit(t.Context(), Admission{Method: "agent", Key: "k", Wish: Wish{SessionKey: "refused"}})
	if err == nil {
		t.Fatal("a run without a plan was admitted")
	}
	if err := w.db.View(t.Context(), func(tx *journal.Tx) error {
		_, err := tx.FindRunByClientKey("k")
		if !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("the run is stored: %v", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
