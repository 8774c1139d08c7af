package access

import (
	"slices"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Allows says whether somebody who holds scopes may do what needs the scope
// need: admin covers all but the agent's own scope, write covers read.
func Allows(held []protocol.Scope, need protocol.Scope) bool {
	if slices.Contains(held, need) {
		return true
	}
	if need == protocol.ScopeAgent {
		return false
	}
	if slices.Contains(held, protocol.ScopeAdmin) {
		return true
	}
	return need == protocol.ScopeRead && slices.Contains(held, protocol.ScopeWrite)
}

// covers says whether held includes every scope of asked.
func covers(held, asked []protocol.Scope) bool {
	for _, s := range asked {
		if !Allows(held, s) {
			return false
		}
	}
	return true
}

// grantable keeps the scopes that a connection can be given, once each. Names
// that mean nothing, and the agent's scope, are left out.
func grantable(asked []protocol.Scope) []protocol.Scope {
	out := make([]protocol.Scope, 0, len(asked))
	for _, s := range asked {
		switch s {
		case protocol.ScopeAdmin, protocol.ScopeRead, protocol.ScopeWrite, protocol.ScopeApprovals, protocol.ScopePairing:
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// union adds the elements of b to a copy of a.
func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}
