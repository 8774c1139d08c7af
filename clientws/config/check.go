package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// finding is a problem before its place in a file is known.
type finding struct {
	path    json5.Path
	message string
	remedy  string
	// atKey: the key is wrong, not its value.
	atKey bool
}

// checker walks a value along a rule and gathers everything that is wrong.
type checker struct{ findings []finding }

func (c *checker) add(path json5.Path, remedy, format string, args ...any) {
	c.findings = append(c.findings, finding{path: path, message: fmt.Sprintf(format, args...), remedy: remedy})
}

func (c *checker) check(path json5.Path, r *rule, value any) {
	if len(r.AnyOf) > 0 {
		c.anyOf(path, r, value)
		return
	}
	if len(r.Enum) > 0 {
		c.enum(path, r, value)
		return
	}
	if len(r.Type) > 0 && !slices.ContainsFunc(r.Type, func(t string) bool { return hasType(value, t) }) {
		c.add(path, remedyFor(r, value), "expected %s, got %s", describe(r), show(value, r.Sensitive))
		return
	}
	switch v := value.(type) {
	case map[string]any:
		c.object(path, r, v)
	case []any:
		if r.Items != nil {
			for i, item := range v {
				c.check(path.Join(strconv.Itoa(i)), r.Items, item)
			}
		}
	case json.Number:
		c.number(path, r, v)
	case string:
		c.text(path, r, v)
	}
}

func (c *checker) object(path json5.Path, r *rule, value map[string]any) {
	for _, name := range r.Required {
		if _, ok := value[name]; !ok {
			c.add(path, "add it", "the key %q is missing", name)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(value)) {
		at := path.Join(key)
		switch sub := r.Properties[key]; {
		case sub != nil:
			c.check(at, sub, value[key])
		case r.Additional == nil || r.Additional.any:
		case r.Additional.rule != nil:
			c.check(at, r.Additional.rule, value[key])
		default:
			c.unknown(path, at, key, r)
		}
	}
}

func (c *checker) unknown(parent, at json5.Path, key string, r *rule) {
	remedy := "remove the key, or run: openclaw doctor --fix"
	known := slices.Collect(maps.Keys(r.Properties))
	if near := Nearest(key, known); near != "" {
		remedy = fmt.Sprintf("did you mean %q?", near)
	} else if place := loadSchema().wherePath(key); place != "" && len(parent) == 0 {
		remedy = fmt.Sprintf("there is %q; move it there", place)
	}
	c.findings = append(c.findings, finding{path: at, message: fmt.Sprintf("Unrecognized key: %q", key), remedy: remedy, atKey: true})
}

// wherePath finds a section in which a key that was written at the top is at home, one level down.
func (r *rule) wherePath(key string) string {
	for _, section := range slices.Sorted(maps.Keys(r.Properties)) {
		if _, ok := r.Properties[section].Properties[key]; ok {
			return section + "." + key
		}
	}
	return ""
}

func (c *checker) anyOf(path json5.Path, r *rule, value any) {
	var best *checker
	for _, branch := range r.AnyOf {
		try := &checker{}
		try.check(path, branch, value)
		if len(try.findings) == 0 {
			return
		}
		// A branch of the value's own sort tells more than "expected a or b".
		if sameSort(branch, value) {
			best = try
		}
	}
	if best != nil {
		c.findings = append(c.findings, best.findings...)
		return
	}
	c.add(path, "", "expected %s, got %s", describe(r), show(value, r.Sensitive))
}

func sameSort(r *rule, value any) bool {
	return slices.ContainsFunc(r.Type, func(t string) bool { return hasType(value, t) })
}

func (c *checker) enum(path json5.Path, r *rule, value any) {
	texts := make([]string, 0, len(r.Enum))
	for _, allowed := range r.Enum {
		if allowed == value {
			return
		}
		if text, ok := allowed.(string); ok {
			texts = append(texts, text)
		}
	}
	remedy := ""
	if text, ok := value.(string); ok {
		if near := Nearest(text, texts); near != "" {
			remedy = fmt.Sprintf("did you mean %q?", near)
		}
	}
	c.add(path, remedy, "expected %s, got %s", describe(r), show(value, r.Sensitive))
}

func (c *checker) number(path json5.Path, r *rule, value json.Number) {
	f, err := value.Float64()
	switch {
	case err != nil:
		c.add(path, "", "the number %s is too large", value)
	case r.Minimum != nil && f < *r.Minimum:
		c.add(path, "", "expected at least %s, got %s", plain(*r.Minimum), value)
	case r.Above != nil && f <= *r.Above:
		c.add(path, "", "expected more than %s, got %s", plain(*r.Above), value)
	case r.Maximum != nil && f > *r.Maximum:
		c.add(path, "", "expected at most %s, got %s", plain(*r.Maximum), value)
	}
}

func (c *checker) text(path json5.Path, r *rule, value string) {
	if r.MaxLength != nil && utf8.RuneCountInString(value) > *r.MaxLength {
		c.add(path, "", "expected at most %d characters, got %d", *r.MaxLength, utf8.RuneCountInString(value))
	}
	if r.Pattern == "" {
		return
	}
	if matched, err := regexp.MatchString(r.Pattern, value); err == nil && !matched {
		c.add(path, "", "%s does not have the form %s", show(value, r.Sensitive), r.Pattern)
	}
}

func hasType(value any, name string) bool {
	switch v := value.(type) {
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case map[string]any:
		return name == "object"
	case []any:
		return name == "array"
	case nil:
		return name == "null"
	case json.Number:
		return name == "number" || (name == "integer" && isWhole(string(v)))
	}
	return false
}

// isWhole tells whether a JSON number has no fraction: 5, 5.0 and 5e3 do not.
func isWhole(number string) bool {
	if !strings.ContainsAny(number, ".eE") {
		return true
	}
	f, err := strconv.ParseFloat(number, 64)
	return err == nil && f == float64(int64(f))
}

func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
