package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"
)

// Registry knows all tools of this process.
type Registry struct {
	names []string
	tools map[string]*entry
}

// entry is a tool with its schema, which is compiled at first use.
type entry struct {
	tool    Tool
	spec    Spec
	compile func() (*jsonschema.Resolved, error)
}

// NewRegistry takes the tools in the order in which a model is told of them. Two of one
// name, or a schema that is no JSON, are a programmer's mistake and panic.
func NewRegistry(tools ...Tool) *Registry {
	r := &Registry{tools: map[string]*entry{}}
	for _, t := range tools {
		e := &entry{tool: t, spec: t.Spec()}
		if _, dup := r.tools[e.spec.Name]; dup {
			panic("tool: two tools named " + e.spec.Name)
		}
		if !json.Valid(e.spec.Schema) {
			panic("tool: schema of " + e.spec.Name + " is no JSON")
		}
		e.compile = sync.OnceValues(func() (*jsonschema.Resolved, error) { return compile(e.spec) })
		r.names = append(r.names, e.spec.Name)
		r.tools[e.spec.Name] = e
	}
	return r
}

// Names of all tools, in order.
func (r *Registry) Names() []string { return slices.Clone(r.names) }

func compile(s Spec) (*jsonschema.Resolved, error) {
	var schema jsonschema.Schema
	if err := json.Unmarshal(s.Schema, &schema); err != nil {
		return nil, fmt.Errorf("schema of %s: %w", s.Name, err)
	}
	return schema.Resolve(nil)
}

// Set is the tools that one run may use.
type Set struct {
	names []string
	tools map[string]*entry
}

// Select returns the tools that all policies let through.
func (r *Registry) Select(policies ...Policy) *Set {
	s := &Set{tools: map[string]*entry{}}
	for _, name := range r.names {
		if !slices.ContainsFunc(policies, func(p Policy) bool { return !p.allows(name, r.names) }) {
			s.names = append(s.names, name)
			s.tools[name] = r.tools[name]
		}
	}
	return s
}

// Specs of the set's tools, in order.
func (s *Set) Specs() []Spec {
	out := make([]Spec, len(s.names))
	for i, n := range s.names {
		out[i] = s.tools[n].spec
	}
	return out
}

// Has reports whether the set holds a tool.
func (s *Set) Has(name string) bool { return s.tools[name] != nil }

// Run checks a call's arguments and makes it. It never fails: a tool that does not
// exist, arguments that do not fit and a tool's own error become error results.
func (s *Set) Run(ctx context.Context, name string, c Call) (r Result) {
	e := s.tools[name]
	if e == nil {
		return Failure("Tool %q does not exist or is not allowed here. Available: %s", name, strings.Join(s.names, ", "))
	}
	if len(bytes.TrimSpace(c.Args)) == 0 {
		c.Args = json.RawMessage("{}")
	}
	if c.Update == nil {
		c.Update = func(Result) {}
	}
	if err := e.check(c.Args); err != nil {
		return Failure("%v", err)
	}
	defer func() {
		if p := recover(); p != nil {
			r = Failure("tool %s broke down: %v", name, p)
		}
	}()
	res, err := e.tool.Run(ctx, c)
	if err != nil {
		res.IsError = true
		if len(res.Content) == 0 {
			res.Content = Text("%v", err).Content
		}
	}
	return res
}

// check holds arguments against the schema.
func (e *entry) check(args json.RawMessage) error {
	schema, err := e.compile()
	if err != nil {
		return err
	}
	var v any
	if err := json.Unmarshal(args, &v); err != nil {
		return fmt.Errorf("arguments of %s are no valid JSON: %w", e.spec.Name, err)
	}
	if err := schema.Validate(v); err != nil {
		return fmt.Errorf("arguments of %s do not fit: %w", e.spec.Name, err)
	}
	return nil
}
