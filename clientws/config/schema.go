package config

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

//go:embed schema.json
var schemaJSON []byte

// SchemaJSON is the JSON Schema (draft 2020-12) of openclaw.json. The caller must not change it. Besides the standard
// words it uses x-sensitive (the value is a secret) and x-ignored (accepted, without effect).
func SchemaJSON() []byte { return schemaJSON }

// rule is one schema of the subset that schema.json uses. Reading it ourselves instead of through a general validator
// keeps the start free of a compilation that costs milliseconds, and the errors in words a person can act on.
// A test holds both to the same verdicts.
type rule struct {
	Ref        string           `json:"$ref"`
	Type       words            `json:"type"`
	Enum       []any            `json:"enum"`
	AnyOf      []*rule          `json:"anyOf"`
	Properties map[string]*rule `json:"properties"`
	Additional *additional      `json:"additionalProperties"`
	Items      *rule            `json:"items"`
	Required   []string         `json:"required"`
	Pattern    string           `json:"pattern"`
	MaxLength  *int             `json:"maxLength"`
	Minimum    *float64         `json:"minimum"`
	Above      *float64         `json:"exclusiveMinimum"`
	Maximum    *float64         `json:"maximum"`
	Default    json.RawMessage  `json:"default"`
	Sensitive  bool             `json:"x-sensitive"`
	Ignored    bool             `json:"x-ignored"`
	Defs       map[string]*rule `json:"$defs"`
}

// words is a JSON string or an array of strings.
type words []string

// UnmarshalJSON reads either form.
func (w *words) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var one string
		err := json.Unmarshal(data, &one)
		*w = words{one}
		return err
	}
	return json.Unmarshal(data, (*[]string)(w))
}

// additional is additionalProperties: a schema, or whether any key may stand.
type additional struct {
	any  bool
	rule *rule
}

// UnmarshalJSON reads either form.
func (a *additional) UnmarshalJSON(data []byte) error {
	if string(data) == "true" || string(data) == "false" {
		a.any = string(data) == "true"
		return nil
	}
	return json.Unmarshal(data, &a.rule)
}

var loadSchema = sync.OnceValue(func() *rule {
	root := new(rule)
	if err := json.Unmarshal(schemaJSON, root); err != nil {
		panic(fmt.Sprintf("config: schema.json: %v", err))
	}
	root.link(root.Defs)
	return root
})

// link replaces every reference by what it refers to.
func (r *rule) link(defs map[string]*rule) {
	for name, sub := range r.Properties {
		r.Properties[name] = linked(sub, defs)
	}
	for i, sub := range r.AnyOf {
		r.AnyOf[i] = linked(sub, defs)
	}
	if r.Items != nil {
		r.Items = linked(r.Items, defs)
	}
	if r.Additional != nil && r.Additional.rule != nil {
		r.Additional.rule = linked(r.Additional.rule, defs)
	}
	for _, sub := range r.Defs {
		sub.link(defs)
	}
}

func linked(sub *rule, defs map[string]*rule) *rule {
	if sub.Ref == "" {
		sub.link(defs)
		return sub
	}
	target, ok := defs[strings.TrimPrefix(sub.Ref, "#/$defs/")]
	if !ok {
		panic("config: schema.json: unknown reference " + sub.Ref)
	}
	if sub.Default == nil && !sub.Ignored {
		return target
	}
	own := *target
	own.Default, own.Ignored = sub.Default, sub.Ignored
	return &own
}

// Leaf is one key of the schema that holds no further known keys.
type Leaf struct {
	// Path is the key with * for a name the user chooses and [] for an element: channels.telegram.groups.*.enabled.
	Path string
	// Sensitive tells that the value is a secret.
	Sensitive bool
	// Default is the value used when the key is absent, nil where there is none or where it depends on other keys.
	Default any
}

// Leaves lists every leaf of the schema, sorted by path.
func Leaves() []Leaf {
	var out []Leaf
	loadSchema().leaves("", &out)
	slices.SortFunc(out, func(a, b Leaf) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(out, func(a, b Leaf) bool { return a.Path == b.Path })
}

func (r *rule) leaves(path string, out *[]Leaf) {
	join := func(step string) string {
		if path == "" {
			return step
		}
		return path + "." + step
	}
	leaf := true
	for name, sub := range r.Properties {
		leaf = false
		sub.leaves(join(name), out)
	}
	if r.Additional != nil && r.Additional.rule != nil {
		leaf = false
		r.Additional.rule.leaves(join("*"), out)
	}
	if r.Items != nil && (r.Items.Properties != nil || r.Items.AnyOf != nil) {
		leaf = false
		r.Items.leaves(path+"[]", out)
	}
	for _, branch := range r.AnyOf {
		if branch.Properties != nil {
			branch.leaves(path, out)
		}
	}
	if leaf {
		*out = append(*out, Leaf{Path: path, Sensitive: r.Sensitive, Default: r.defaultValue()})
	}
}

func (r *rule) defaultValue() any {
	if r.Default == nil {
		return nil
	}
	var value any
	if err := json.Unmarshal(r.Default, &value); err != nil {
		panic(fmt.Sprintf("config: schema.json: default: %v", err))
	}
	normal, err := json5.Normalize(value)
	if err != nil {
		panic(fmt.Sprintf("config: schema.json: default: %v", err))
	}
	return normal
}
