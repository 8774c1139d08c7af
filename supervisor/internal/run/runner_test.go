package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent/agenttest"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

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
