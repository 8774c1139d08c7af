package gateway

import "github.com/openclaw/openclaw-supervisor/clientws/protocol"

// Repeatable reports whether a method only reads, so that a call whose answer was lost
// may simply be made again.
func (s *Server) Repeatable(name string) bool {
	need := s.methods.rightFor(name)
	return need.role == protocol.RoleOperator && need.scope == protocol.ScopeRead
}
