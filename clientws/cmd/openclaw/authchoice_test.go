package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

func TestModelsAt(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   []string
		fails  bool
	}{
		"models":   {200, `{"object":"list","data":[{"id":"a"},{"id":""},{"id":"b/c"}]}`, []string{"a", "b/c"}, false},
		"none":     {200, `{"data":[]}`, nil, false},
		"no list":  {200, `<html>`, nil, true},
		"no entry": {401, `{"data":[{"id":"a"}]}`, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			var asked, auth string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked, auth = r.URL.Path, r.Header.Get("Authorization")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			got, err := modelsAt(t.Context(), server.URL+"/v1/", "k")
			if (err != nil) != c.fails {
				t.Fatalf("error: %v", err)
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Error(diff)
			}
			if asked != "/v1/models" || auth != "Bearer k" {
				t.Errorf("asked %s with %q", asked, auth)
			}
		})
	}
}

// TestModelPlanKeeps: a second model of a server is added to the first, and fallbacks beside the default model stay.
func TestModelPlanKeeps(t *testing.T) {
	doc, err := json5.NewDocument([]byte(`{ agents: { defaults: { model: { primary: "x/y", fallbacks: ["z/z"] } } } }`))
	if err != nil {
		t.Fatal(err)
	}
	e := &editor{doc: doc}
	for _, id := range []string{"one", "two", "one"} {
		modelPlan{choice: authCustom, provider: "mine", baseURL: "http://h/v1", model: id}.write(e)
	}
	if e.err != nil {
		t.Fatal(e.err)
	}
	want := map[string]any{
		"agents": map[string]any{"defaults": map[string]any{"model": map[string]any{"primary": "mine/one", "fallbacks": []any{"z/z"}}}},
		"models": map[string]any{"providers": map[string]any{"mine": map[string]any{"baseUrl": "http://h/v1", "apiKey": "none", "api": "openai-completions",
			"models": []any{map[string]any{"id": "one", "name": "one"}, map[string]any{"id": "two", "name": "two"}}}}},
	}
	if diff := cmp.Diff(doc.Value(), want); diff != "" {
		t.Error(diff)
	}
}
