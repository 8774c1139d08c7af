package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/access"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/event"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/schema"
)

const firstMustBeConnect = "invalid handshake: first request must be connect"

// greet sends the challenge and starts the clock of the handshake.
func (c *conn) greet() error {
	_ = c.net.SetReadDeadline(time.Now().Add(c.s.limits.Handshake))
	payload, err := json.Marshal(protocol.Challenge{Nonce: c.nonce, TS: c.s.now().UnixMilli()})
	if err != nil {
		return err
	}
	frame, err := json.Marshal(protocol.Event{Type: protocol.FrameEvent, Event: protocol.EventChallenge, Payload: payload})
	if err != nil {
		return err
	}
	return c.write(frame)
}

// hello takes the first frame; false ends the connection.
func (c *conn) hello(frame []byte) bool {
	req, err := c.s.methods.parseRequest(frame)
	switch {
	case errors.Is(err, errNotJSON):
		c.closeNow(protocol.CloseNormal, "")
		return false
	case err != nil:
		c.closeNow(protocol.ClosePolicy, protocol.ReasonInvalidRequest)
		return false
	case req.method != protocol.MethodConnect:
		c.reject(req.id, protocol.Invalid("%s", firstMustBeConnect), protocol.ClosePolicy)
		return false
	}
	params, refused := c.s.connectParams(req.params)
	if refused != nil {
		c.reject(req.id, refused, protocol.ClosePolicy)
		return false
	}
	if params.MinProtocol > protocol.Version || params.MaxProtocol < protocol.Version {
		mismatch := protocol.Invalid("%s", protocol.ReasonProtocolVersion).WithDetails(map[string]int{"expectedProtocol": protocol.Version})
		c.reject(req.id, mismatch, protocol.CloseProtocolMismatch)
		return false
	}
	c.stage.Store(stageAdmitting)
	// Reading goes on meanwhile, so that a client that hangs up, or does not
	// wait for the answer, is noticed.
	c.jobs.Go(func() { c.admit(req.id, params) })
	return true
}

// connectParams checks and reads the parameters of connect.
func (s *Server) connectParams(raw json.RawMessage) (*protocol.ConnectParams, *protocol.Error) {
	if err := s.methods.checkAs("ConnectParams", raw); err != nil {
		var bad *schema.Error
		if errors.As(err, &bad) {
			return nil, protocol.Invalid("invalid connect params: %s", bad)
		}
		return nil, protocol.Unavailable("%v", err)
	}
	var p protocol.ConnectParams
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, protocol.Invalid("invalid connect params: %v", err)
	}
	return &p, nil
}

// reject answers, and closes with the same words.
func (c *conn) reject(id string, failure *protocol.Error, code int) {
	c.s.log.Info("connection refused", "conn", c.id, "remote", c.peer.Addr, "reason", failure.Message)
	c.s.metrics.refusedConns.Inc()
	if err := c.write(appendResponse(nil, id, nil, failure)); err != nil {
		c.cut()
		return
	}
	c.closeNow(code, failure.Message)
}

// idOf finds the id to answer a frame under.
func (c *conn) idOf(frame []byte) string {
	req, _ := c.s.methods.parseRequest(frame)
	if req.id == "" {
		return "invalid"
	}
	return req.id
}

// admit asks the guard, and lets the client in or turns it away.
func (c *conn) admit(id string, params *protocol.ConnectParams) {
	ctx, cancel := context.WithTimeout(c.ctx, c.s.limits.Handshake)
	defer cancel()
	grant, refused := c.s.cfg.Guard.Admit(ctx, access.Request{Peer: c.peer, Nonce: c.nonce, Params: params})
	if refused != nil {
		c.reject(id, refused, protocol.ClosePolicy)
		c.cut()
		return
	}
	if c.closed.Load() {
		return
	}
	c.caller = Caller{
		ConnID: c.id, DeviceID: grant.DeviceID, Client: params.Client, Role: grant.Role, Scopes: grant.Scopes,
		ToolEvents: slices.Contains(params.Caps, protocol.CapToolEvents),
	}
	_ = c.net.SetReadDeadline(time.Time{})
	c.ws.SetReadLimit(protocol.MaxPayload)
	// Attached first: what happens from here on waits behind hello-ok, and
	// what happened before is in its snapshot.
	allows := func(scope protocol.Scope) bool {
		return grant.Role == protocol.RoleOperator && access.Allows(grant.Scopes, scope)
	}
	c.s.enter(c, grant)
	c.s.cfg.Bus.Attach(c.id, c.queue, allows)
	payload, err := c.s.helloOK(c, grant)
	if err != nil {
		c.s.cfg.Bus.Detach(c.id)
		c.reject(id, asError(err), protocol.ClosePolicy)
		c.cut()
		return
	}
	c.stage.Store(stageReady)
	frame := appendResponse(takeBuffer(), id, payload, nil)
	if c.queue.Open(event.Frame{Bytes: frame, Recycle: giveBuffer}) != nil {
		return
	}
	c.s.log.Debug("client connected", "conn", c.id, "client", params.Client.ID, "role", grant.Role, "method", grant.Method)
	poke(c.s.healthDirty)
}

// helloOK builds the answer to connect from parts that are rendered already.
func (s *Server) helloOK(c *conn, grant access.Grant) (json.RawMessage, error) {
	snap, err := s.cfg.Board.Snapshot()
	if err != nil {
		return nil, err
	}
	list, version := s.presence.JSON()
	defaults := s.cfg.SessionDefaults()
	return json.Marshal(struct {
		Type     string               `json:"type"`
		Protocol int                  `json:"protocol"`
		Server   protocol.ServerInfo  `json:"server"`
		Features protocol.Features    `json:"features"`
		Snapshot helloSnapshot        `json:"snapshot"`
		Auth     *protocol.IssuedAuth `json:"auth,omitempty"`
		Policy   protocol.Policy      `json:"policy"`
	}{
		Type: protocol.TypeHelloOK, Protocol: protocol.Version,
		Server:   protocol.ServerInfo{Version: s.cfg.Version, Commit: s.cfg.Commit, Host: s.cfg.Host, ConnID: c.id},
		Features: protocol.Features{Methods: s.methods.Listed(), Events: protocol.Events()},
		Snapshot: helloSnapshot{
			Presence: list, Health: snap.JSON,
			StateVersion: protocol.StateVersion{Presence: version, Health: snap.Version},
			UptimeMS:     s.now().Sub(s.started).Milliseconds(),
			ConfigPath:   s.cfg.ConfigPath, StateDir: s.cfg.StateDir, SessionDefaults: &defaults,
		},
		Auth: grant.Auth, Policy: protocol.DefaultPolicy(),
	})
}

// helloSnapshot is protocol.Snapshot with its presence rendered.
type helloSnapshot struct {
	Presence        json.RawMessage           `json:"presence"`
	Health          json.RawMessage           `json:"health"`
	StateVersion    protocol.StateVersion     `json:"stateVersion"`
	UptimeMS        int64                     `json:"uptimeMs"`
	ConfigPath      string                    `json:"configPath,omitempty"`
	StateDir        string                    `json:"stateDir,omitempty"`
	SessionDefaults *protocol.SessionDefaults `json:"sessionDefaults,omitempty"`
}

// enter notes a client that got in.
func (s *Server) enter(c *conn, grant access.Grant) {
	s.presence.connect(c.caller, grant, c.peer)
}

// leave notes that a client is gone.
func (s *Server) leave(c *conn) {
	s.cfg.Bus.Detach(c.id)
	if s.presence.disconnect(c.caller) {
		poke(s.presenceDirty)
	}
}
