package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
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
