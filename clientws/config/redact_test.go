package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

const secrets = `{
  // mine
  gateway: { auth: { mode: 'token', token: 'hunter2' }, remote: { token: '${REMOTE}' } },
  models: { providers: { fake: { apiKey: 'hunter2', headers: { 'x-a': 'hunter2' }, models: [{ id: 'm', maxTokens: 100 }] } } },
  channels: { telegram: { botToken: 'hunter2', tokenFile: '/x', accounts: { b: { botToken: 'hunter2' } } }, other: { accessToken: 'hunter2', nested: { password: 'hunter2' } } },
  agents: { defaults: { contextTokens: 5, compaction: { reserveTokensFloor: 6 } } },
}
`

func TestRedactAndRestore(t *testing.T) {
	doc, err := json5.NewDocument([]byte(secrets))
	if err != nil {
		t.Fatal(err)
	}
	text := RedactText([]byte(secrets), nil)
	if strings.Contains(text, "hunter2") || strings.Count(text, Redacted) != 7 {
		t.Errorf("text shows a secret or hides too much:\n%s", text)
	}
	for _, keep := range []string{"// mine", "${REMOTE}", "maxTokens: 100", "tokenFile: '/x'", "contextTokens: 5", "reserveTokensFloor: 6"} {
		if !strings.Contains(text, keep) {
			t.Errorf("text lost %q", keep)
		}
	}
	restored, missing := Restore(Redact(doc.Value(), nil), doc.Value())
	if len(missing) > 0 {
		t.Errorf("missing: %v", missing)
	}
	if diff := cmp.Diff(restored, doc.Value()); diff != "" {
		t.Errorf("restored (-got +want):\n%s", diff)
	}
	if _, missing := Restore(map[string]any{"a": Redacted}, map[string]any{}); len(missing) != 1 || missing[0] != "a" {
		t.Errorf("a marker for nothing passes: %v", missing)
	}
	if got := RedactText([]byte("{ token: 'hunter2'"), nil); got != "" {
		t.Errorf("a text that cannot be parsed is shown: %q", got)
	}
	custom := Redact(map[string]any{"channels": map[string]any{"x": map[string]any{"pin": "1234"}}}, func(p json5.Path) bool { return p.String() == "channels.x.pin" })
	if strings.Contains(fmtAny(custom), "1234") {
		t.Error("a plugin's own secret is shown")
	}
}

func fmtAny(v any) string {
	data, _ := json5.Render(v)
	return string(data)
}
