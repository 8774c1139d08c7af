package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// node is one compiled schema. Absent keywords are nil or empty.
type node struct {
	ref      *node
	kind     string
	constant any
	isConst  bool
	anyOf    []*node

	minimum, maximum     *float64
	minLength, maxLength *int
	minItems, maxItems   *int
	pattern              *regexp.Regexp
	items                *node

	required   []string
	closed     bool
	properties []property
	index      map[string]*node
	patterns   []patternProperty
}

type property struct {
	name string
	node *node
}

type patternProperty struct {
	re   *regexp.Regexp
	node *node
}

func (s *Set) compile(n *node, raw json.RawMessage) error {
	keys, err := orderedObject(raw)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := s.keyword(n, k.name, k.raw); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return nil
}

func (s *Set) keyword(n *node, name string, raw json.RawMessage) (err error) {
	switch name {
	case "$ref":
		var ref string
		if err := json.Unmarshal(raw, &ref); err != nil {
			return err
		}
		target, ok := strings.CutPrefix(ref, "#/definitions/")
		if !ok {
			return fmt.Errorf("unsupported reference %q", ref)
		}
		n.ref, err = s.definition(target)
		return err
	case "type":
		return json.Unmarshal(raw, &n.kind)
	case "const":
		n.isConst = true
		return json.Unmarshal(raw, &n.constant)
	case "anyOf":
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		for _, item := range list {
			child := &node{}
			if err := s.compile(child, item); err != nil {
				return err
			}
			n.anyOf = append(n.anyOf, child)
		}
		return nil
	case "minimum":
		return json.Unmarshal(raw, &n.minimum)
	case "maximum":
		return json.Unmarshal(raw, &n.maximum)
	case "minLength":
		return json.Unmarshal(raw, &n.minLength)
	case "maxLength":
		return json.Unmarshal(raw, &n.maxLength)
	case "minItems":
		return json.Unmarshal(raw, &n.minItems)
	case "maxItems":
		return json.Unmarshal(raw, &n.maxItems)
	case "pattern":
		n.pattern, err = compilePattern(raw)
		return err
	case "items":
		n.items = &node{}
		return s.compile(n.items, raw)
	case "required":
		return json.Unmarshal(raw, &n.required)
	case "additionalProperties":
		var open bool
		if err := json.Unmarshal(raw, &open); err != nil {
			return err
		}
		n.closed = !open
		return nil
	case "properties":
		return s.properties(n, raw)
	case "patternProperties":
		return s.patternProperties(n, raw)
	case "default", "title", "description":
		return nil
	}
	return fmt.Errorf("unsupported keyword")
}

func (s *Set) properties(n *node, raw json.RawMessage) error {
	keys, err := orderedObject(raw)
	if err != nil {
		return err
	}
	n.index = make(map[string]*node, len(keys))
	for _, k := range keys {
		child := &node{}
		if err := s.compile(child, k.raw); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		n.properties = append(n.properties, property{k.name, child})
		n.index[k.name] = child
	}
	return nil
}

func (s *Set) patternProperties(n *node, raw json.RawMessage) error {
	keys, err := orderedObject(raw)
	if err != nil {
		return err
	}
	for _, k := range keys {
		re, err := regexp.Compile(k.name)
		if err != nil {
			return err
		}
		child := &node{}
		if err := s.compile(child, k.raw); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		n.patterns = append(n.patterns, patternProperty{re, child})
	}
	return nil
}

func compilePattern(raw json.RawMessage) (*regexp.Regexp, error) {
	var p string
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, err
	}
	return regexp.Compile(p)
}

type member struct {
	name string
	raw  json.RawMessage
}

// orderedObject reads an object's members in the order they are written.
func orderedObject(raw json.RawMessage) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if tok != json.Delim('{') {
		return nil, fmt.Errorf("not an object")
	}
	var members []member
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		members = append(members, member{key.(string), value})
	}
	return members, nil
}
