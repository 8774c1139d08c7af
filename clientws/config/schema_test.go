package config

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// TestSameVerdictAsAGeneralValidator holds our own reading of schema.json to that of a general JSON Schema validator,
// so that what config.schema publishes is what we accept.
func TestSameVerdictAsAGeneralValidator(t *testing.T) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(SchemaJSON()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("s.json", parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	values := []string{`null`, `true`, `"text"`, `""`, `0`, `1`, `-1`, `0.5`, `1e2`, `{}`, `[]`, `["a"]`, `[1]`, `[{}]`, `{"a":1}`, `{"a":{}}`, `"loopback"`, `"off"`, `"12:30"`, `"auto"`, `{"primary":"a/b"}`}
	checked := 0
	for _, leaf := range Leaves() {
		for _, text := range values {
			doc := wrap(t, leaf.Path, text)
			ours := checker{}
			ours.check(nil, loadSchema(), doc)
			theirs := compiled.Validate(doc)
			if (len(ours.findings) == 0) != (theirs == nil) {
				t.Errorf("%s = %s: ours %v, general validator %v", leaf.Path, text, ours.findings, theirs)
			}
			checked++
		}
	}
	if checked < 10000 {
		t.Errorf("only %d values were compared", checked)
	}
}

// wrap builds a document in which a leaf has a value.
func wrap(t *testing.T, leaf, value string) any {
	t.Helper()
	var tree any
	decoder := json.NewDecoder(bytes.NewReader([]byte(value)))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	path := dotted(leaf)
	for i := len(path) - 1; i >= 0; i-- {
		step := path[i]
		lists := 0
		for len(step) > 2 && step[len(step)-2:] == "[]" {
			step, lists = step[:len(step)-2], lists+1
		}
		for range lists {
			tree = []any{tree}
		}
		if step == "*" {
			step = "name"
		}
		tree = map[string]any{step: tree}
	}
	return tree
}

func TestLeavesCoverTheDocumentedKeys(t *testing.T) {
	leaves := map[string]Leaf{}
	for _, leaf := range Leaves() {
		leaves[leaf.Path] = leaf
	}
	for path, want := range map[string]string{
		"gateway.port": "18789", "gateway.bind": `"loopback"`, "agents.defaults.timeoutSeconds": "600", "messages.queue.cap": "20",
		"session.resetTriggers": `["/new","/reset"]`, "web.reconnect.factor": "1.8", "supervisor.restart.maxMs": "300000",
		"channels.telegram.accounts.*.botToken": "null", "channels.telegram.groups.*.topics.*.requireMention": "null",
		"models.providers.*.models[].cost.cacheRead": "null", "agents.list[].tools.exec.security": "null", "channels.whatsapp.hostLock": "null",
		"supervisor.limits.*.memoryMb": "null", "mcp.servers.*.command": "null", "agents.defaults.model.fallbacks": "null",
	} {
		leaf, ok := leaves[path]
		if !ok {
			t.Errorf("%s is no key of the schema", path)
			continue
		}
		if got, err := json.Marshal(leaf.Default); err != nil || string(got) != want {
			t.Errorf("default of %s = %s, want %s", path, got, want)
		}
	}
	if !leaves["gateway.auth.token"].Sensitive || leaves["gateway.port"].Sensitive {
		t.Error("sensitive keys are not marked")
	}
	if len(leaves) < 700 {
		t.Errorf("the schema has only %d leaves", len(leaves))
	}
}

func TestDefaultsAreValid(t *testing.T) {
	tree := Effective(map[string]any{})
	check := checker{}
	normal, err := json5.Normalize(tree)
	if err != nil {
		t.Fatal(err)
	}
	check.check(nil, loadSchema(), normal)
	if len(check.findings) > 0 {
		t.Errorf("the defaults break the schema: %v", check.findings)
	}
}
