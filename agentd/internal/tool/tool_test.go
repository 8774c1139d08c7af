package tool

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type stub struct {
	name string
	run  func(Call) (Result, error)
}

func (s stub) Spec() Spec {
	return Spec{Name: s.name, Schema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"]}`)}
}

func (s stub) Run(_ context.Context, c Call) (Result, error) { return s.run(c) }

func TestRunNeverFails(t *testing.T) {
	ok := func(Call) (Result, error) { return Text("fine"), nil }
	tests := []struct {
		name, tool, args string
		run              func(Call) (Result, error)
		want             string
		isError          bool
	}{
		{"fine", "a", `{"n":1}`, ok, "fine", false},
		{"unknown", "b", `{}`, ok, `Tool "b" does not exist or is not allowed here. Available: a`, true},
		{"no JSON", "a", `{"n":`, ok, "arguments of a are no valid JSON: unexpected end of JSON input", true},
		{"missing", "a", ``, ok, "arguments of a do not fit: validating root: required: missing properties: [\"n\"]", true},
		{"too small", "a", `{"n":0}`, ok, "arguments of a do not fit: validating root: validating /properties/n: minimum: 0/1 is less than 1.000000", true},
		{"own error", "a", `{"n":1}`, func(Call) (Result, error) { return Result{}, errors.New("no luck") }, "no luck", true},
		{"panic", "a", `{"n":1}`, func(Call) (Result, error) { panic("ouch") }, "tool a broke down: ouch", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set := NewRegistry(stub{"a", tt.run}).Select()
			r := set.Run(t.Context(), tt.tool, Call{Args: json.RawMessage(tt.args)})
			if r.Content.Text() != tt.want || r.IsError != tt.isError {
				t.Errorf("got %q (error %v), want %q (error %v)", r.Content.Text(), r.IsError, tt.want, tt.isError)
			}
		})
	}
}

func TestPolicies(t *testing.T) {
	all := []string{"read", "exec", "process", "message", "session_status"}
	var tools []Tool
	for _, n := range all {
		tools = append(tools, stub{name: n})
	}
	r := NewRegistry(tools...)
	tests := []struct {
		name     string
		policies []Policy
		want     []string
	}{
		{"none", nil, all},
		{"deny wins", []Policy{{Allow: []string{"*"}, Deny: []string{"EXEC"}}}, []string{"read", "process", "message", "session_status"}},
		{"allow", []Policy{{Allow: []string{"read"}}}, []string{"read"}},
		{"alias and wildcard", []Policy{{Allow: []string{"bash", "mess*"}}}, []string{"exec", "message"}},
		{"group", []Policy{{Deny: []string{"group:runtime"}}}, []string{"read", "message", "session_status"}},
		{"profile", []Policy{{Profile: "coding"}}, []string{"read", "exec", "process", "session_status"}},
		{"profile and more", []Policy{{Profile: "minimal", AlsoAllow: []string{"read"}}}, []string{"read", "session_status"}},
		{"unknown names only", []Policy{{Allow: []string{"some_plugin"}}}, all},
		{"a step only takes away", []Policy{{Allow: []string{"read"}}, {Allow: []string{"*"}}}, []string{"read"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range r.Select(tt.policies...).Specs() {
				got = append(got, s.Name)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("tools (-got +want):\n%s", diff)
			}
		})
	}
}
