package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxProblems bounds what one check reports, so that a large bad value makes
// no large answer.
const maxProblems = 32

// Definition checks values against one definition.
type Definition struct {
	name string
	root *node
}

// Error lists what is wrong with a value, in the order of the schema, without
// repeats.
type Error struct{ Problems []string }

// Error joins the problems as the protocol's error messages do.
func (e *Error) Error() string { return strings.Join(e.Problems, "; ") }

// Check decodes raw and checks it. An empty raw is an empty object. The error
// is an *Error where the value is JSON but does not fit.
func (d *Definition) Check(raw json.RawMessage) error {
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	var v any
	if err := dec.Decode(&v); err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("%s: more than one value", d.name)
	}
	c := checker{}
	c.check(d.root, v, "")
	if len(c.problems) == 0 {
		return nil
	}
	return &Error{Problems: c.problems}
}

type checker struct{ problems []string }

func (c *checker) add(path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = "at " + path + ": " + text
	}
	if len(c.problems) < maxProblems && !slices.Contains(c.problems, text) {
		c.problems = append(c.problems, text)
	}
}

func (c *checker) check(n *node, v any, path string) {
	if n.ref != nil {
		c.check(n.ref, v, path)
		return
	}
	if n.kind != "" && !isKind(v, n.kind) {
		c.add(path, "must be %s", n.kind)
	}
	switch v := v.(type) {
	case float64:
		c.number(n, v, path)
	case string:
		c.text(n, v, path)
	}
	if n.isConst && !equal(v, n.constant) {
		c.add(path, "must be equal to constant")
	}
	if len(n.anyOf) > 0 {
		c.anyOf(n, v, path)
	}
	switch v := v.(type) {
	case []any:
		c.array(n, v, path)
	case map[string]any:
		c.object(n, v, path)
	}
}

func (c *checker) number(n *node, v float64, path string) {
	if n.maximum != nil && v > *n.maximum {
		c.add(path, "must be <= %s", strconv.FormatFloat(*n.maximum, 'f', -1, 64))
	}
	if n.minimum != nil && v < *n.minimum {
		c.add(path, "must be >= %s", strconv.FormatFloat(*n.minimum, 'f', -1, 64))
	}
}

func (c *checker) text(n *node, v string, path string) {
	if n.maxLength != nil && utf8.RuneCountInString(v) > *n.maxLength {
		c.add(path, "must NOT have more than %d characters", *n.maxLength)
	}
	if n.minLength != nil && utf8.RuneCountInString(v) < *n.minLength {
		c.add(path, "must NOT have fewer than %d characters", *n.minLength)
	}
	if n.pattern != nil && !n.pattern.MatchString(v) {
		c.add(path, "must match pattern %q", n.pattern.String())
	}
}

func (c *checker) anyOf(n *node, v any, path string) {
	inner := checker{}
	for _, child := range n.anyOf {
		one := checker{}
		one.check(child, v, path)
		if len(one.problems) == 0 {
			return
		}
		inner.problems = append(inner.problems, one.problems...)
	}
	for _, p := range inner.problems {
		c.add("", "%s", p)
	}
	c.add(path, "must match a schema in anyOf")
}

func (c *checker) array(n *node, v []any, path string) {
	if n.maxItems != nil && len(v) > *n.maxItems {
		c.add(path, "must NOT have more than %d items", *n.maxItems)
	}
	if n.minItems != nil && len(v) < *n.minItems {
		c.add(path, "must NOT have fewer than %d items", *n.minItems)
	}
	if n.items == nil {
		return
	}
	for i, item := range v {
		c.check(n.items, item, path+"/"+strconv.Itoa(i))
	}
}

func (c *checker) object(n *node, v map[string]any, path string) {
	for _, name := range n.required {
		if _, ok := v[name]; !ok {
			c.add(path, "must have required property '%s'", name)
		}
	}
	if n.closed {
		where := path
		if where == "" {
			where = "root"
		}
		for _, name := range sortedKeys(v) {
			if !n.names(name) {
				c.add(where, "unexpected property '%s'", name)
			}
		}
	}
	for _, p := range n.properties {
		if item, ok := v[p.name]; ok {
			c.check(p.node, item, path+"/"+escape(p.name))
		}
	}
	for _, p := range n.patterns {
		for _, name := range sortedKeys(v) {
			if p.re.MatchString(name) {
				c.check(p.node, v[name], path+"/"+escape(name))
			}
		}
	}
}

// names says whether a closed object knows a property.
func (n *node) names(name string) bool {
	if _, ok := n.index[name]; ok {
		return true
	}
	return slices.ContainsFunc(n.patterns, func(p patternProperty) bool { return p.re.MatchString(name) })
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// escape writes a property's name as part of a JSON pointer.
func escape(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func isKind(v any, kind string) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == math.Trunc(v)
	case []any:
		return kind == "array"
	case map[string]any:
		return kind == "object"
	}
	return false
}

// equal compares scalars, which is all that the protocol's constants are.
func equal(a, b any) bool {
	switch a.(type) {
	case nil, bool, string, float64:
		return a == b
	}
	return false
}
