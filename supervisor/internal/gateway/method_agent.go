package gateway

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

const defaultWait = 30 * time.Second

func (s *Server) registerDirectory() {
	if s.cfg.Backends.Directory == nil {
		return
	}
	m := s.methods
	m.add(method{name: protocol.MethodModelsList, params: "ModelsListParams", agent: true, handle: s.modelsList})
	m.add(method{name: protocol.MethodAgentsList, params: "AgentsListParams", agent: true, handle: s.agentsList})
}

func (s *Server) registerRuns() {
	m, b := s.methods, s.cfg.Backends
	if b.Sender != nil && b.Channels != nil {
		m.add(method{name: protocol.MethodSend, params: "SendParams", waits: true, handle: s.send})
	}
	if b.Runs != nil && b.Directory != nil {
		m.add(method{name: protocol.MethodAgent, params: "AgentParams", waits: true, handle: s.agent})
	}
	if b.Directory != nil {
		m.add(method{name: protocol.MethodAgentIdentity, params: "AgentIdentityParams", agent: true, handle: s.agentIdentity})
	}
	if b.Runs != nil {
		m.add(method{name: protocol.MethodAgentWait, params: "AgentWaitParams", waits: true, handle: s.agentWait})
	}
}

func (s *Server) modelsList(ctx context.Context, c *call) error {
	r, err := s.cfg.Backends.Directory.Models(ctx)
	if err != nil {
		return err
	}
	if r.Models == nil {
		r.Models = []protocol.ModelChoice{}
	}
	c.Reply(r)
	return nil
}

func (s *Server) agentsList(ctx context.Context, c *call) error {
	r, err := s.cfg.Backends.Directory.Agents(ctx)
	if err != nil {
		return err
	}
	if r.Agents == nil {
		r.Agents = []protocol.AgentSummary{}
	}
	c.Reply(r)
	return nil
}

// agent answers twice: that the run is accepted, and how it ended.
func (s *Server) agent(ctx context.Context, c *call) error {
	var p protocol.AgentParams
	if err := c.decode(&p); err != nil {
		return err
	}
	if err := s.checkAgent(ctx, c.row.name, p.AgentID, p.SessionKey); err != nil {
		return err
	}
	for _, channel := range []string{p.Channel, p.ReplyChannel} {
		if !s.isChannel(channel) {
			return protocol.Invalid("invalid agent params: unknown channel: %s", channel)
		}
	}
	images, err := decodeImages(p.Attachments)
	if err != nil {
		return err
	}
	start, err := s.cfg.Backends.Runs.StartAgent(ctx, AgentRequest{Caller: c.Caller, Params: p, Images: images})
	if err != nil {
		return err
	}
	if start.Stored != nil {
		c.final(*start.Stored)
		return nil
	}
	if start.Begin != nil {
		defer start.Begin()
	}
	c.Reply(start.Ack)
	if start.Wait != nil && c.spawn != nil {
		c.spawn(func(ctx context.Context) {
			last, err := start.Wait(ctx)
			if ctx.Err() != nil {
				return // nobody is there to be told
			}
			if err != nil {
				c.Fail(nil, asError(err))
				return
			}
			c.final(last)
		})
	}
	return nil
}

// final sends a run's outcome.
func (c *call) final(f AgentFinal) {
	if f.Err != nil {
		c.Fail(f.Result, f.Err)
		return
	}
	c.Reply(f.Result)
}

// agentWait waits for a run. Not to have heard of it by then is no error.
func (s *Server) agentWait(ctx context.Context, c *call) error {
	var p protocol.AgentWaitParams
	if err := c.decode(&p); err != nil {
		return err
	}
	wait := defaultWait
	if p.TimeoutMS != nil {
		wait = time.Duration(min(*p.TimeoutMS, int64(24*time.Hour/time.Millisecond))) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	r, err := s.cfg.Backends.Runs.WaitRun(ctx, p.RunID)
	if err != nil {
		return err
	}
	r.RunID = p.RunID
	c.Reply(r)
	return nil
}

func (s *Server) agentIdentity(ctx context.Context, c *call) error {
	var p protocol.AgentIdentityParams
	if err := c.decode(&p); err != nil {
		return err
	}
	if err := s.checkAgent(ctx, c.row.name, p.AgentID, p.SessionKey); err != nil {
		return err
	}
	id := p.AgentID
	if id == "" {
		id = agentOfKey(p.SessionKey)
	}
	if id == "" {
		list, err := s.cfg.Backends.Directory.Agents(ctx)
		if err != nil {
			return err
		}
		id = list.DefaultID
	}
	r, err := s.cfg.Backends.Directory.Identity(ctx, id)
	if err != nil {
		return err
	}
	r.AgentID = id
	c.Reply(r)
	return nil
}

// agentOfKey reads the agent from a session key agent:<id>:<rest>; other keys
// name none.
func agentOfKey(key string) string {
	rest, ok := strings.CutPrefix(strings.ToLower(key), "agent:")
	if !ok {
		return ""
	}
	id, _, ok := strings.Cut(rest, ":")
	if !ok {
		return ""
	}
	return id
}

// checkAgent says whether an agent exists and a session key is one of its.
func (s *Server) checkAgent(ctx context.Context, method, agent, key string) error {
	if agent == "" {
		return nil
	}
	list, err := s.cfg.Backends.Directory.Agents(ctx)
	if err != nil {
		return err
	}
	id := strings.ToLower(strings.TrimSpace(agent))
	if !slices.ContainsFunc(list.Agents, func(a protocol.AgentSummary) bool { return a.ID == id }) {
		return protocol.Invalid("invalid %s params: unknown agent id %q", method, agent)
	}
	if of := agentOfKey(key); of != "" && of != id {
		return protocol.Invalid("invalid %s params: agent %q does not match session key agent %q", method, agent, of)
	}
	return nil
}

// coreChannels are names that may be given although nothing of the kind is
// configured.
var coreChannels = []string{"last", "webchat", "whatsapp", "telegram", "discord", "mattermost", "slack", "signal", "imessage"}

func (s *Server) isChannel(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" || slices.Contains(coreChannels, name) {
		return true
	}
	return s.cfg.Backends.Channels != nil && s.cfg.Backends.Channels.Provides(name)
}

// defaultChannel is tried by send where none is named.
const defaultChannel = "whatsapp"

func (s *Server) send(ctx context.Context, c *call) error {
	var p protocol.SendParams
	if err := c.decode(&p); err != nil {
		return err
	}
	p.Channel = strings.ToLower(strings.TrimSpace(p.Channel))
	if p.Channel == "" {
		p.Channel = defaultChannel
	}
	if !s.cfg.Backends.Channels.Provides(p.Channel) {
		return protocol.Invalid("unsupported channel: %s", p.Channel)
	}
	r, err := s.cfg.Backends.Sender.Send(ctx, c.Caller, p)
	if err != nil {
		return err
	}
	c.Reply(r)
	return nil
}
