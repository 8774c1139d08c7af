package turn

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/transcript"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

func TestAnswerIsStoredBeforeItIsTold(t *testing.T) {
	b := newBench(t, nil, reply{text: []string{"one", " two"}})
	var sizeAtFinish int64
	var got events
	err := b.engine.Run(t.Context(), b.snap, b.request("hello"), func(e agent.RunEvent) error {
		got = append(got, e)
		if e.Finished != nil {
			info, err := os.Stat(b.path)
			if err != nil {
				return err
			}
			sizeAtFinish = info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(b.path)
	if err != nil || info.Size() != sizeAtFinish {
		t.Errorf("transcript grew after Finished: %d, was %d (%v)", info.Size(), sizeAtFinish, err)
	}
	f := got.finished(t)
	if f.Status != agent.RunOK || f.StopReason != "stop" || f.Provider != "fake" || f.Model != "one" {
		t.Errorf("finished: %+v", f)
	}
	if diff := cmp.Diff(f.Parts, []agent.Part{{N: 1, Text: "one two"}}); diff != "" {
		t.Errorf("parts (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(string(f.SessionPatch), `{"contextTokens":32000,"inputTokens":10,"model":"one","modelProvider":"fake","outputTokens":2,"totalTokens":10}`); diff != "" {
		t.Errorf("session patch (-got +want):\n%s", diff)
	}
	if f.Usage.Cost != 10 {
		t.Errorf("cost: got %v, want 10", f.Usage.Cost)
	}
	var deltas []string
	for _, e := range got {
		if e.Assistant != nil {
			deltas = append(deltas, e.Assistant.Delta+"|"+e.Assistant.Text)
		}
	}
	if diff := cmp.Diff(deltas, []string{"one|one", " two|one two"}); diff != "" {
		t.Errorf("deltas (-got +want):\n%s", diff)
	}
	if got[0].Started == nil || got[0].Started.Resumed || cmp.Diff(got.stored(), []string{"a"}) != "" {
		t.Errorf("first events: %+v", got[:2])
	}
}

func TestToolCallsAreMadeOneByOne(t *testing.T) {
	var used []string
	note := noteTool{name: "note", do: func(_ context.Context, c tool.Call) (tool.Result, error) {
		used = append(used, c.ToolCallID+string(c.Args))
		if len(used) == 2 {
			return tool.Result{}, errors.New("no ink")
		}
		return tool.Text("noted"), nil
	}}
	b := newBench(t, []tool.Tool{note},
		reply{text: []string{"let me see"}, calls: []chat.Block{call("c", "note", `{"x":1}`), call("c", "note", `{"x":2}`)}},
		reply{calls: []chat.Block{call("c", "note", `{"x":"three"}`), call("d", "gone", `{}`), call("e", "note", `[1]`)}},
		reply{text: []string{"done"}})
	f := b.run(b.request("go")).finished(t)
	if diff := cmp.Diff(used, []string{`c{"x":1}`, `c_2{"x":2}`}); diff != "" {
		t.Errorf("uses (-got +want):\n%s", diff)
	}
	got := b.messages()
	want := []string{
		"user: go", "assistant/toolUse: let me see<note c><note c_2>", "toolResult: noted", "toolResult: no ink",
		"assistant/toolUse: <note c_3><gone d><note e>",
		`toolResult: arguments of note do not fit: validating root: validating /properties/x: type: three has type "string", want "integer"`,
		`toolResult: Tool "gone" does not exist or is not allowed here. Available: note`,
		"toolResult: arguments of note are no JSON object", "assistant/stop: done",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("transcript (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(f.Parts, []agent.Part{{N: 1, Text: "let me see"}, {N: 2, Text: "done"}}); diff != "" {
		t.Errorf("parts (-got +want):\n%s", diff)
	}
}

func TestSteeredInputSkipsTheRest(t *testing.T) {
	var b *bench
	note := noteTool{name: "note", do: func(context.Context, tool.Call) (tool.Result, error) {
		for range 2 { // twice: the second is the same input
			if !b.engine.Steer("R1", agent.Input{ID: "s", Text: "stop that"}) {
				t.Error("steer was refused")
			}
		}
		return tool.Text("noted"), nil
	}}
	b = newBench(t, []tool.Tool{note},
		reply{calls: []chat.Block{call("c", "note", `{}`), call("d", "note", `{}`)}}, reply{text: []string{"all right"}})
	ev := b.run(b.request("go"))
	want := []string{
		"user: go", "assistant/toolUse: <note c><note d>", "toolResult: noted", "toolResult: Skipped due to queued user message.",
		"user: stop that", "assistant/stop: all right",
	}
	if diff := cmp.Diff(b.messages(), want); diff != "" {
		t.Errorf("transcript (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(ev.stored(), []string{"a", "s"}); diff != "" {
		t.Errorf("stored inputs (-got +want):\n%s", diff)
	}
	if b.engine.Steer("R1", agent.Input{ID: "z"}) {
		t.Error("a run that has ended took an input")
	}
}

func TestInputThatComesWhileTheModelAnswersIsTakenAfterwards(t *testing.T) {
	hold := make(chan struct{})
	b := newBench(t, nil, reply{text: []string{"first"}, hold: hold}, reply{text: []string{"second"}})
	var ev events
	err := b.engine.Run(t.Context(), b.snap, b.request("go"), func(e agent.RunEvent) error {
		if e.Assistant != nil && e.Assistant.Text == "first" {
			b.engine.Steer("R1", agent.Input{ID: "s", Text: "and this"})
			close(hold)
		}
		ev = append(ev, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ev.finished(t).Parts, []agent.Part{{N: 1, Text: "first"}, {N: 2, Text: "second"}}); diff != "" {
		t.Errorf("parts (-got +want):\n%s", diff)
	}
}

func TestAbort(t *testing.T) {
	b := newBench(t, nil, reply{text: []string{"half an"}, hold: make(chan struct{})})
	var ev events
	err := b.engine.Run(t.Context(), b.snap, b.request("go"), func(e agent.RunEvent) error {
		if e.Assistant != nil && !b.engine.Abort("R1", "rpc") {
			t.Error("abort found no run")
		}
		ev = append(ev, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f := ev.finished(t)
	if f.Status != agent.RunAborted || f.StopReason != "aborted" || len(f.Parts) != 0 {
		t.Errorf("finished: %+v", f)
	}
	if b.engine.Abort("R1", "rpc") {
		t.Error("a second abort found a run")
	}
	if diff := cmp.Diff(b.messages(), []string{"user: go", "assistant/aborted: half an"}); diff != "" {
		t.Errorf("transcript (-got +want):\n%s", diff)
	}
	if again := b.run(b.request("go")).finished(t); again.Status != agent.RunAborted || b.model.calls() != 1 {
		t.Errorf("asked again: %+v, %d model calls", again, b.model.calls())
	}
}

func TestAbortDuringATool(t *testing.T) {
	var b *bench
	wait := noteTool{name: "wait", do: func(ctx context.Context, _ tool.Call) (tool.Result, error) {
		b.engine.Abort("R1", "stop")
		<-ctx.Done()
		return tool.Result{}, errors.New("ended early")
	}}
	b = newBench(t, []tool.Tool{wait}, reply{calls: []chat.Block{call("c", "wait", `{}`), call("d", "wait", `{}`)}})
	f := b.run(b.request("go")).finished(t)
	if f.Status != agent.RunAborted {
		t.Errorf("finished: %+v", f)
	}
	want := []string{
		"user: go", "assistant/toolUse: <wait c><wait d>", "toolResult: ended early",
		"toolResult: Not run: the run was ended before.", "assistant/aborted: ",
	}
	if diff := cmp.Diff(b.messages(), want); diff != "" {
		t.Errorf("transcript (-got +want):\n%s", diff)
	}
}

func TestTimeout(t *testing.T) {
	b := newBench(t, nil, reply{text: []string{"endless"}, hold: make(chan struct{})})
	req := b.request("go")
	req.Timeout = 50 * time.Millisecond
	f := b.run(req).finished(t)
	if f.Status != agent.RunFailed || f.ErrorCode != "timeout" || !strings.Contains(f.ErrorText, "50ms") {
		t.Errorf("finished: %+v", f)
	}
}

func TestModelErrors(t *testing.T) {
	limit := &provider.Error{Kind: provider.KindRateLimit, Provider: "fake", Model: "one", Status: 429, RetryAfter: 7 * time.Second}
	auth := &provider.Error{Kind: provider.KindAuth, Provider: "fake", Model: "one", Status: 401}
	odd := &provider.Error{Kind: provider.KindUnknown, Provider: "fake", Model: "one"}
	tests := []struct {
		name    string
		replies []reply
		status  agent.RunStatus
		code    string
		model   string
		calls   int
		waits   []time.Duration
	}{
		{"again after a rate limit", []reply{{err: limit}, {text: []string{"ok"}}}, agent.RunOK, "", "one", 2, []time.Duration{7 * time.Second}},
		{"next model after a refused key", []reply{{err: auth}, {text: []string{"ok"}}}, agent.RunOK, "", "two", 2, nil},
		{"all models failed", []reply{{err: auth}, {err: auth}}, agent.RunFailed, "auth", "two", 2, nil},
		{"three tries, then the next", []reply{{err: limit}, {err: limit}, {err: limit}, {text: []string{"ok"}}}, agent.RunOK, "", "two", 4,
			[]time.Duration{7 * time.Second, 7 * time.Second}},
		{"no second try of what nobody knows", []reply{{err: odd}}, agent.RunFailed, "unknown", "one", 1, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, nil, tt.replies...)
			f := b.run(b.request("go")).finished(t)
			if f.Status != tt.status || f.ErrorCode != tt.code || f.Model != tt.model {
				t.Errorf("finished: %+v", f)
			}
			if b.model.calls() != tt.calls {
				t.Errorf("model calls: got %d, want %d", b.model.calls(), tt.calls)
			}
			if diff := cmp.Diff(b.waits, tt.waits); diff != "" {
				t.Errorf("waits (-got +want):\n%s", diff)
			}
			if tt.status != agent.RunFailed {
				return
			}
			got := b.messages()
			if last := got[len(got)-1]; last != "assistant/error: " {
				t.Errorf("last message: got %q, want an error entry", last)
			}
			again := b.run(b.request("go")).finished(t)
			if diff := cmp.Diff(again, f); diff != "" || b.model.calls() != tt.calls {
				t.Errorf("asked again, %d calls (-again +first):\n%s", b.model.calls(), diff)
			}
		})
	}
}

func TestModelThatNobodyKnows(t *testing.T) {
	b := newBench(t, nil)
	req := b.request("go")
	req.Policy.Model = "nobody/m"
	f := b.run(req).finished(t)
	if f.Status != agent.RunFailed || !strings.Contains(f.ErrorText, "models.providers.nobody") {
		t.Errorf("finished: %+v", f)
	}
	if diff := cmp.Diff(b.messages(), []string{"user: go", "assistant/error: "}); diff != "" {
		t.Errorf("transcript (-got +want):\n%s", diff)
	}
}

func TestDrainInterruptsAndTheRunIsResumed(t *testing.T) {
	b := newBench(t, nil, reply{text: []string{"half"}, hold: make(chan struct{})}, reply{text: []string{"whole"}})
	ctx, cancel := context.WithCancel(t.Context())
	drained := make(chan struct{})
	err := b.engine.Run(t.Context(), b.snap, b.request("go"), func(e agent.RunEvent) error {
		if e.Assistant != nil {
			go func() {
				defer close(drained)
				b.engine.Drain(ctx)
			}()
			cancel()
		}
		if e.Finished != nil {
			t.Error("an interrupted run finished")
		}
		return nil
	})
	if !errors.Is(err, errInterrupted) {
		t.Errorf("run: got %v, want %v", err, errInterrupted)
	}
	<-drained
	if err := b.engine.Run(t.Context(), b.snap, b.request("go"), func(agent.RunEvent) error { return nil }); !errors.Is(err, ErrDraining) {
		t.Errorf("run while draining: got %v, want %v", err, ErrDraining)
	}
	b.engine = New(b.engine.cfg)
	if diff := cmp.Diff(b.run(b.request("go")).finished(t).Parts, []agent.Part{{N: 1, Text: "whole"}}); diff != "" {
		t.Errorf("parts (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(b.messages(), []string{"user: go", "assistant/stop: whole"}); diff != "" {
		t.Errorf("transcript (-got +want):\n%s", diff)
	}
}

func TestALongFastAnswerIsToldInLargerSteps(t *testing.T) {
	var pieces []string
	for range 2000 {
		pieces = append(pieces, strings.Repeat("x", 100))
	}
	b := newBench(t, nil, reply{text: pieces})
	var told, sum int
	var last string
	for _, e := range b.run(b.request("go")) {
		if e.Assistant != nil {
			told += len(e.Assistant.Text)
			sum += len(e.Assistant.Delta)
			last = e.Assistant.Text
		}
	}
	if sum != 200000 || last != strings.Join(pieces, "") {
		t.Errorf("deltas hold %d bytes, the last text %d, want 200000", sum, len(last))
	}
	if told > 20*200000 {
		t.Errorf("the events hold %d bytes for an answer of 200000", told)
	}
}

func TestAnswerWithoutEndIsGivenUp(t *testing.T) {
	b := newBench(t, nil, reply{text: []string{strings.Repeat("x", maxText), "y"}})
	if f := b.run(b.request("go")).finished(t); f.Status != agent.RunFailed || !strings.Contains(f.ErrorText, "longer than") {
		t.Errorf("finished: %+v", f)
	}
}

func TestAbortWhileTheTranscriptIsHeldByAnother(t *testing.T) {
	b := newBench(t, nil)
	f, err := transcript.Open(t.Context(), transcript.Options{Path: b.path})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	done := make(chan events)
	go func() { done <- b.run(b.request("go")) }()
	deadline := time.Now().Add(10 * time.Second)
	for !b.engine.Abort("R1", "rpc") {
		if time.Now().After(deadline) {
			t.Fatal("the run did not begin")
		}
		time.Sleep(time.Millisecond)
	}
	if fin := (<-done).finished(t); fin.Status != agent.RunAborted {
		t.Errorf("finished: %+v", fin)
	}
}

func TestTheSameCallIsNotMadeForEver(t *testing.T) {
	used := 0
	note := noteTool{name: "note", do: func(context.Context, tool.Call) (tool.Result, error) {
		used++
		return tool.Text("noted"), nil
	}}
	var replies []reply
	for range 12 {
		replies = append(replies, reply{calls: []chat.Block{call("c", "note", `{"x":1}`)}})
	}
	replies = append(replies, reply{calls: []chat.Block{call("c", "note", `{"x":2}`)}}, reply{text: []string{"done"}})
	b := newBench(t, []tool.Tool{note}, replies...)
	if f := b.run(b.request("go")).finished(t); f.Status != agent.RunOK || used != 11 {
		t.Errorf("finished %+v, the tool was used %d times, want 11", f, used)
	}
	if got := strings.Count(strings.Join(b.messages(), "\n"), "Not run: this is the same call"); got != 2 {
		t.Errorf("%d calls were refused, want 2", got)
	}
}
