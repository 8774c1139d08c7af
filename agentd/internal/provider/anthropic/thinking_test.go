package anthropic

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
)

// TestThinking: thoughts are streamed and kept with their signature, and the server gets
// them back with the tool's result.
func TestThinking(t *testing.T) {
	first := model.Answer{Thinking: []string{"let", " me"}, Signature: "sig", Hidden: "opaque", Tool: "read", ToolArgs: json.RawMessage(`{"path":"a"}`)}
	s, req := start(t, first, model.Say("done"))
	req.Thinking = "medium"
	temperature := 0.5
	req.Temperature = &temperature
	a, events, err := ask(t, req)
	if err != nil {
		t.Fatal(err)
	}
	want := chat.Blocks{
		{Type: chat.BlockThinking, Thinking: "let me", ThinkingSignature: "sig"},
		{Type: chat.BlockThinking, ThinkingSignature: "opaque", Redacted: true},
		{Type: chat.BlockToolCall, ID: "toolu_1", Name: "read", Arguments: json.RawMessage(`{"path":"a"}`)},
	}
	if diff := cmp.Diff(a.Content, want); diff != "" {
		t.Errorf("answer (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(events[:2], []string{"2:let", "2: me"}); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	body, _ := sent(t, s)
	sameJSON(t, "thinking", body["thinking"], `{"type":"enabled","budget_tokens":8192}`)
	sameJSON(t, "bound", body["max_tokens"], `16384`)
	req.Messages = append(req.Messages, said(req, a), result("toolu_1", "x"))
	if a, _, err = ask(t, req); err != nil || a.Content.Text() != "done" {
		t.Fatalf("second call: %q, %v", a.Content.Text(), err)
	}
	body, _ = sent(t, s)
	sameJSON(t, "turn", body["messages"].([]any)[1], `{"role":"assistant","content":[
		{"type":"thinking","thinking":"let me","signature":"sig"},{"type":"redacted_thinking","data":"opaque"},
		{"type":"tool_use","id":"toolu_1","name":"read","input":{"path":"a"}}]}`)

	// Another model cannot check the signature, and may not begin to think in mid turn.
	req.Model = "claude-haiku-4-5"
	if _, _, err = ask(t, req); err != nil {
		t.Fatal(err)
	}
	body, _ = sent(t, s)
	sameJSON(t, "another model's turn", body["messages"].([]any)[1], `{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"read","input":{"path":"a"}}]}`)
	if body["thinking"] != nil {
		t.Errorf("it is asked to think: %v", body["thinking"])
	}
}

func TestLevels(t *testing.T) {
	tests := []struct {
		name, model, level string
		max                int64
		thinking, output   string
		bound              string
	}{
		{"off", "claude-sonnet-4-5", "off", 0, `null`, `null`, `8192`},
		{"none", "claude-sonnet-4-5", "", 99, `null`, `null`, `99`},
		{"minimal", "claude-sonnet-4-5", "minimal", 0, `{"type":"enabled","budget_tokens":1024}`, `null`, `9216`},
		{"low", "claude-sonnet-4-5-20250929", "low", 0, `{"type":"enabled","budget_tokens":2048}`, `null`, `10240`},
		{"high within a bound", "claude-opus-4-5", "high", 32000, `{"type":"enabled","budget_tokens":16384}`, `null`, `32000`},
		{"high in a small bound", "claude-opus-4-5", "high", 8192, `{"type":"enabled","budget_tokens":7168}`, `null`, `8192`},
		{"no room", "claude-opus-4-5", "high", 2000, `null`, `null`, `2000`},
		{"date is no version", "claude-opus-4-20250514", "xhigh", 64000, `{"type":"enabled","budget_tokens":32768}`, `null`, `64000`},
		{"older names", "claude-3-7-sonnet-latest", "low", 0, `{"type":"enabled","budget_tokens":2048}`, `null`, `10240`},
		{"4.6 chooses itself", "claude-opus-4-6", "low", 32000, `{"type":"adaptive","display":"summarized"}`, `{"effort":"low"}`, `32000`},
		{"later too", "anthropic/claude-sonnet-5", "high", 0, `{"type":"adaptive","display":"summarized"}`, `{"effort":"high"}`, `24576`},
		{"highest", "claude-opus-4-6", "xhigh", 32000, `{"type":"adaptive","display":"summarized"}`, `{"effort":"max"}`, `32000`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := request("http://unused")
			req.Model, req.Thinking, req.MaxTokens = tt.model, tt.level, tt.max
			p, err := encode(req)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			sameJSON(t, "thinking", got["thinking"], tt.thinking)
			sameJSON(t, "output", got["output_config"], tt.output)
			sameJSON(t, "bound", got["max_tokens"], tt.bound)
		})
	}
}

func TestHistoryThatBeginsWithTheModel(t *testing.T) {
	s, req := start(t, model.Say("ok"))
	req.Messages = append([]chat.Message{{Role: chat.RoleAssistant, Content: chat.Blocks{chat.Text("welcome")}}, {Role: chat.RoleAssistant, Content: chat.Blocks{chat.Text("\n")}},
		{Role: chat.RoleUser}}, req.Messages...)
	if _, _, err := ask(t, req); err != nil {
		t.Fatal(err)
	}
	body, _ := sent(t, s)
	sameJSON(t, "turns", body["messages"], `[{"role":"user","content":[{"type":"text","text":"(session bootstrap)"}]},
		{"role":"assistant","content":[{"type":"text","text":"welcome"}]},
		{"role":"user","content":[{"type":"text","text":"(no text)"},{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}]`)
}
