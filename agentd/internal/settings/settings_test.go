package settings

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct{ name, raw, path string }{
		{"empty", ``, ""},
		{"unknown keys", `{"session":{},"agents":{"defaults":{"compaction":{"enabled":true}}}}`, ""},
		{"known provider without address", `{"models":{"providers":{"openai":{"models":[{"id":"x"}]}}}}`, ""},
		{"provider without address", `{"models":{"providers":{"x":{"models":[{"id":"m"}]}}}}`, "models.providers.x.baseUrl"},
		{"model without id", `{"models":{"providers":{"x":{"baseUrl":"u","models":[{"name":"m"}]}}}}`, "models.providers.x.models.0.id"},
		{"wrong type", `{"agents":{"defaults":{"contextTokens":"many"}}}`, "agents.defaults.contextTokens"},
		{"relative workspace", `{"paths":{"workspace":"here"}}`, "paths.workspace"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(json.RawMessage(tt.raw))
			var bad *Error
			if tt.path == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if !errors.As(err, &bad) || bad.Path != tt.path {
				t.Errorf("got %v, want an error at %s", err, tt.path)
			}
		})
	}
}

func TestWorkspaceAndKey(t *testing.T) {
	s, err := Parse(json.RawMessage(`{"agents":{"defaults":{"workspace":"/w"},"list":[{"id":"own","workspace":"/mine"}]},
		"models":{"providers":{"a":{"apiKey":"ka"},"b":{"apiKey":"kb"}}},"auth":{"b":{"apiKey":"env-b","source":"env"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for agent, want := range map[string]string{"main": "/w", "": "/w", "own": "/mine", "other": "/w-other"} {
		if got := s.Workspace(agent); got != want {
			t.Errorf("workspace of %q: got %q, want %q", agent, got, want)
		}
	}
	for provider, want := range map[string][2]string{"a": {"ka", "config"}, "b": {"env-b", "env"}, "c": {"", "none"}} {
		if key, source := s.Key(provider); key != want[0] || source != want[1] {
			t.Errorf("key of %q: got %q, %q, want %v", provider, key, source, want)
		}
	}
}
