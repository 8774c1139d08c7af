package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
)

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// TestAnthropic: a run with a picture, thoughts, two calls at once and a refusal, against a
// server that takes nothing which the real one would not take.
func TestAnthropic(t *testing.T) {
	dir := t.TempDir()
	s := &model.Server{Key: "k", Answer: func(r model.Request) (model.Answer, bool) {
		if r.LastUser() == "read both" && !r.Messages[len(r.Messages)-1].ToolResult {
			call := func(path string) model.ToolCall {
				return model.ToolCall{Tool: "read", Args: json.RawMessage(fmt.Sprintf(`{"path":%q}`, path))}
			}
			return model.Answer{Thinking: []string{"two files"}, Signature: "signed", Parts: []string{"Reading."}, Calls: []model.ToolCall{call("a.txt"), call("none.txt")}}, true
		}
		return model.Answer{}, false
	}}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h := start(t, dir, fmt.Sprintf(`{"auth": {"anthropic": {"apiKey": "k", "source": "env"}}, "models": {"providers": {"anthropic": {"baseUrl": %q}}},
		"agents": {"defaults": {"skipBootstrap": true}}}`, s.Root()))
	if m, err := h.agent.Models(t.Context()); err != nil || m.DefaultModel != "anthropic/claude-opus-4-6" || !strings.Contains(m.DefaultReason, "env") {
		t.Errorf("models: %+v, %v", m, err)
	}
	ws, picture := filepath.Join(dir, "ws"), filepath.Join(dir, "p.png")
	if err := os.MkdirAll(ws, 0o700); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(pixel)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{filepath.Join(ws, "a.txt"): []byte("alpha\n"), picture: raw} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := h.request(dir, "A", "read both")
	r.Policy.Thinking, r.Policy.Model = "medium", "anthropic/claude-sonnet-4-5"
	r.Inputs[0].Attachments = []agent.Attachment{{Path: picture, MIME: "image/png", Name: "p.png"}}
	f, events := h.run(r)
	if f.Status != agent.RunOK || f.Parts[len(f.Parts)-1].Text != "tool result: file not found: none.txt" || f.Usage.CacheRead != 8 || f.Usage.Cost <= 0 {
		t.Errorf("finished: %+v", f)
	}
	thought := ""
	for _, e := range events {
		if e.Thinking != nil {
			thought += e.Thinking.Delta
		}
	}
	if thought != "two files" {
		t.Errorf("thoughts: %q", thought)
	}
	asked := s.Requests()
	if len(asked) != 2 || asked[0].Messages[0].Images != 1 || len(asked[1].Messages) != 4 || !strings.Contains(string(asked[1].Body), `"signature":"signed"`) {
		t.Fatalf("requests: %+v", asked)
	}
	stored, err := os.ReadFile(r.Transcript)
	if err != nil || !strings.Contains(string(stored), `{"type":"thinking","thinking":"two files","thinkingSignature":"signed"}`) {
		t.Errorf("transcript: %s, %v", stored, err)
	}

	// In the same session, with the model that chooses its budget itself.
	r = h.request(dir, "A", "refuse")
	r.RunID, r.Inputs[0].ID, r.Policy.Thinking = "B", "in-B", "low"
	if f, _ = h.run(r); f.Status != agent.RunFailed || f.ErrorCode != "refusal" || f.Retryable || !strings.Contains(f.ErrorText, "declined") {
		t.Errorf("refused: %+v", f)
	}
	r.RunID, r.Inputs[0].ID, r.Inputs[0].Text = "C", "in-C", "say: still here"
	if f, _ = h.run(r); f.Status != agent.RunOK || f.Parts[0].Text != "still here" {
		t.Errorf("after the refusal: %+v", f)
	}
	if n := len(s.Requests()); n != 4 {
		t.Errorf("%d calls, want 4: a refusal is not asked for again", n)
	}
}
