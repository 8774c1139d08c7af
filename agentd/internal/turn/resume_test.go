package turn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/transcript"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// Environment of a test process that begins a run and kills itself.
const (
	dieAt  = "TURN_TEST_DIE_AT"
	dieDir = "TURN_TEST_DIR"
)

// cuts are the moments at which a process dies: in the middle of telling an event.
func cuts() map[string]func(agent.RunEvent) bool {
	return map[string]func(agent.RunEvent) bool{
		"user entry":      func(e agent.RunEvent) bool { return e.InputStored != nil },
		"mid stream":      func(e agent.RunEvent) bool { return e.Assistant != nil && e.Assistant.Text == "let me" },
		"tool call entry": func(e agent.RunEvent) bool { return e.Usage != nil },
		"tool started":    func(e agent.RunEvent) bool { return e.Tool != nil && e.Tool.Phase == agent.ToolStart },
		"tool result":     func(e agent.RunEvent) bool { return e.Tool != nil && e.Tool.Phase == agent.ToolResult },
		"second call":     func(e agent.RunEvent) bool { return e.Assistant != nil && e.Assistant.Text == "all done" },
		"final entry":     func(e agent.RunEvent) bool { return e.Usage != nil && e.Usage.Total == 24 },
		"finished":        func(e agent.RunEvent) bool { return e.Finished != nil },
	}
}

func story() []reply {
	return []reply{
		{text: []string{"let me", " see"}, calls: []chat.Block{call("c", "note", `{}`)}},
		{text: []string{"all done"}},
	}
}

func notes() tool.Tool {
	return noteTool{name: "note", do: func(context.Context, tool.Call) (tool.Result, error) { return tool.Text("noted"), nil }}
}

// TestDie is the process that dies; it does nothing in an ordinary test run.
func TestDie(t *testing.T) {
	point := os.Getenv(dieAt)
	if point == "" {
		t.Skip("only run by TestRunIsTakenUpAfterADeathAnywhere")
	}
	b := newBench(t, []tool.Tool{notes()}, story()...)
	b.path = filepath.Join(os.Getenv(dieDir), "s.jsonl")
	err := b.engine.Run(t.Context(), b.snap, b.request("go", "on"), func(e agent.RunEvent) error {
		if cuts()[point](e) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	})
	t.Errorf("the run went by %q: %v", point, err)
}

func TestRunIsTakenUpAfterADeathAnywhere(t *testing.T) {
	const user = "user: go|user: on|"
	const asked = user + "assistant/toolUse: let me see<note c>|"
	const lost = "toolResult: interrupted: it is not known whether this took effect|"
	tests := []struct {
		point string
		// left are the replies that the model still has for the second attempt.
		left []reply
		// transcript at the end.
		want  string
		parts []agent.Part
		tools int
	}{
		{"user entry", story(), asked + "toolResult: noted|assistant/stop: all done", []agent.Part{{N: 1, Text: "let me see"}, {N: 2, Text: "all done"}}, 1},
		{"mid stream", story(), asked + "toolResult: noted|assistant/stop: all done", []agent.Part{{N: 1, Text: "let me see"}, {N: 2, Text: "all done"}}, 1},
		{"tool call entry", story()[1:], asked + lost + "assistant/stop: all done", []agent.Part{{N: 1, Text: "let me see"}, {N: 2, Text: "all done"}}, 0},
		{"tool started", story()[1:], asked + lost + "assistant/stop: all done", []agent.Part{{N: 1, Text: "let me see"}, {N: 2, Text: "all done"}}, 0},
		{"tool result", story()[1:], asked + "toolResult: noted|assistant/stop: all done", []agent.Part{{N: 1, Text: "let me see"}, {N: 2, Text: "all done"}}, 0},
		{"second call", story()[1:], asked + "toolResult: noted|assistant/stop: all done", []agent.Part{{N: 1, Text: "let me see"}, {N: 2, Text: "all done"}}, 0},
		{"final entry", nil, asked + "toolResult: noted|assistant/stop: all done", []agent.Part{{N: 1, Text: "let me see"}, {N: 2, Text: "all done"}}, 0},
		{"finished", nil, asked + "toolResult: noted|assistant/stop: all done", []agent.Part{{N: 1, Text: "let me see"}, {N: 2, Text: "all done"}}, 0},
	}
	if len(tests) != len(cuts()) {
		t.Fatalf("%d cases for %d cuts", len(tests), len(cuts()))
	}
	for _, tt := range tests {
		t.Run(tt.point, func(t *testing.T) {
			dir := t.TempDir()
			child := exec.Command(os.Args[0], "-test.run=^TestDie$")
			child.Env = append(os.Environ(), dieAt+"="+tt.point, dieDir+"="+dir, "TMPDIR="+dir)
			out, err := child.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the first attempt did not die as it should: %v\n%s", err, out)
			}
			used := 0
			note := noteTool{name: "note", do: func(context.Context, tool.Call) (tool.Result, error) {
				used++
				return tool.Text("noted"), nil
			}}
			b := newBench(t, []tool.Tool{note}, tt.left...)
			b.path = filepath.Join(dir, "s.jsonl")
			req := b.request("go", "on")
			req.Attempt = 2
			ev := b.run(req)
			f := ev.finished(t)
			if diff := cmp.Diff(f.Parts, tt.parts); diff != "" {
				t.Errorf("parts (-got +want):\n%s", diff)
			}
			if f.Status != agent.RunOK || b.model.calls() != len(tt.left) || used != tt.tools {
				t.Errorf("status %v, %d model calls (want %d), %d tool uses (want %d)", f.Status, b.model.calls(), len(tt.left), used, tt.tools)
			}
			if got := strings.Join(b.messages(), "|"); got != tt.want {
				t.Errorf("transcript:\n got %s\nwant %s", got, tt.want)
			}
			if diff := cmp.Diff(ev.stored(), []string{"a", "b"}); diff != "" || !ev[0].Started.Resumed {
				t.Errorf("stored inputs (-got +want):\n%s\nstarted: %+v", diff, ev[0].Started)
			}
			if f.Usage.Total != 24 {
				t.Errorf("usage: got %d tokens, want 24", f.Usage.Total)
			}
			before := len(b.messages())
			again := b.run(req).finished(t)
			if diff := cmp.Diff(again, f); diff != "" || len(b.messages()) != before || b.model.calls() != len(tt.left) {
				t.Errorf("a third attempt differs (-third +second):\n%s", diff)
			}
		})
	}
}

func TestDeliveredPartsAreContinued(t *testing.T) {
	b := newBench(t, nil, reply{text: []string{"three"}})
	f, err := transcript.Open(t.Context(), transcript.Options{Path: b.path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Append(transcript.MessageEntry(chat.Message{Role: chat.RoleUser, Content: chat.Blocks{chat.Text("go")}}, &transcript.Tag{RunID: "R1", InputID: "a"})); err != nil {
		t.Fatal(err)
	}
	f.Close()
	req := b.request("go")
	req.Delivered = []agent.Part{{N: 1, Text: "one"}, {N: 2, Text: "two"}}
	fin := b.run(req).finished(t)
	want := []agent.Part{{N: 1, Text: "one"}, {N: 2, Text: "two"}, {N: 3, Text: "three"}}
	if diff := cmp.Diff(fin.Parts, want); diff != "" {
		t.Errorf("parts (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(b.messages(), []string{"user: go", "assistant/aborted: one\n\ntwo", "assistant/stop: three"}); diff != "" {
		t.Errorf("transcript (-got +want):\n%s", diff)
	}
	asked := b.model.asked[0].Messages
	if n := len(asked); n != 3 || asked[1].Content.Text() != "one\n\ntwo" || asked[2].Content.Text() != continueText {
		t.Errorf("the model was asked with %+v", asked)
	}
	// The same again: the record is not doubled and the model is not asked.
	if diff := cmp.Diff(b.run(req).finished(t), fin); diff != "" || b.model.calls() != 1 {
		t.Errorf("asked again, %d calls (-again +first):\n%s", b.model.calls(), diff)
	}
}

func TestBlocksAreSentWhileTheModelWrites(t *testing.T) {
	b := newBench(t, nil, reply{text: []string{"first paragraph here\n\nsec", "ond paragraph here\n\n", "rest"}})
	b.snap.Settings.Agents.Defaults.BlockStreamingDefault = "on"
	b.snap.Settings.Agents.Defaults.BlockStreamingChunk.MinChars = 10
	b.snap.Settings.Agents.Defaults.BlockStreamingChunk.MaxChars = 40
	ev := b.run(b.request("go"))
	var got []string
	for _, e := range ev {
		switch {
		case e.Part != nil:
			got = append(got, fmt.Sprintf("part %d %s", e.Part.N, e.Part.Text))
		case e.Assistant != nil:
			got = append(got, "delta")
		}
	}
	want := []string{"delta", "part 1 first paragraph here", "delta", "part 2 second paragraph here", "delta", "part 3 rest"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("order (-got +want):\n%s", diff)
	}
	parts := []agent.Part{{N: 1, Text: "first paragraph here"}, {N: 2, Text: "second paragraph here"}, {N: 3, Text: "rest"}}
	if diff := cmp.Diff(ev.finished(t).Parts, parts); diff != "" {
		t.Errorf("parts (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(b.run(b.request("go")).finished(t).Parts, parts); diff != "" {
		t.Errorf("parts when asked again (-got +want):\n%s", diff)
	}
}

func TestSilentAnswerHasNoPart(t *testing.T) {
	b := newBench(t, nil, reply{text: []string{"NO_", "REPLY"}})
	if f := b.run(b.request("go")).finished(t); f.Status != agent.RunOK || len(f.Parts) != 0 {
		t.Errorf("finished: %+v", f)
	}
}
