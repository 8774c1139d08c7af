package schema

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestEveryDefinitionCompiles(t *testing.T) {
	set := Protocol()
	names, err := set.Names()
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 100 {
		t.Fatalf("got %d definitions, want the whole protocol", len(names))
	}
	for _, name := range names {
		if _, err := set.Definition(name); err != nil {
			t.Errorf("definition %s: %v", name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name, definition, value, want string
	}{
		{"fits", "ChatHistoryParams", `{"sessionKey":"main","limit":5}`, ""},
		{"absent is empty", "ModelsListParams", ``, ""},
		{"missing", "ChatHistoryParams", `{}`, "must have required property 'sessionKey'"},
		{"all missing, in order", "ChatSendParams", `{}`, "must have required property 'sessionKey'; must have required property 'message'; must have required property 'idempotencyKey'"},
		{"missing inside", "ConnectParams", `{"minProtocol":1,"maxProtocol":3,"client":{"id":"cli","version":"1","mode":"cli"}}`, "at /client: must have required property 'platform'"},
		{"extra at root", "ModelsListParams", `{"a":1}`, "at root: unexpected property 'a'"},
		{"extra inside", "ConnectParams", `{"minProtocol":1,"maxProtocol":3,"client":{"id":"cli","version":"1","platform":"l","mode":"cli"},"auth":{"x":1}}`, "at /auth: unexpected property 'x'"},
		{"type", "ChatHistoryParams", `{"sessionKey":"main","limit":"x"}`, "at /limit: must be integer"},
		{"fraction", "ChatHistoryParams", `{"sessionKey":"main","limit":1.5}`, "at /limit: must be integer"},
		{"low", "ChatHistoryParams", `{"sessionKey":"main","limit":0}`, "at /limit: must be >= 1"},
		{"high", "LogsTailParams", `{"maxBytes":1000001}`, "at /maxBytes: must be <= 1000000"},
		{"short", "ChatHistoryParams", `{"sessionKey":""}`, "at /sessionKey: must NOT have fewer than 1 characters"},
		{"long counts characters", "ChatInjectParams", `{"sessionKey":"a","message":"x","label":"` + strings.Repeat("ü", 100) + `"}`, ""},
		{"long", "ChatInjectParams", `{"sessionKey":"a","message":"x","label":"` + strings.Repeat("l", 101) + `"}`, "at /label: must NOT have more than 100 characters"},
		{"few items", "SessionsPreviewParams", `{"keys":[]}`, "at /keys: must NOT have fewer than 1 items"},
		{"item", "SessionsPreviewParams", `{"keys":["a",""]}`, "at /keys/1: must NOT have fewer than 1 characters"},
		{"none of the constants", "WakeParams", `{"mode":"later","text":"x"}`, "at /mode: must be equal to constant; at /mode: must match a schema in anyOf"},
		{"reference", "ConnectParams", `{"minProtocol":1,"maxProtocol":3,"client":{"id":"mine","version":"1","platform":"l","mode":"cli"}}`, "at /client/id: must be equal to constant; at /client/id: must match a schema in anyOf"},
		{"null allowed", "SessionsPatchParams", `{"key":"a","label":null}`, ""},
		{"not an object", "ModelsListParams", `[]`, "must be object"},
		{"constant", "RequestFrame", `{"type":"event","id":"f","method":"m"}`, "at /type: must be equal to constant"},
		{"map values", "ConnectParams", `{"minProtocol":1,"maxProtocol":3,"client":{"id":"cli","version":"1","platform":"l","mode":"cli"},"permissions":{"a/b":"x"}}`, "at /permissions/a~1b: must be boolean"},
	}
	set := Protocol()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			def, err := set.Definition(tt.definition)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := def.Check(json.RawMessage(tt.value)); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestCheckIsBounded(t *testing.T) {
	def, err := Protocol().Definition("SessionsPreviewParams")
	if err != nil {
		t.Fatal(err)
	}
	keys := strings.TrimSuffix(strings.Repeat(`"",`, 5000), ",")
	err = def.Check(json.RawMessage(`{"keys":[` + keys + `]}`))
	var bad *Error
	if !errors.As(err, &bad) || len(bad.Problems) != maxProblems {
		t.Fatalf("got %v, want %d problems", err, maxProblems)
	}
}

func TestUnknownKeywordFails(t *testing.T) {
	set := newSet([]byte(`{"definitions":{"a":{"type":"string","format":"uri"}}}`))
	if _, err := set.Definition("a"); err == nil {
		t.Fatal("got no error for a keyword that is not evaluated")
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(`{"sessionKey":"main"}`)
	f.Add(`[{"a":1e400}]`)
	def, err := Protocol().Definition("ConnectParams")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) { _ = def.Check(json.RawMessage(s)) })
}
