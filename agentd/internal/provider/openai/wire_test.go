package openai

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
)

// start serves a fake that always gives one answer, and a request to it.
func start(t *testing.T, a model.Answer) (*model.Server, provider.Request) {
	t.Helper()
	s := &model.Server{Key: secret, Answer: func(model.Request) (model.Answer, bool) { return a, true }}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, provider.Request{
		Endpoint: provider.Endpoint{Provider: "fake", API: provider.APICompletions, BaseURL: s.URL(), Key: secret},
		Model:    "m", Messages: []chat.Message{{Role: chat.RoleUser, Content: chat.Blocks{chat.Text("hi")}}},
	}
}

func ask(t *testing.T, req provider.Request) (provider.Answer, error) {
	t.Helper()
	return New(provider.ClientConfig{}).Stream(t.Context(), req, func(provider.Event) error { return nil })
}

// TestRefusal: in this dialect a refusal is said as an answer.
func TestRefusal(t *testing.T) {
	_, req := start(t, model.Answer{Refusal: "I will not."})
	a, err := ask(t, req)
	if err != nil || a.StopReason != chat.StopEnd || a.Content.Text() != "I will not." {
		t.Errorf("got %+v, %v", a, err)
	}
}

// TestContentFilter: what the provider's filter stops is no answer.
func TestContentFilter(t *testing.T) {
	req, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunks(w, delta(`{"content":"half"}`, "null"), delta(`{}`, "content_filter"), "[DONE]")
	})
	a, err := ask(t, req)
	var perr *provider.Error
	if !errors.As(err, &perr) || perr.Kind != provider.KindRefusal || perr.Retryable() || perr.Failover() || !strings.Contains(perr.Error(), "content filter") {
		t.Errorf("got %v", err)
	}
	if a.Content.Text() != "half" {
		t.Errorf("what had come: %+v", a)
	}
}

func TestImages(t *testing.T) {
	s, req := start(t, model.Say("seen"))
	req.Messages[0].Content = append(req.Messages[0].Content, chat.Block{Type: chat.BlockImage, MimeType: "image/png", Data: "QQ=="})
	if _, err := ask(t, req); err != nil {
		t.Fatal(err)
	}
	got := s.Requests()[0]
	if got.Messages[0].Images != 1 || got.Messages[0].Text != "hi" || !strings.Contains(string(got.Body), `"url":"data:image/png;base64,QQ=="`) {
		t.Errorf("request: %s", got.Body)
	}
}

// TestCutAnywhere: wherever a stream is cut it is a broken connection or the whole answer.
func TestCutAnywhere(t *testing.T) {
	s, req := start(t, model.Answer{Thinking: []string{"let", " me"}, Parts: []string{"one", " two"}, Calls: []model.ToolCall{
		{Tool: "read", Args: json.RawMessage(`{"path":"a"}`)}, {Tool: "read", Args: json.RawMessage(`{"path":"b"}`)},
	}})
	whole, err := ask(t, req)
	if err != nil || len(whole.Content) != 4 || whole.Content[3].ID == whole.Content[2].ID || string(whole.Content[3].Arguments) != `{"path":"b"}` {
		t.Fatalf("whole answer: %+v, %v", whole, err)
	}
	size := streamSize(t, s)
	const places = 20
	broken := 0
	for i := range places {
		at := i * size / places
		if at == 0 {
			at = -1
		}
		f := s.Inject(&model.Fault{Times: 1, CutAfter: at})
		a, err := ask(t, req)
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

// streamSize is the length of the fake's answer in bytes.
func streamSize(t *testing.T, s *model.Server) int {
	t.Helper()
	body := `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got %d %s, %v", res.StatusCode, raw, err)
	}
	return len(raw)
}
