package anthropic

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
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
)

const secret = "sk-ant-very-secret-key"

// start serves a fake that gives these answers in turn, and a request to it.
func start(t *testing.T, answers ...model.Answer) (*model.Server, provider.Request) {
	t.Helper()
	s := &model.Server{Key: secret}
	if len(answers) > 0 {
		s.Answer = func(r model.Request) (model.Answer, bool) { return answers[(r.N-1)%len(answers)], true }
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, request(s.Root())
}

func request(base string) provider.Request {
	return provider.Request{
		Endpoint: provider.Endpoint{Provider: "anthropic", API: provider.APIMessages, BaseURL: base, Key: secret},
		Model:    "claude-sonnet-4-5", System: "be good",
		Messages: []chat.Message{{Role: chat.RoleUser, Content: chat.Blocks{chat.Text("hi")}}},
		Tools:    []provider.Tool{{Name: "read", Description: "reads", Schema: json.RawMessage(`{"type":"object","properties":{"path":{"type":"string"}},"required":["path"],"additionalProperties":false}`)}},
	}
}

// ask makes a call and gives its events as "kind:delta".
func ask(t *testing.T, req provider.Request) (provider.Answer, []string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var events []string
	a, err := New(provider.ClientConfig{}).Stream(ctx, req, func(e provider.Event) error {
		events = append(events, fmt.Sprintf("%d:%s%s", e.Kind, e.Delta, e.Arguments))
		return nil
	})
	return a, events, err
}

// said is the answer as a message of the transcript.
func said(req provider.Request, a provider.Answer) chat.Message {
	return chat.Message{Role: chat.RoleAssistant, Content: a.Content, StopReason: a.StopReason,
		API: provider.APIMessages, Provider: req.Endpoint.Provider, Model: req.Model}
}

func result(id, text string) chat.Message {
	return chat.Message{Role: chat.RoleToolResult, ToolCallID: id, ToolName: "read", Content: chat.Blocks{chat.Text(text)}}
}

// sent is the body of the fake's last request, without what no test is about.
func sent(t *testing.T, s *model.Server) (body map[string]any, header http.Header) {
	t.Helper()
	all := s.Requests()
	if len(all) == 0 {
		t.Fatal("nothing was asked")
	}
	last := all[len(all)-1]
	if err := json.Unmarshal(last.Body, &body); err != nil {
		t.Fatal(err)
	}
	return body, last.Header
}

func sameJSON(t *testing.T, what string, got any, want string) {
	t.Helper()
	var w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, w); diff != "" {
		t.Errorf("%s (-got +want):\n%s", what, diff)
	}
}

func TestText(t *testing.T) {
	s, req := start(t, model.Say("one two"))
	temperature := 0.5
	req.Temperature = &temperature
	a, events, err := ask(t, req)
	if err != nil {
		t.Fatal(err)
	}
	want := provider.Answer{
		StopReason: chat.StopEnd, Content: chat.Blocks{chat.Text("one two")},
		Usage: chat.Usage{Input: 10, Output: 2, CacheRead: 4, CacheWrite: 2, TotalTokens: 18},
	}
	if diff := cmp.Diff(a, want); diff != "" {
		t.Errorf("answer (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(events, []string{"1:one", "1: two"}); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	body, header := sent(t, s)
	sameJSON(t, "request", body, `{"model":"claude-sonnet-4-5","max_tokens":8192,"stream":true,"temperature":0.5,
		"system":[{"type":"text","text":"be good","cache_control":{"type":"ephemeral"}}],
		"messages":[{"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]}],
		"tools":[{"name":"read","description":"reads","input_schema":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"],"additionalProperties":false}}]}`)
	if header.Get("X-Api-Key") != secret || header.Get("Authorization") != "" || header.Get("Anthropic-Version") == "" {
		t.Errorf("header: %v", header)
	}
}

func TestParallelTools(t *testing.T) {
	first := model.Answer{Parts: []string{"both"}, Calls: []model.ToolCall{
		{Tool: "read", Args: json.RawMessage(`{"path":"a"}`)}, {Tool: "read", Args: json.RawMessage(`{"path":"b"}`)},
	}}
	s, req := start(t, first, model.Say("done"))
	a, events, err := ask(t, req)
	if err != nil {
		t.Fatal(err)
	}
	want := provider.Answer{
		StopReason: chat.StopToolUse, Usage: a.Usage,
		Content: chat.Blocks{
			chat.Text("both"),
			{Type: chat.BlockToolCall, ID: "toolu_1", Name: "read", Arguments: json.RawMessage(`{"path":"a"}`)},
			{Type: chat.BlockToolCall, ID: "toolu_1_2", Name: "read", Arguments: json.RawMessage(`{"path":"b"}`)},
		},
	}
	if diff := cmp.Diff(a, want); diff != "" {
		t.Errorf("answer (-got +want):\n%s", diff)
	}
	wantEvents := []string{"1:both", "3:", `4:{"path`, `4:":"a"}`, `5:{"path":"a"}`, "3:", `4:{"path`, `4:":"b"}`, `5:{"path":"b"}`}
	if diff := cmp.Diff(events, wantEvents); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	failure := result("toolu_1_2", "no such file")
	yes := true
	failure.IsError = &yes
	req.Messages = append(req.Messages, said(req, a), result("toolu_1", ""), failure,
		chat.Message{Role: chat.RoleUser, Content: chat.Blocks{chat.Text("and hurry")}}, chat.Message{Role: chat.RoleUser, Content: chat.Blocks{chat.Text("please")}})
	if a, _, err = ask(t, req); err != nil || a.Content.Text() != "done" {
		t.Fatalf("second call: %q, %v", a.Content.Text(), err)
	}
	body, _ := sent(t, s)
	sameJSON(t, "turns", body["messages"], `[{"role":"user","content":[{"type":"text","text":"hi"}]},
		{"role":"assistant","content":[{"type":"text","text":"both"},
			{"type":"tool_use","id":"toolu_1","name":"read","input":{"path":"a"}},{"type":"tool_use","id":"toolu_1_2","name":"read","input":{"path":"b"}}]},
		{"role":"user","content":[
			{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"(no output)"}]},
			{"type":"tool_result","tool_use_id":"toolu_1_2","is_error":true,"content":[{"type":"text","text":"no such file"}]},
			{"type":"text","text":"and hurry"},{"type":"text","text":"please","cache_control":{"type":"ephemeral"}}]}]`)
}

func TestImages(t *testing.T) {
	s, req := start(t, model.Say("seen"))
	png := chat.Block{Type: chat.BlockImage, MimeType: "image/png", Data: "QQ=="}
	shown := result("c|1", "look")
	shown.Content = append(shown.Content, png)
	req.Messages = []chat.Message{
		{Role: chat.RoleUser, Content: chat.Blocks{chat.Text(" "), png, {Type: chat.BlockImage, MimeType: "image/tiff", Data: "QQ=="}}},
		{Role: chat.RoleAssistant, Content: chat.Blocks{{Type: chat.BlockToolCall, ID: "c|1", Name: "read", Arguments: json.RawMessage(`{}`)}}}, shown,
	}
	if _, _, err := ask(t, req); err != nil {
		t.Fatal(err)
	}
	body, _ := sent(t, s)
	sameJSON(t, "turns", body["messages"], `[
		{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QQ=="}},
			{"type":"text","text":"[a picture of type image/tiff, which this provider does not take]"}]},
		{"role":"assistant","content":[{"type":"tool_use","id":"c_1","name":"read","input":{}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"c_1","cache_control":{"type":"ephemeral"},"content":[{"type":"text","text":"look"},
			{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QQ=="}}]}]}]`)
	big := chat.Block{Type: chat.BlockImage, MimeType: "image/png", Data: strings.Repeat("A", maxPicture+4)}
	if got := userBlocks(chat.Blocks{big}); len(got) != 1 || got[0].OfText == nil || !strings.Contains(got[0].OfText.Text, "3840 KB") {
		t.Errorf("a picture that is too large: %+v", got)
	}
}

func TestRefusal(t *testing.T) {
	_, req := start(t, model.Answer{Parts: []string{"I"}, Refusal: "it is about something dangerous"})
	a, _, err := ask(t, req)
	var perr *provider.Error
	if !errors.As(err, &perr) || perr.Kind != provider.KindRefusal || perr.Retryable() || perr.Failover() {
		t.Fatalf("got %v, want a refusal that is not repeated", err)
	}
	for _, want := range []string{"anthropic/claude-sonnet-4-5", "declined", "something dangerous", "/model"} {
		if !strings.Contains(perr.Error(), want) {
			t.Errorf("text %q lacks %q", perr, want)
		}
	}
	if a.Content.Text() != "I" || a.Usage.TotalTokens == 0 {
		t.Errorf("what had come: %+v", a)
	}
}

func TestOtherEnds(t *testing.T) {
	_, req := start(t, model.Answer{Parts: []string{"long"}, Cut: true})
	if a, _, err := ask(t, req); err != nil || a.StopReason != chat.StopLength {
		t.Errorf("cut for length: %+v, %v", a, err)
	}
	req.Messages = nil
	if _, _, err := ask(t, req); err == nil || !strings.Contains(err.Error(), "at least one is required") {
		t.Errorf("no messages: %v", err)
	}
}

// TestCutAnywhere: a stream that is cut before the model has said why it stopped is a
// broken connection, whatever came before it; nothing of it is taken for an answer.
func TestCutAnywhere(t *testing.T) {
	full := model.Answer{Thinking: []string{"let", " me"}, Signature: "sig", Parts: []string{"one", " two"}, Tool: "read", ToolArgs: json.RawMessage(`{"path":"a"}`)}
	s, req := start(t, full)
	whole, _, err := ask(t, req)
	if err != nil {
		t.Fatal(err)
	}
	size := streamSize(t, s, req)
	const places = 20
	broken := 0
	for i := range places {
		at := i * size / places
		if at == 0 {
			at = -1
		}
		f := s.Inject(&model.Fault{Times: 1, CutAfter: at})
		a, _, err := ask(t, req)
		f.Remove()
		if err == nil {
			if diff := cmp.Diff(a, whole); diff != "" {
				t.Errorf("cut after %d of %d bytes, no error, and not the whole answer (-got +want):\n%s", at, size, diff)
			}
			continue
		}
		broken++
		var perr *provider.Error
		if !errors.As(err, &perr) || perr.Kind != provider.KindConnection || !perr.Retryable() {
			t.Errorf("cut after %d of %d bytes: got %v, want a broken connection", at, size, err)
		}
		if !strings.HasPrefix("one two", a.Content.Text()) {
			t.Errorf("cut after %d of %d bytes: kept %q", at, size, a.Content.Text())
		}
	}
	if broken < places-3 {
		t.Errorf("only %d of %d cuts were noticed", broken, places)
	}
}

// streamSize is the length of the answer to a request in bytes.
func streamSize(t *testing.T, s *model.Server, req provider.Request) int {
	t.Helper()
	params, err := encode(req)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Root()+"/v1/messages", strings.NewReader(strings.Replace(string(raw), "{", `{"stream":true,`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", secret)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got %d %s, %v", res.StatusCode, body, err)
	}
	return len(body)
}

func TestFailures(t *testing.T) {
	body := func(kind, text string) string {
		return fmt.Sprintf(`{"type":"error","error":{"type":%q,"message":%q},"request_id":"r"}`, kind, text)
	}
	status := func(code int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			io.WriteString(w, body)
		}
	}
	inStream := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, "event: ping\ndata: {\"type\":\"ping\"}\n\nevent: error\ndata: "+body+"\n\n")
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
		{"refused key", status(401, body("authentication_error", "invalid x-api-key "+secret)), provider.KindAuth, false, 0,
			[]string{"anthropic/claude-sonnet-4-5", "HTTP 401", "models.providers.anthropic.apiKey"}},
		{"forbidden", status(403, body("permission_error", "not yours")), provider.KindAuth, false, 0, []string{"HTTP 403"}},
		{"rate limit", status(429, body("rate_limit_error", "slow down"), "Retry-After", "3"), provider.KindRateLimit, true, 3 * time.Second, []string{"HTTP 429", "slow down"}},
		{"no credit", status(400, body("invalid_request_error", "Your credit balance is too low")), provider.KindBilling, false, 0, []string{"HTTP 400", "Add credit"}},
		{"too long", status(400, body("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")), provider.KindOverflow, false, 0, []string{"/new"}},
		{"format", status(400, body("invalid_request_error", "messages: nonsense")), provider.KindFormat, false, 0, []string{"nonsense"}},
		{"server", status(500, body("api_error", "boom")), provider.KindServer, true, 0, []string{"HTTP 500", "boom"}},
		{"overloaded", status(529, body("overloaded_error", "Overloaded")), provider.KindServer, true, 0, []string{"HTTP 529", "Overloaded"}},
		{"no JSON", status(502, `<html>bad gateway</html>`), provider.KindServer, true, 0, []string{"HTTP 502", "bad gateway"}},
		{"overloaded in the stream", inStream(body("overloaded_error", "Overloaded")), provider.KindServer, true, 0, []string{"Overloaded"}},
		{"limit in the stream", inStream(body("rate_limit_error", "slow down")), provider.KindRateLimit, true, 0, []string{"slow down"}},
		{"end without a word", inStreamEnd, provider.KindConnection, true, 0, []string{"middle of the answer", "baseUrl"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(tt.serve)
			defer s.Close()
			_, _, err := ask(t, request(s.URL))
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

func inStreamEnd(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, "event: ping\ndata: {\"type\":\"ping\"}\n\n")
}

func TestNobodyListens(t *testing.T) {
	_, _, err := ask(t, request("http://127.0.0.1:1"))
	var perr *provider.Error
	if !errors.As(err, &perr) || perr.Kind != provider.KindConnection || !strings.Contains(perr.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}

// TestSilence: pings keep a call alive, silence ends it.
func TestSilence(t *testing.T) {
	pings := make(chan int, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		n := 0
		for ; n < 6; n++ {
			io.WriteString(w, "event: ping\ndata: {\"type\":\"ping\"}\n\n")
			w.(http.Flusher).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				pings <- n
				return
			}
		}
		pings <- n
		<-r.Context().Done()
	}))
	defer s.Close()
	_, err := New(provider.ClientConfig{Stall: 400 * time.Millisecond}).Stream(t.Context(), request(s.URL), nil)
	var perr *provider.Error
	if !errors.As(err, &perr) || perr.Kind != provider.KindTimeout || !strings.Contains(perr.Error(), "nothing for too long") {
		t.Errorf("got %v", err)
	}
	if n := <-pings; n != 6 {
		t.Errorf("the call was given up after %d pings", n)
	}
}

func TestCancelGivesTheCauseAndWhatHadCome(t *testing.T) {
	_, req := start(t, model.Say("half whole"))
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

func TestHeadersAndCache(t *testing.T) {
	tests := []struct {
		name, key, base string
		cache           provider.CacheRetention
		marker          string
		auth, beta      string
	}{
		{"key", secret, "", "", `{"type":"ephemeral"}`, "", ""},
		{"long", secret, "/v1/", provider.CacheLong, `{"type":"ephemeral","ttl":"1h"}`, "", betaLongCache},
		{"none", secret, "/", provider.CacheNone, `null`, "", ""},
		{"token", tokenPrefix + "01-x", "/v1", "", `null`, "Bearer " + tokenPrefix + "01-x", betaToken},
		{"token that keeps", tokenPrefix + "01-x", "", provider.CacheShort, `{"type":"ephemeral"}`, "Bearer " + tokenPrefix + "01-x", betaToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, req := start(t, model.Say("ok"))
			s.Key = tt.key
			req.Endpoint.Key, req.Cache = tt.key, tt.cache
			req.Endpoint.BaseURL += tt.base
			req.Endpoint.Headers = map[string]string{"X-Own": "mine"}
			if _, _, err := ask(t, req); err != nil {
				t.Fatal(err)
			}
			body, header := sent(t, s)
			sameJSON(t, "marker", body["system"].([]any)[0].(map[string]any)["cache_control"], tt.marker)
			if header.Get("Authorization") != tt.auth || header.Get("Anthropic-Beta") != tt.beta || header.Get("X-Own") != "mine" || (header.Get("X-Api-Key") == "") != (tt.auth != "") {
				t.Errorf("header: %v", header)
			}
		})
	}
}
