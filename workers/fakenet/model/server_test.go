package model_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
)

func start(t *testing.T, s *model.Server) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return ctx
}

func post(ctx context.Context, url, body string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if strings.HasSuffix(url, "/messages") && !strings.Contains(body, "no key") {
		r.Header.Set("X-Api-Key", "k")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func user(text string) string {
	raw, _ := json.Marshal(text)
	return fmt.Sprintf(`{"model":"fake","max_tokens":100,"stream":true,"messages":[{"role":"user","content":%s}]}`, raw)
}

// streamed joins the text of a Chat Completions stream.
func streamed(body string) string {
	var out strings.Builder
	for line := range strings.Lines(body) {
		var c struct {
			Choices []struct {
				Delta struct{ Content string }
			}
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok && json.Unmarshal([]byte(data), &c) == nil && len(c.Choices) > 0 {
			out.WriteString(c.Choices[0].Delta.Content)
		}
	}
	return out.String()
}

func TestScriptOverChatCompletions(t *testing.T) {
	s := &model.Server{}
	ctx := start(t, s)
	for _, c := range []struct{ in, want string }{{"say: hello there", "hello there"}, {"count", "users=1"}, {"anything", "ok"}} {
		status, body, err := post(ctx, s.URL()+"/chat/completions", user(c.in))
		if err != nil || status != 200 || streamed(body) != c.want || !strings.HasSuffix(body, "data: [DONE]\n\n") {
			t.Errorf("%q: got %d %q %v, want %q", c.in, status, body, err, c.want)
		}
	}
	if status, _, _ := post(ctx, s.URL()+"/chat/completions", user("error: 503")); status != 503 {
		t.Errorf("got %d, want 503", status)
	}
	_, body, _ := post(ctx, s.URL()+"/chat/completions", user("tool: read notes.txt"))
	if !strings.Contains(body, `"name":"read"`) || !strings.Contains(body, `{\"path\":\"notes.txt\"}`) {
		t.Errorf("tool call: %s", body)
	}
	after := `{"model":"fake","messages":[{"role":"user","content":"tool: read x"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"read","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"line one\nline two"}]}`
	if _, body, _ := post(ctx, s.URL()+"/chat/completions", after); !strings.Contains(body, "tool result: line one") || strings.Contains(body, "line two") {
		t.Errorf("after the tool: %s", body)
	}
	if n := s.Calls(func(r model.Request) bool { return r.LastUser() == "count" && r.Finished }); n != 1 {
		t.Errorf("%d finished calls with count, want 1", n)
	}
}

func TestAnthropicStream(t *testing.T) {
	s := &model.Server{Key: "k", Answer: func(r model.Request) (model.Answer, bool) {
		return model.Call("exec", map[string]string{"command": "ls"}), r.LastUser() == "hook"
	}}
	ctx := start(t, s)
	if status, _, _ := post(ctx, s.Root()+"/v1/messages", user("no key")); status != 401 {
		t.Errorf("without a key: got %d, want 401", status)
	}
	_, body, err := post(ctx, s.Root()+"/v1/messages", user("say: hi you"))
	if err != nil || !strings.Contains(body, `"text":" you"`) || !strings.Contains(body, "event: message_stop") {
		t.Errorf("got %q %v", body, err)
	}
	if _, body, _ := post(ctx, s.Root()+"/v1/messages", user("hook")); !strings.Contains(body, `"stop_reason":"tool_use"`) {
		t.Errorf("the hook's answer: %q", body)
	}
}

func TestCutAndStall(t *testing.T) {
	s := &model.Server{}
	ctx := start(t, s)
	s.Inject(&model.Fault{Times: 1, CutAfter: 200})
	_, body, err := post(ctx, s.URL()+"/chat/completions", user("say: a b c d e f g"))
	if err == nil || len(body) != 200 {
		t.Errorf("cut: got %d bytes and %v, want 200 and an error", len(body), err)
	}
	s.Inject(&model.Fault{Times: 1, CutAfter: -1})
	if _, body, err := post(ctx, s.URL()+"/chat/completions", user("hi")); err == nil {
		t.Errorf("cut at once: got %q", body)
	}
	stall := s.Inject(&model.Fault{Times: 1, StallAfter: 100})
	done := make(chan string, 1)
	go func() {
		_, body, _ := post(ctx, s.URL()+"/chat/completions", user("say: at last"))
		done <- body
	}()
	if err := stall.Await(ctx, 1); err != nil {
		t.Fatal(err)
	}
	select {
	case b := <-done:
		t.Errorf("a stalled stream ended with %q", b)
	default:
	}
	stall.Release()
	if got := streamed(<-done); got != "at last" {
		t.Errorf("got %q", got)
	}
	if n := s.Calls(func(r model.Request) bool { return r.Finished }); n != 1 {
		t.Errorf("%d calls are finished, want 1", n)
	}
}
