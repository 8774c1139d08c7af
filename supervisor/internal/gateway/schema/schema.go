// Package schema checks JSON values against the protocol's JSON Schema,
// which is embedded.
//
// It owns the schema data and the wording of its errors: both are part of the
// wire contract, and clients show the texts as they are, in the order of the
// schema. That is why the few keywords the protocol uses are evaluated here
// and not by a general library. A definition is compiled when it is first
// asked for; an unknown keyword fails then, never silently.
//
// A Set may be used from several goroutines. The package does no I/O.
package schema

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

//go:embed gateway-v3.schema.json
var document []byte

// Set compiles definitions of one schema document on demand.
type Set struct {
	load func() (map[string]json.RawMessage, error)

	mu       sync.Mutex
	compiled map[string]*node
}

// Protocol returns the definitions of protocol version 3. Nothing is parsed
// before the first Definition.
func Protocol() *Set { return newSet(document) }

func newSet(doc []byte) *Set {
	return &Set{
		compiled: make(map[string]*node),
		load: sync.OnceValues(func() (map[string]json.RawMessage, error) {
			var top struct {
				Definitions map[string]json.RawMessage `json:"definitions"`
			}
			if err := json.Unmarshal(doc, &top); err != nil {
				return nil, fmt.Errorf("read schema: %w", err)
			}
			return top.Definitions, nil
		}),
	}
}

// Names lists all definitions, in no order.
func (s *Set) Names() ([]string, error) {
	defs, err := s.load()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(defs))
	for name := range defs {
		names = append(names, name)
	}
	return names, nil
}

// Definition returns a checker for the named definition, compiling it and all
// it refers to if need be.
func (s *Set) Definition(name string) (*Definition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.definition(name)
	if err != nil {
		return nil, err
	}
	return &Definition{name: name, root: n}, nil
}

// definition is Definition with s.mu held. A definition under work is already
// in the map, so that references may be circular.
func (s *Set) definition(name string) (*node, error) {
	if n, ok := s.compiled[name]; ok {
		return n, nil
	}
	defs, err := s.load()
	if err != nil {
		return nil, err
	}
	raw, ok := defs[name]
	if !ok {
		return nil, fmt.Errorf("no definition %q", name)
	}
	n := &node{}
	s.compiled[name] = n
	if err := s.compile(n, raw); err != nil {
		delete(s.compiled, name)
		return nil, fmt.Errorf("compile %s: %w", name, err)
	}
	return n, nil
}
