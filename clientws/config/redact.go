package config

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// Redacted stands for a secret in what is shown. A write that carries it keeps the old value.
const Redacted = "__OPENCLAW_REDACTED__"

// secretName matches the names of keys that hold secrets where no schema says it (blocks of plugins, custom headers).
var secretName = regexp.MustCompile(`(?i)(token|secret|password|passwd|api_?key|private_?key|credential)`)

// notSecret matches names that only sound so.
var notSecret = regexp.MustCompile(`(?i)(tokens$|^tokens|tokenfile$|max_?tokens|tokensfield|reservetokens|passwordfile$|secretfile$|token_?limit)`)

// IsSensitive tells whether the value at a path is a secret: as the schema says, and elsewhere by the name of the key.
func IsSensitive(path json5.Path) bool {
	r := loadSchema().at(path)
	if r != nil && r.Sensitive {
		return true
	}
	if len(path) == 0 || (r != nil && !slices.Contains(r.Type, "string") && len(r.Type) > 0) {
		return false
	}
	name := path[len(path)-1]
	return secretName.MatchString(name) && !notSecret.MatchString(name)
}

// at follows a path through the schema, nil where it is left.
func (r *rule) at(path json5.Path) *rule {
	for i, step := range path {
		switch {
		case r == nil:
			return nil
		case len(r.AnyOf) > 0:
			for _, branch := range r.AnyOf {
				if found := branch.at(path[i:]); found != nil {
					return found
				}
			}
			return nil
		case r.Properties[step] != nil:
			r = r.Properties[step]
		case r.Items != nil:
			r = r.Items
		case r.Additional != nil && r.Additional.rule != nil:
			r = r.Additional.rule
		default:
			return nil
		}
	}
	return r
}

// Redact gives a copy of a tree in which every secret is replaced by [Redacted]. A placeholder like ${NAME} is no
// secret and stays. sensitive adds to [IsSensitive], for the keys a plugin names; it may be nil.
func Redact(tree any, sensitive func(json5.Path) bool) any {
	var walk func(path json5.Path, value any) any
	walk = func(path json5.Path, value any) any {
		switch v := value.(type) {
		case map[string]any:
			out := make(map[string]any, len(v))
			for key, item := range v {
				out[key] = walk(path.Join(key), item)
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i, item := range v {
				out[i] = walk(path.Join(strconv.Itoa(i)), item)
			}
			return out
		case nil, bool:
			return value
		case string:
			if v == "" || isPlaceholder(v) {
				return value
			}
		}
		if IsSensitive(path) || (sensitive != nil && sensitive(path)) {
			return Redacted
		}
		return value
	}
	return walk(nil, tree)
}

func isPlaceholder(text string) bool {
	match := placeholder.FindString(text)
	return match == text && match != "" && !strings.HasPrefix(match, "$$")
}

// RedactText replaces every secret in the text of a file and leaves the rest of it to the byte. A text that cannot be
// parsed is not shown at all: it becomes empty.
func RedactText(raw []byte, sensitive func(json5.Path) bool) string {
	doc, err := json5.NewDocument(raw)
	if err != nil || len(raw) == 0 {
		return ""
	}
	shown := Redact(doc.Value(), sensitive)
	if err := doc.Set(nil, shown); err != nil {
		return ""
	}
	return string(doc.Bytes())
}

// Restore gives a copy of next in which every [Redacted] has the value that stands at the same path of old. Paths
// where there is none are returned: such a write must be refused.
func Restore(next, old any) (any, []string) {
	var missing []string
	var walk func(path json5.Path, value, before any) any
	walk = func(path json5.Path, value, before any) any {
		switch v := value.(type) {
		case map[string]any:
			was, _ := before.(map[string]any)
			out := make(map[string]any, len(v))
			for _, key := range slices.Sorted(maps.Keys(v)) {
				out[key] = walk(path.Join(key), v[key], was[key])
			}
			return out
		case []any:
			was, _ := before.([]any)
			out := make([]any, len(v))
			for i, item := range v {
				var old any
				if i < len(was) {
					old = was[i]
				}
				out[i] = walk(path.Join(strconv.Itoa(i)), item, old)
			}
			return out
		case string:
			if v != Redacted {
				return v
			}
			if before == nil {
				missing = append(missing, path.String())
			}
			return before
		}
		return value
	}
	return walk(nil, next, old), missing
}
