package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/access"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/schema"
)

// handler answers one call: through c.Reply and c.Fail, or by the error it
// returns. What it returns after an answer is logged only.
type handler func(ctx context.Context, c *call) error

// method is a row of the table.
type method struct {
	name string
	// params names the schema definition of the parameters; empty leaves
	// their check to the handler.
	params string
	// unlisted methods are not named in hello-ok.
	unlisted bool
	// inline methods never block: they run where the frame was read.
	inline bool
	// waits says that the method may take as long as what it waits for.
	waits bool
	// agent methods may be called by a run, within its own session.
	agent  bool
	handle handler

	meter *methodMeter
}

// Methods is the method table. It is filled before the server serves and does
// not change after that.
type Methods struct {
	rows   map[string]*method
	order  []string
	rights map[string]right
	schema *schema.Set
}

func newMethods() *Methods {
	return &Methods{rows: make(map[string]*method), rights: rightsTable(), schema: schema.Protocol()}
}

// add registers a method. A name that is taken is a programmer's mistake.
func (m *Methods) add(row method) {
	if _, taken := m.rows[row.name]; taken {
		panic("gateway: method " + row.name + " registered twice")
	}
	m.rows[row.name] = &row
	m.order = append(m.order, row.name)
}

// Listed names the methods of hello-ok, in the order of their registration.
func (m *Methods) Listed() []string {
	names := make([]string, 0, len(m.order))
	for _, name := range m.order {
		if !m.rows[name].unlisted {
			names = append(names, name)
		}
	}
	return names
}

// find checks the caller's rights and looks the method up, in this order: who
// may not call it does not learn whether it exists.
func (m *Methods) find(c *Caller, name string) (*method, *protocol.Error) {
	need := m.rightFor(name)
	if c.Agent == nil {
		if c.Role != need.role {
			return nil, protocol.Invalid("unauthorized role: %s", c.Role)
		}
		if need.role == protocol.RoleOperator && !access.Allows(c.Scopes, need.scope) {
			return nil, protocol.Invalid("missing scope: %s", need.scope)
		}
	}
	row, ok := m.rows[name]
	if c.Agent != nil && (!ok || !row.agent) {
		return nil, protocol.Invalid("missing scope: %s", need.scope)
	}
	if !ok {
		return nil, protocol.Invalid("unknown method: %s", name)
	}
	return row, nil
}

// check holds parameters against the method's schema.
func (m *Methods) check(row *method, params json.RawMessage) *protocol.Error {
	if row.params == "" {
		return nil
	}
	if err := m.checkAs(row.params, params); err != nil {
		var bad *schema.Error
		if errors.As(err, &bad) {
			return protocol.Invalid("invalid %s params: %s", row.name, bad)
		}
		return protocol.Unavailable("%s: %v", row.name, err)
	}
	return nil
}

func (m *Methods) checkAs(definition string, raw json.RawMessage) error {
	def, err := m.schema.Definition(definition)
	if err != nil {
		return err
	}
	return def.Check(raw)
}

// call is one request under way.
type call struct {
	Caller
	row    *method
	params json.RawMessage
	// respond sends one reply. It may be called again for methods that
	// answer twice.
	respond func(payload any, err *protocol.Error)
	// spawn runs f on a goroutine that lives as long as the connection. Nil
	// where the caller is no connection.
	spawn    func(f func(ctx context.Context))
	answered atomic.Bool
}

// Reply answers with a payload.
func (c *call) Reply(payload any) {
	c.answered.Store(true)
	c.respond(payload, nil)
}

// Fail answers with an error, and with a payload where it is not nil.
func (c *call) Fail(payload any, err *protocol.Error) {
	c.answered.Store(true)
	c.respond(payload, err)
}

// decode reads the parameters, which passed the schema, into v.
func (c *call) decode(v any) error {
	if len(c.params) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.params, v); err != nil {
		return protocol.Invalid("invalid %s params: %v", c.row.name, err)
	}
	return nil
}

// run checks and answers a call. Every path answers exactly once or more.
func (s *Server) run(ctx context.Context, c *call) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("method panicked", "method", c.row.name, "panic", fmt.Sprint(p), "stack", stack())
			if !c.answered.Load() {
				c.Fail(nil, protocol.Unavailable("%v", p))
			}
		}
	}()
	if err := s.methods.check(c.row, c.params); err != nil {
		c.Fail(nil, err)
		return
	}
	err := c.row.handle(ctx, c)
	switch {
	case err == nil && c.answered.Load():
	case err == nil:
		c.Fail(nil, protocol.Unavailable("%s gave no answer", c.row.name))
	case c.answered.Load():
		s.log.Warn("method failed after its answer", "method", c.row.name, "error", err)
	default:
		c.Fail(nil, asError(err))
	}
}

// asError finds the protocol error in err, or makes one.
func asError(err error) *protocol.Error {
	var e *protocol.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return protocol.Unavailable("%v", err).WithRetry(true, 0)
	}
	return protocol.Unavailable("%v", err)
}

// AgentCall serves a call that a run makes, under scope agent and bound to
// the run's agent and session. The answer is the first that the method gives.
func (s *Server) AgentCall(ctx context.Context, who AgentCaller, name string, params json.RawMessage) (json.RawMessage, *protocol.Error) {
	caller := Caller{Role: protocol.RoleOperator, Scopes: []protocol.Scope{protocol.ScopeAgent}, Agent: &who}
	row, refused := s.methods.find(&caller, name)
	if refused != nil {
		return nil, refused
	}
	var answer json.RawMessage
	var failure *protocol.Error
	first := true
	c := &call{Caller: caller, row: row, params: slices.Clone(params)}
	c.respond = func(payload any, err *protocol.Error) {
		if !first {
			return
		}
		first, failure = false, err
		if payload == nil {
			return
		}
		raw, merr := json.Marshal(payload)
		if merr != nil {
			failure = protocol.Unavailable("marshal answer: %v", merr)
			return
		}
		answer = raw
	}
	s.run(ctx, c)
	return answer, failure
}
