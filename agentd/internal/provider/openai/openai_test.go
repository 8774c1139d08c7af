package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
)

const secret = "sk-very-secret-key"

// serve starts a server and gives a request to it and what it was sent.
func serve(t *testing.T, h http.HandlerFunc) (provider.Request, *string) {
	t.Helper()
	body := new(string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*body = string(raw)
		if got := r.Header.Get("Authorization"); got != "Bearer "+secret {
			t.Errorf("authorization: got %q", got)
		}
		if r.URL.Path != "/v1/chat/completions" {
			t.Errorf("path: got %q", r.URL.Path)
		}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return provider.Request{
		Endpoint: provider.Endpoint{Provider: "fake", API: provider.APICompletions, BaseURL: s.URL + "/v1", Key: secret, NoStore: true},
		Model:    "m", System: "be good", Messages: []chat.Message{{Role: chat.RoleUser, Content: chat.Blocks{chat.Text("hi")}}},
	}, body
}

func chunks(w http.ResponseWriter, lines ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, l := range lines {
		fmt.Fprintf(w, "data: %s\n\n", l)
		w.(http.Flusher).Flush()
	}
}

func delta(d, finish string) string {
	if finish != "null" {
		finish = `"` + finish + `"`
	}
	return fmt.Sprintf(`{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}`, d, finish)
}

func TestAnswer(t *testing.T) {
	req, body := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunks(w, delta(`{"role":"assistant","content":""}`, "null"), delta(`{"reasoning_content":"hm"}`, "null"), delta(`{"content":"one"}`, "null"), delta(`{"content":" two"}`, "null"),
			delta(`{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"read","arguments":"{\"pa"}}]}`, "null"),
			delta(`{"tool_calls":[{"index":0,"function":{"arguments":"th\":\"x\"}"}}]}`, "null"),
			delta(`{"tool_calls":[{"index":0,"id":"c2","type":"function","function":{"name":"read","arguments":"{}"}}]}`, "null"),
			delta(`{}`, "tool_calls"),
			`{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":4}}}`,
			"[DONE]")
	})
	req.Tools = []provider.Tool{{Name: "read", Description: "reads", Schema: json.RawMessage(`{"type":"object"}`)}}
	req.MaxTokens = 99
	failedCall := true
	req.Messages = append(req.Messages,
		chat.Message{Role: chat.RoleAssistant, Content: chat.Blocks{{Type: chat.BlockToolCall, ID: "c0", Name: "read", Arguments: json.RawMessage(`{"path":"p"}`)}}},
		chat.Message{Role: chat.RoleToolResult, ToolCallID: "c0", ToolName: "read", IsError: &failedCall, Content: chat.Blocks{chat.Text("no"), {Type: chat.BlockImage, MimeType: "image/png", Data: "QQ=="}}})
	var kinds []string
	a, err := New(provider.ClientConfig{}).Stream(t.Context(), req, func(e provider.Event) error {
		kinds = append(kinds, fmt.Sprintf("%d:%s%s", e.Kind, e.Delta, e.Arguments))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := provider.Answer{
		StopReason: chat.StopToolUse,
		Usage:      chat.Usage{Input: 6, Output: 3, CacheRead: 4, TotalTokens: 13},
		Content: chat.Blocks{
			{Type: chat.BlockThinking, Thinking: "hm"}, chat.Text("one two"),
			{Type: chat.BlockToolCall, ID: "c1", Name: "read", Arguments: json.RawMessage(`{"path":"x"}`)},
			{Type: chat.BlockToolCall, ID: "c2", Name: "read", Arguments: json.RawMessage(`{}`)},
		},
	}
	if diff := cmp.Diff(a, want); diff != "" {
		t.Errorf("answer (-got +want):\n%s", diff)
	}
	wantKinds := []string{"2:hm", "1:one", "1: two", "3:", `4:{"pa`, `4:th":"x"}`, "3:", "4:{}", `5:{"path":"x"}`, "5:{}"}
	if diff := cmp.Diff(kinds, wantKinds); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	var got, wantBody any
	if err := json.Unmarshal([]byte(*body), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":99,
		"messages":[{"role":"system","content":"be good"},{"role":"user","content":"hi"},
			{"role":"assistant","tool_calls":[{"id":"c0","type":"function","function":{"name":"read","arguments":"{\"path\":\"p\"}"}}]},
			{"role":"tool","tool_call_id":"c0","content":"no"},
			{"role":"user","content":[{"type":"text","text":"Picture from the tool read:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="}}]}],
		"tools":[{"type":"function","function":{"name":"read","description":"reads","parameters":{"type":"object"}}}]}`), &wantBody); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, wantBody); diff != "" {
		t.Errorf("request (-got +want):\n%s", diff)
	}
}

func TestFailures(t *testing.T) {
	status := func(code int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			io.WriteString(w, body)
		}
	}
	tests := []struct {
		name      string
		serve     http.HandlerFunc
		kind      provider.Kind
		retryable bool
		after     time.Duration
		text      []string
	}{
		{"refused key", status(401, `{"error":{"message":"Incorrect API key provided: `+secret+`","type":"x","code":"invalid_api_key"}}`), provider.KindAuth, false, 0,
			[]string{"fake/m", "HTTP 401", "models.providers.fake.apiKey"}},
		{"rate limit", status(429, `{"error":{"message":"slow down","type":"x"}}`, "Retry-After", "3"), provider.KindRateLimit, true, 3 * time.Second, []string{"HTTP 429", "slow down"}},
		{"no credit", status(429, `{"error":{"message":"You exceeded your quota","type":"x","code":"insufficient_quota"}}`), provider.KindBilling, false, 0, []string{"HTTP 429"}},
		{"server", status(500, `{"error":{"message":"boom","type":"x"}}`), provider.KindServer, true, 0, []string{"HTTP 500", "boom"}},
		{"no JSON", status(502, `<html>bad gateway</html>`), provider.KindServer, true, 0, []string{"HTTP 502"}},
		{"format", status(400, `{"type":"error","error":{"type":"api_error","message":"scripted failure 400"}}`), provider.KindFormat, false, 0, []string{"HTTP 400", "scripted failure"}},
		{"too long", status(400, `{"error":{"message":"This model's maximum context length is 10 tokens","code":"context_length_exceeded"}}`), provider.KindOverflow, false, 0, []string{"/new"}},
		{"cut between chunks", func(w http.ResponseWriter, _ *http.Request) { chunks(w, delta(`{"content":"half"}`, "null")) }, provider.KindConnection, true, 0,
			[]string{"middle of the answer", "baseUrl"}},
		{"connection reset", func(w http.ResponseWriter, _ *http.Request) {
			chunks(w, delta(`{"content":"half"}`, "null"))
			panic(http.ErrAbortHandler)
		}, provider.KindConnection, true, 0, []string{"broke off"}},
		{"error in the stream", func(w http.ResponseWriter, _ *http.Request) {
			chunks(w, delta(`{"content":"half"}`, "null"), `{"error":{"message":"overloaded"}}`)
		}, provider.KindRateLimit, true, 0, []string{"overloaded"}},
		{"silence", func(w http.ResponseWriter, r *http.Request) {
			chunks(w, delta(`{"content":"half"}`, "null"))
			<-r.Context().Done()
		}, provider.KindTimeout, true, 0, []string{"nothing for too long"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, _ := serve(t, tt.serve)
			c := New(provider.ClientConfig{Stall: 2 * time.Second})
			if tt.name == "silence" {
				c = New(provider.ClientConfig{Stall: 50 * time.Millisecond})
			}
			_, err := c.Stream(t.Context(), req, func(provider.Event) error { return nil })
			var perr *provider.Error
			if !errors.As(err, &perr) {
				t.Fatalf("got %v (%T), want a provider error", err, err)
			}
			if perr.Kind != tt.kind || perr.Retryable() != tt.retryable || perr.RetryAfter != tt.after {
				t.Errorf("got %+v", perr)
			}
			for _, want := range tt.text {
				if !strings.Contains(perr.Error(), want) {
					t.Errorf("text %q lacks %q", perr, want)
				}
			}
			if s := fmt.Sprintf("%v %+v %#v", err, perr, perr); strings.Contains(s, secret) {
				t.Errorf("the key leaks: %s", s)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	req, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	req.Endpoint.BaseURL = "http://127.0.0.1:1/v1"
	_, err := New(provider.ClientConfig{}).Stream(t.Context(), req, nil)
	var perr *provider.Error
	if !errors.As(err, &perr) || perr.Kind != provider.KindConnection || !strings.Contains(perr.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}

func TestCancelGivesTheCauseAndWhatHadCome(t *testing.T) {
	req, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		chunks(w, delta(`{"content":"half"}`, "null"))
		<-r.Context().Done()
	})
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	a, err := New(provider.ClientConfig{}).Stream(ctx, req, func(provider.Event) error {
		cancel(stop)
		return nil
	})
	if !errors.Is(err, stop) || a.Content.Text() != "half" {
		t.Errorf("got %q, %v; want the half and the cause", a.Content.Text(), err)
	}
}
