//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
)

func fakeModel(t *testing.T) (*model.Server, string) {
	t.Helper()
	s := &model.Server{}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, fmt.Sprintf(`{
		"models": {"mode": "replace", "providers": {"fake": {"baseUrl": %q, "apiKey": "none", "api": "openai-completions",
			"models": [{"id": "fake-1", "name": "Fake 1", "contextWindow": 128000}]}}},
		"agents": {"defaults": {"skipBootstrap": true, "model": {"primary": "fake/fake-1"}}},
		"env": {"PATH": %q, "SHELL": "/bin/sh"}}`, s.URL(), os.Getenv("PATH"))
}

func TestWorksWithoutAnyConfig(t *testing.T) {
	dir := t.TempDir()
	h := start(t, dir, `{}`)
	d, err := h.base.Describe(t.Context())
	if err != nil || d.Kind != plugin.KindAgent || d.ID != "agentd" || !d.Has(agent.FeatureFork) || !d.Has(agent.FeatureFiles) || d.Has(agent.FeatureSkills) {
		t.Errorf("describe: %+v, %v", d, err)
	}
	m, err := h.agent.Models(t.Context())
	if err != nil || m.DefaultModel != "demo/echo" || len(m.Models) != 1 || m.DefaultReason == "" {
		t.Errorf("models: %+v, %v", m, err)
	}
	f, _ := h.run(h.request(dir, "A", "hello there"))
	if f.Status != agent.RunOK || len(f.Parts) != 1 || !strings.HasPrefix(f.Parts[0].Text, "You said: hello there") || !strings.Contains(f.Parts[0].Text, "OPENAI_API_KEY") {
		t.Errorf("finished: %+v", f)
	}
	if err := h.base.Drain(t.Context(), patience); err != nil {
		t.Errorf("drain: %v", err)
	}
	h.end()
	if code := h.p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status after a drain: %d", code)
	}
}

func TestBadConfigIsRefusedWithItsPath(t *testing.T) {
	h := start(t, t.TempDir(), `{}`)
	err := h.base.Configure(t.Context(), plugin.Configuration{JSON: json.RawMessage(`{"models":{"providers":{"x":{"models":[{"id":"m"}]}}}}`), Revision: 2})
	var bad *plugin.InvalidConfigError
	if !errors.As(err, &bad) || bad.Path != "models.providers.x.baseUrl" {
		t.Errorf("got %v", err)
	}
}

func TestToolRunHistoryAndErrors(t *testing.T) {
	dir := t.TempDir()
	_, config := fakeModel(t)
	h := start(t, dir, config)
	if _, err := h.agent.SetAgentFile(t.Context(), "main", filepath.Join(dir, "ws"), "TOOLS.md", "line one\nmore"); err != nil {
		t.Fatal(err)
	}
	f, _ := h.run(h.request(dir, "A", "tool: read TOOLS.md"))
	if len(f.Parts) != 1 || f.Parts[0].Text != "tool result: line one" {
		t.Errorf("finished: %+v", f)
	}
	page, err := h.agent.History(t.Context(), agent.HistoryRequest{Transcript: agent.TranscriptRef{Path: filepath.Join(dir, "A.jsonl")}, Limit: 10})
	if err != nil || len(page.Messages) != 4 {
		t.Fatalf("history: %s, %v", page.Messages, err)
	}
	for i, want := range []string{`"role":"user"`, `"stopReason":"toolUse"`, `"toolName":"read","isError":false`, `"stopReason":"stop"`} {
		if !strings.Contains(string(page.Messages[i]), want) {
			t.Errorf("message %d lacks %s: %s", i, want, page.Messages[i])
		}
	}
	f, _ = h.run(h.request(dir, "B", "error: 400"))
	if f.Status != agent.RunFailed || f.ErrorCode != "format" || !strings.Contains(f.ErrorText, "HTTP 400") {
		t.Errorf("finished: %+v", f)
	}
	page, err = h.agent.History(t.Context(), agent.HistoryRequest{Transcript: agent.TranscriptRef{Path: filepath.Join(dir, "B.jsonl")}, Limit: 1})
	if err != nil || len(page.Messages) != 1 || !strings.Contains(string(page.Messages[0]), `"content":[]`) || !strings.Contains(string(page.Messages[0]), "400") || page.Before == "" {
		t.Errorf("history: %s, %q, %v", page.Messages, page.Before, err)
	}
}

// TestFileTools: a model writes a file and changes it, both in one message.
func TestFileTools(t *testing.T) {
	dir := t.TempDir()
	fake, config := fakeModel(t)
	fake.Answer = func(r model.Request) (model.Answer, bool) {
		if _, done := r.ToolResult(); done {
			return model.Answer{}, false
		}
		return model.Answer{Calls: []model.ToolCall{
			{Tool: "write", Args: json.RawMessage(`{"path":"notes/a.txt","content":"one\ntwo\n"}`)},
			{Tool: "edit", Args: json.RawMessage(`{"path":"notes/a.txt","oldText":"two","newText":"2"}`)},
		}}, true
	}
	h := start(t, dir, config)
	f, _ := h.run(h.request(dir, "A", "take a note"))
	if len(f.Parts) != 1 || f.Parts[0].Text != "tool result: Successfully replaced text in notes/a.txt." {
		t.Errorf("finished: %+v", f)
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "ws", "notes", "a.txt")); err != nil || string(raw) != "one\n2\n" {
		t.Errorf("file: %q, %v", raw, err)
	}
	stored, err := os.ReadFile(filepath.Join(dir, "A.jsonl"))
	if err != nil || !strings.Contains(string(stored), `"firstChangedLine":2`) {
		t.Errorf("transcript: %s, %v", stored, err)
	}
}

func TestTranscriptCalls(t *testing.T) {
	dir := t.TempDir()
	h := start(t, dir, `{}`)
	ctx := t.Context()
	ref := agent.TranscriptRef{AgentID: "main", SessionKey: "k", SessionID: "11111111-2222-3333-4444-555555555555", Path: filepath.Join(dir, "s.jsonl")}
	if c, err := h.agent.CompactSession(ctx, ref, "", 5); err != nil || c.Done || c.Reason != "no transcript" {
		t.Errorf("compact nothing: %+v, %v", c, err)
	}
	var ids [2]string
	for i := range ids {
		var err error
		if _, err = h.agent.InjectMessage(ctx, agent.Injection{Transcript: ref, Text: "/help", Key: "q", Role: "user", Workspace: dir}); err != nil {
			t.Fatal(err)
		}
		if ids[i], err = h.agent.InjectMessage(ctx, agent.Injection{Transcript: ref, Text: "the help", Key: "a", Workspace: dir}); err != nil {
			t.Fatal(err)
		}
	}
	if ids[0] != ids[1] || ids[0] == "" {
		t.Errorf("ids of one message: %q", ids)
	}
	page, err := h.agent.History(ctx, agent.HistoryRequest{Transcript: ref, Limit: 10})
	if err != nil || len(page.Messages) != 2 || !strings.Contains(string(page.Messages[1]), `"provider":"openclaw","model":"gateway-injected"`) {
		t.Errorf("history: %s, %v", page.Messages, err)
	}
	previews, err := h.agent.Preview(ctx, []agent.TranscriptRef{{SessionKey: "none", Path: filepath.Join(dir, "none.jsonl")}, ref}, 5, 100)
	if err != nil || len(previews) != 2 || previews[0].Found || !previews[1].Found || len(previews[1].Items) != 2 || previews[1].Items[1].Text != "the help" {
		t.Errorf("preview: %+v, %v", previews, err)
	}
	if _, err := h.agent.CompactSession(ctx, ref, "", 0); !errors.Is(err, agent.ErrUnsupported) {
		t.Errorf("compact with a model: got %v, want %v", err, agent.ErrUnsupported)
	}
	fork := agent.TranscriptRef{SessionID: "22222222-2222-3333-4444-555555555555", Path: filepath.Join(dir, "f.jsonl")}
	if err := h.agent.ForkSession(ctx, ref, fork); err != nil {
		t.Errorf("fork: %v", err)
	}
	for _, do := range []func(context.Context, agent.TranscriptRef) (string, error){h.agent.ResetTranscript, h.agent.DeleteTranscript} {
		name, err := do(ctx, fork)
		if err != nil {
			t.Errorf("archive: %v", err)
		}
		if name != "" {
			if _, err := os.Stat(name); err != nil {
				t.Errorf("archive: %v", err)
			}
		}
	}
	if files, err := h.agent.AgentFiles(ctx, "main", filepath.Join(dir, "ws")); err != nil || len(files) != 8 || !files[0].Missing {
		t.Errorf("files: %+v, %v", files, err)
	}
	if _, err := h.agent.SetAgentFile(ctx, "main", filepath.Join(dir, "ws"), "secret.txt", "x"); err == nil || !strings.Contains(err.Error(), `unsupported file "secret.txt"`) {
		t.Errorf("a file of another name: %v", err)
	}
}

func TestKilledInMidStreamAndTakenUp(t *testing.T) {
	dir := t.TempDir()
	fake, config := fakeModel(t)
	h := start(t, dir, config)
	r := h.request(dir, "A", "slow: 60")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := h.agent.Run(ctx, r, func(e agent.RunEvent) error {
		if e.Assistant != nil {
			return h.p.cmd.Process.Kill()
		}
		return nil
	})
	if !errors.Is(err, agent.ErrBroken) {
		t.Fatalf("run: got %v, want a broken stream", err)
	}
	// The text is stored: the second attempt may not take this one for it.
	r.Attempt, r.Inputs[0].Text = 2, "say: another text"
	h = start(t, dir, config)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := fake.AwaitCall(ctx, func(q model.Request) bool { return q.N == 2 }); err != nil {
			t.Errorf("second call: %v", err)
		}
		if found, err := h.agent.Abort(ctx, "A", "stop"); !found || err != nil {
			t.Errorf("abort: %v, %v", found, err)
		}
	}()
	f, all := h.run(r)
	<-done
	if f.Status != agent.RunAborted || !all[0].Started.Resumed {
		t.Errorf("finished %+v, started %+v", f, all[0].Started)
	}
	if n := fake.Calls(func(q model.Request) bool { return q.LastUser() == "slow: 60" && q.Users() == 1 }); n != 2 {
		t.Errorf("%d calls with the stored text, want 2", n)
	}
	if f, _ = h.run(r); f.Status != agent.RunAborted || len(fake.Requests()) != 2 {
		t.Errorf("asked again: %+v, %d calls", f, len(fake.Requests()))
	}
}

func TestNoCommandOutlivesAKilledRuntime(t *testing.T) {
	dir := t.TempDir()
	_, config := fakeModel(t)
	h := start(t, dir, config)
	ws := filepath.Join(dir, "ws")
	script := "echo started; (setsid sh -c 'echo $$ > p.tmp; mv p.tmp daemon; exec sleep 300' >/dev/null 2>&1 &); while [ ! -e daemon ]; do sleep 0.01; done"
	if f, _ := h.run(h.request(dir, "A", "tool: exec "+script)); len(f.Parts) != 1 || f.Parts[0].Text != "tool result: started" {
		t.Fatalf("finished: %+v", f)
	}
	raw, err := os.ReadFile(filepath.Join(ws, "daemon"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil || !alive(pid) {
		t.Fatalf("pid %q: %v, alive %v", raw, err, alive(pid))
	}
	if err := h.p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, "the daemon's end", func() bool { return !alive(pid) })
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come within %s", what, patience)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func alive(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	f := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	return f[0] != "Z" && f[0] != "X"
}
