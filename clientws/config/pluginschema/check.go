// Package pluginschema holds a section of the configuration to the JSON Schema that its
// plugin told. It is apart from package config because the schema library costs memory and start time
// that a program which checks no plugin's section need not spend. Concurrency: pure functions.
package pluginschema

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// Check checks a section against the JSON Schema that its plugin told, at the path where it stands in the file.
// The problems have no place yet; [config.Loaded.Locate] gives it. The error is for a schema that is none.
func Check(at json5.Path, block any, schema []byte) ([]config.Problem, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", at, err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	const name = "plugin:///schema.json"
	if err := compiler.AddResource(name, parsed); err != nil {
		return nil, fmt.Errorf("schema of %s: %w", at, err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", at, err)
	}
	err = compiled.Validate(block)
	if err == nil {
		return nil, nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return nil, fmt.Errorf("check %s: %w", at, err)
	}
	var problems []config.Problem
	printer := message.NewPrinter(language.English)
	for _, leaf := range leafCauses(invalid) {
		path := slices.Concat(at, json5.Path(leaf.InstanceLocation))
		if extra, ok := leaf.ErrorKind.(*kind.AdditionalProperties); ok {
			for _, key := range extra.Properties {
				problems = append(problems, config.Problem{Path: path.Join(key).String(), Message: fmt.Sprintf("Unrecognized key: %q", key), Remedy: remedyForKey(key, parsed)})
			}
			continue
		}
		problems = append(problems, config.Problem{Path: path.String(), Message: leaf.ErrorKind.LocalizedString(printer)})
	}
	return problems, nil
}

// leafCauses gives the errors that have no deeper cause.
func leafCauses(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var out []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		out = append(out, leafCauses(cause)...)
	}
	return out
}

func remedyForKey(key string, schema any) string {
	object, _ := schema.(map[string]any)
	properties, _ := object["properties"].(map[string]any)
	known := make([]string, 0, len(properties))
	for name := range properties {
		known = append(known, name)
	}
	if near := config.Nearest(key, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "remove the key"
}

// noLoader refuses references to other documents: a plugin's schema may not make us read files or the network.
type noLoader struct{}

// Load always fails.
func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("the schema may not refer to %s", url)
}
