package model_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
)

func TestMessagesThatTheRealServerRefuses(t *testing.T) {
	const hi = `{"role":"user","content":"hi"}`
	const calls = `{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"x","input":{}},{"type":"tool_use","id":"b","name":"x","input":{}}]}`
	const thinks = `"thinking":{"type":"enabled","budget_tokens":1024},"max_tokens":2000,`
	result := func(id string) string { return `{"type":"tool_result","tool_use_id":"` + id + `","content":"r"}` }
	tests := []struct{ name, body, want string }{
		{"fine", `"max_tokens":9,"messages":[` + hi + `]`, ""},
		{"no bound", `"messages":[` + hi + `]`, "max_tokens"},
		{"nothing", `"max_tokens":9,"messages":[]`, "at least one"},
		{"twice the user", `"max_tokens":9,"messages":[` + hi + `,` + hi + `]`, "alternate"},
		{"blank", `"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":" "}]}]`, "non-whitespace"},
		{"both results", `"max_tokens":9,"messages":[` + hi + `,` + calls + `,{"role":"user","content":[` + result("b") + `,` + result("a") + `,{"type":"text","text":"t"}]}]`, ""},
		{"a result is missing", `"max_tokens":9,"messages":[` + hi + `,` + calls + `,{"role":"user","content":[` + result("a") + `]}]`, "without tool_result"},
		{"a result too late", `"max_tokens":9,"messages":[` + hi + `,` + calls + `,{"role":"user","content":[{"type":"text","text":"t"},` + result("a") + `,` + result("b") + `]}]`, "unexpected tool_use_id"},
		{"a result of nothing", `"max_tokens":9,"messages":[{"role":"user","content":[` + result("a") + `]}]`, "unexpected tool_use_id"},
		{"the model's word last", `"max_tokens":9,"messages":[` + hi + `,{"role":"assistant","content":"yes"}]`, "the user's"},
		{"a thought without signature", thinks + `"messages":[` + hi + `,{"role":"assistant","content":[{"type":"thinking","thinking":"t"},{"type":"text","text":"x"}]},` + hi + `]`, "signature"},
		{"thoughts that eat the answer", `"thinking":{"type":"enabled","budget_tokens":2000},"max_tokens":2000,"messages":[` + hi + `]`, "budget_tokens"},
		{"thoughts in mid turn", thinks + `"messages":[` + hi + `,` + calls + `,{"role":"user","content":[` + result("a") + `,` + result("b") + `]}]`, "expected thinking"},
		{"thoughts in a new turn", thinks + `"messages":[` + hi + `,` + calls + `,{"role":"user","content":[` + result("a") + `,` + result("b") + `,{"type":"text","text":"t"}]}]`, ""},
		{"thoughts and temperature", thinks + `"temperature":0.5,"messages":[` + hi + `]`, "temperature"},
	}
	s := &model.Server{}
	ctx := start(t, s)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body, err := post(ctx, s.Root()+"/v1/messages", `{"model":"m",`+tt.body+`}`)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" && status != 200 || tt.want != "" && (status != 400 || !strings.Contains(body, tt.want)) {
				t.Errorf("got %d %s, want %q", status, body, tt.want)
			}
		})
	}
}

func TestThoughtsAndSeveralCallsInBothDialects(t *testing.T) {
	s := &model.Server{Answer: func(model.Request) (model.Answer, bool) {
		return model.Answer{Thinking: []string{"hm"}, Signature: "sig", Tool: "a", ToolArgs: json.RawMessage(`{}`), Calls: []model.ToolCall{{Tool: "b", Args: json.RawMessage(`{}`)}}}, true
	}}
	ctx := start(t, s)
	for url, want := range map[string][]string{
		s.URL() + "/chat/completions": {`"reasoning_content":"hm"`, `"id":"call_`, `"name":"a"`, `"name":"b"`, `"index":1`, `"finish_reason":"tool_calls"`},
		s.Root() + "/v1/messages":     {`"thinking":"hm"`, `"signature":"sig"`, `"id":"toolu_`, `"name":"a"`, `"name":"b"`, `"stop_reason":"tool_use"`},
	} {
		_, body, err := post(ctx, url, user("hi"))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %s: %s", url, w, body)
			}
		}
	}
}
