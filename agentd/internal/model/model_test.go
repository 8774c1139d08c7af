package model

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
)

func catalogue(t *testing.T, raw string) *Catalogue {
	t.Helper()
	set, err := settings.Parse(json.RawMessage(raw))
	if err != nil {
		t.Fatal(err)
	}
	return New(set)
}

const fake = `"models":{"mode":"replace","providers":{"fake":{"baseUrl":"http://f/v1","apiKey":"k","api":"openai-completions",
	"models":[{"id":"one","name":"One","contextWindow":128000,"cost":{"input":2,"output":4}},{"id":"two"}]}}}`

func TestDefault(t *testing.T) {
	tests := []struct{ name, config, ref, reason string }{
		{"nothing", `{}`, "demo/echo", "no provider has a key"},
		{"a key in the environment", `{"auth":{"openai":{"apiKey":"k","source":"env"}}}`, "openai/gpt-5.2", "env"},
		{"Anthropic comes first", `{"auth":{"anthropic":{"apiKey":"k","source":"env"},"openai":{"apiKey":"k","source":"env"}}}`, "anthropic/claude-opus-4-6", "env"},
		{"a provider of another dialect is passed over", `{"models":{"providers":{"g":{"baseUrl":"http://g","apiKey":"k","api":"google-generative-ai","models":[{"id":"x"}]}}},
			"auth":{"openrouter":{"apiKey":"k","source":"env"}}}`, "openrouter/openrouter/auto", "env"},
		{"configured provider", `{` + fake + `}`, "fake/one", "config"},
		{"primary", `{` + fake + `,"agents":{"defaults":{"model":{"primary":"fake/two"}}}}`, "fake/two", "primary"},
		{"primary as a string", `{` + fake + `,"agents":{"defaults":{"model":"fake/two"}}}`, "fake/two", "primary"},
		{"the agent's own", `{` + fake + `,"agents":{"defaults":{"model":"fake/two"},"list":[{"id":"main","model":"fake/one"}]}}`, "fake/one", "primary"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, reason, err := catalogue(t, tt.config).Default("main")
			if err != nil || m.Ref() != tt.ref || !strings.Contains(reason, tt.reason) {
				t.Errorf("got %s, %q, %v; want %s, %q", m.Ref(), reason, err, tt.ref, tt.reason)
			}
		})
	}
}

func TestFind(t *testing.T) {
	c := catalogue(t, `{"models":{"providers":{"fake":{"baseUrl":"http://f/v1","models":[{"id":"one"}]}}},"auth":{"zai":{"apiKey":"k"},"openrouter":{"apiKey":"k"}},
		"agents":{"defaults":{"models":{"fake/one":{"alias":"Uno","params":{"temperature":0.5,"maxTokens":7}}}}}}`)
	tests := []struct{ ref, want, bad string }{
		{"fake/one", "fake/one", ""},
		{"uno", "fake/one", ""},
		{"one", "fake/one", ""},
		{"Fake/one", "fake/one", ""},
		{"fake/unlisted", "fake/unlisted", ""},
		{"openrouter/moonshotai/kimi-k2", "openrouter/moonshotai/kimi-k2", ""},
		{"ollama/llama", "ollama/llama", ""},
		{"demo/echo", "demo/echo", ""},
		{"openai/gpt-5.2", "", "OPENAI_API_KEY"},
		{"nobody/x", "", "models.providers.nobody"},
		{"what", "", "provider/model"},
	}
	for _, tt := range tests {
		t.Run(tt.ref, func(t *testing.T) {
			m, err := c.Find(tt.ref)
			if tt.bad != "" {
				if err == nil || !strings.Contains(err.Error(), tt.bad) {
					t.Errorf("got %v, want an error with %q", err, tt.bad)
				}
				return
			}
			if err != nil || m.Ref() != tt.want {
				t.Errorf("got %s, %v; want %s", m.Ref(), err, tt.want)
			}
		})
	}
	for ref, want := range map[string]string{"Opus": "anthropic/claude-opus-4-6", "sonnet": "anthropic/claude-sonnet-4-5", "anthropic/opus-4.5": "anthropic/claude-opus-4-5", "gpt": ""} {
		m, err := catalogue(t, `{"auth":{"anthropic":{"apiKey":"k"}}}`).Find(ref)
		if (err == nil) != (want != "") || err == nil && m.Ref() != want {
			t.Errorf("%s: got %s, %v; want %q", ref, m.Ref(), err, want)
		}
	}
	own := catalogue(t, `{"models":{"providers":{"anthropic":{"apiKey":"k"}}}}`)
	for id, reasons := range map[string]bool{"claude-sonnet-4-20250514": true, "claude-3-7-sonnet-latest": true, "claude-3-5-haiku-latest": false} {
		m, err := own.Find("anthropic/" + id)
		if err != nil || m.Effort != reasons || !m.Sees("image") || m.Endpoint.API != "anthropic-messages" || m.Endpoint.BaseURL != "https://api.anthropic.com" {
			t.Errorf("%s: %+v, %v", id, m, err)
		}
	}
	if m, err := c.Find("uno"); err != nil || m.MaxTokens != 7 || m.Temperature == nil || *m.Temperature != 0.5 {
		t.Errorf("parameters: %+v, %v", m, err)
	}
}

func TestCandidates(t *testing.T) {
	c := catalogue(t, `{`+fake+`,"agents":{"defaults":{"model":{"primary":"fake/one","fallbacks":["gone/x","fake/two","fake/one"]}}}}`)
	refs := func(ref string, fallbacks []string) (out []string) {
		t.Helper()
		list, err := c.Candidates("main", ref, fallbacks)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			out = append(out, m.Ref())
		}
		return out
	}
	if diff := cmp.Diff(refs("", nil), []string{"fake/one", "fake/two"}); diff != "" {
		t.Errorf("default (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(refs("fake/two", []string{}), []string{"fake/two"}); diff != "" {
		t.Errorf("without fallback (-got +want):\n%s", diff)
	}
}

func TestListAndPrice(t *testing.T) {
	c := catalogue(t, `{`+fake+`,"agents":{"defaults":{"model":"fake/two","models":{"fake/one":{}}}}}`)
	var got []string
	for _, m := range c.List() {
		got = append(got, m.Ref()+" "+m.Name)
	}
	if diff := cmp.Diff(got, []string{"fake/one One", "fake/two two"}); diff != "" {
		t.Errorf("list (-got +want):\n%s", diff)
	}
	m, err := c.Find("fake/one")
	if err != nil {
		t.Fatal(err)
	}
	if u := m.Price(chat.Usage{Input: 1e6, Output: 5e5}); u.Cost.Total != 4 || u.Cost.Input != 2 {
		t.Errorf("cost: %+v", u.Cost)
	}
}

func TestLevel(t *testing.T) {
	tests := []struct {
		name             string
		m                Model
		asked, byDefault string
		want             string
	}{
		{"asked for", Model{Reasoning: true}, "medium", "high", "medium"},
		{"configured", Model{Reasoning: true}, "", "off", "off"},
		{"reasons", Model{Reasoning: true}, "", "", "low"},
		{"does not", Model{}, "", "", "off"},
		{"too high", Model{Provider: "anthropic", ID: "claude-opus-4-6", Reasoning: true}, "xhigh", "", "high"},
		{"highest", Model{Provider: "openai", ID: "gpt-5.2", Reasoning: true}, "", "xhigh", "xhigh"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.m.Level(tt.asked, tt.byDefault); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
