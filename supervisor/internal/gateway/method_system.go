package gateway

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/health"
)

// register fills the table with the methods whose backends are there.
func (s *Server) register() {
	m, b := s.methods, s.cfg.Backends
	m.add(method{name: protocol.MethodConnect, unlisted: true, inline: true, handle: s.connectAgain})
	m.rights[protocol.MethodConnect] = right{role: protocol.RoleOperator, scope: protocol.ScopeRead}
	m.add(method{name: protocol.MethodHealth, inline: true, agent: true, handle: s.health})
	if b.Logs != nil {
		m.add(method{name: protocol.MethodLogsTail, params: "LogsTailParams", handle: s.logsTail})
	}
	s.registerChannels()
	if b.Sessions != nil {
		m.add(method{name: protocol.MethodStatus, agent: true, handle: s.status})
	}
	if b.Config != nil {
		m.add(method{name: protocol.MethodConfigGet, params: "ConfigGetParams", handle: s.configGet})
	}
	m.add(method{name: protocol.MethodTalkMode, params: "TalkModeParams", handle: s.talkMode})
	s.registerDirectory()
	if b.VoiceWake != nil {
		m.add(method{name: protocol.MethodVoiceWakeGet, handle: s.voiceWakeGet})
	}
	s.registerSessions()
	s.registerFiles()
	s.registerOutbox()
	s.registerPairing()
	if b.Heart != nil {
		m.add(method{name: protocol.MethodLastHeartbeat, handle: s.lastHeartbeat})
		m.add(method{name: protocol.MethodSetHeartbeats, handle: s.setHeartbeats})
		m.add(method{name: protocol.MethodWake, params: "WakeParams", handle: s.wake})
	}
	m.add(method{name: protocol.MethodSystemPresence, handle: s.systemPresence})
	if b.Events != nil {
		m.add(method{name: protocol.MethodSystemEvent, handle: s.systemEvent})
	}
	s.registerRuns()
	s.registerChat()
	s.registerWorkers()
	m.add(method{name: protocol.MethodDashboardTicket, handle: s.dashboardTicket})
}

// connectAgain answers a second connect.
func (s *Server) connectAgain(_ context.Context, c *call) error {
	return protocol.Invalid("connect is only valid as the first request")
}

// health answers from the rendered snapshot; probe renders anew and tells
// everybody.
func (s *Server) health(_ context.Context, c *call) error {
	var p protocol.HealthParams
	if len(c.params) > 2 {
		// Parameters of health are not checked: what is no probe is ignored.
		_ = json.Unmarshal(c.params, &p)
	}
	snapshot := s.cfg.Board.Snapshot
	if p.Probe {
		snapshot = s.cfg.Board.Refresh
	}
	snap, err := snapshot()
	if err != nil {
		return err
	}
	c.Reply(snap.JSON)
	if p.Probe {
		poke(s.healthDirty)
	}
	return nil
}

// status sums up what an operator wants to see first.
func (s *Server) status(ctx context.Context, c *call) error {
	snap, err := s.cfg.Board.Snapshot()
	if err != nil {
		return err
	}
	var h protocol.HealthSnapshot
	if err := json.Unmarshal(snap.JSON, &h); err != nil {
		return err
	}
	list, err := s.cfg.Backends.Sessions.List(ctx, protocol.SessionsListParams{IncludeGlobal: true, IncludeUnknown: true})
	if err != nil {
		return err
	}
	r := protocol.StatusResult{
		Heartbeat:          protocol.StatusHeartbeat{DefaultAgentID: h.DefaultAgentID, Agents: []protocol.StatusAgentHeartbeat{}},
		ChannelSummary:     health.Summary(h.Workers, nil),
		QueuedSystemEvents: []string{},
		Sessions: protocol.StatusSessions{
			Paths: []string{}, Count: len(list.Sessions), Defaults: list.Defaults, Recent: firstRows(list.Sessions, statusRows),
			ByAgent: []protocol.StatusByAgent{},
		},
	}
	for _, a := range h.Agents {
		r.Heartbeat.Agents = append(r.Heartbeat.Agents, protocol.StatusAgentHeartbeat{
			AgentID: a.AgentID, Enabled: a.Heartbeat.Enabled, Every: a.Heartbeat.Every, EveryMS: a.Heartbeat.EveryMS,
		})
		own := []protocol.SessionRow{}
		for _, row := range list.Sessions {
			if strings.HasPrefix(row.Key, "agent:"+a.AgentID+":") {
				own = append(own, row)
			}
		}
		r.Sessions.Paths = append(r.Sessions.Paths, a.Sessions.Path)
		r.Sessions.ByAgent = append(r.Sessions.ByAgent, protocol.StatusByAgent{
			AgentID: a.AgentID, Path: a.Sessions.Path, Count: len(own), Recent: firstRows(own, statusRows),
		})
	}
	if s.cfg.Backends.Events != nil {
		queued, err := s.cfg.Backends.Events.Queued(ctx)
		if err != nil {
			return err
		}
		r.QueuedSystemEvents = append(r.QueuedSystemEvents, queued...)
	}
	c.Reply(r)
	return nil
}

// statusRows is how many sessions status shows of each agent.
const statusRows = 10

func firstRows(rows []protocol.SessionRow, n int) []protocol.SessionRow {
	if rows == nil {
		return []protocol.SessionRow{}
	}
	return rows[:min(n, len(rows))]
}

func (s *Server) configGet(ctx context.Context, c *call) error {
	snap, err := s.cfg.Backends.Config.Redacted(ctx)
	if err != nil {
		return err
	}
	for _, list := range []*[]protocol.ConfigIssue{&snap.Issues, &snap.Warnings, &snap.LegacyIssues} {
		if *list == nil {
			*list = []protocol.ConfigIssue{}
		}
	}
	c.Reply(snap)
	return nil
}

func (s *Server) talkMode(_ context.Context, c *call) error {
	var p protocol.TalkModeParams
	if err := c.decode(&p); err != nil {
		return err
	}
	r := protocol.TalkModePayload{Enabled: p.Enabled, Phase: p.Phase, TS: s.now().UnixMilli()}
	c.Reply(r)
	s.publish(protocol.EventTalkMode, r)
	return nil
}

func (s *Server) voiceWakeGet(ctx context.Context, c *call) error {
	words, err := s.cfg.Backends.VoiceWake.Triggers(ctx)
	if err != nil {
		return err
	}
	if words == nil {
		words = []string{}
	}
	c.Reply(protocol.VoiceWakeResult{Triggers: words})
	return nil
}

func (s *Server) lastHeartbeat(ctx context.Context, c *call) error {
	last, err := s.cfg.Backends.Heart.Last(ctx)
	if err != nil {
		return err
	}
	if len(last) == 0 {
		last = json.RawMessage("null")
	}
	c.Reply(last)
	return nil
}

func (s *Server) setHeartbeats(ctx context.Context, c *call) error {
	var p struct {
		Enabled *bool `json:"enabled"`
	}
	if err := json.Unmarshal(orEmpty(c.params), &p); err != nil || p.Enabled == nil {
		return protocol.Invalid("invalid set-heartbeats params: enabled (boolean) required")
	}
	if err := s.cfg.Backends.Heart.SetEnabled(ctx, *p.Enabled); err != nil {
		return err
	}
	c.Reply(protocol.SetHeartbeatsResult{OK: true, Enabled: *p.Enabled})
	return nil
}

func orEmpty(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

func (s *Server) wake(ctx context.Context, c *call) error {
	var p protocol.WakeParams
	if err := c.decode(&p); err != nil {
		return err
	}
	text := strings.TrimSpace(p.Text)
	if text == "" {
		c.Reply(protocol.OKResult{OK: false})
		return nil
	}
	if err := s.cfg.Backends.Heart.Wake(ctx, text, p.Mode == "now"); err != nil {
		return err
	}
	c.Reply(protocol.OKResult{OK: true})
	return nil
}

func (s *Server) systemPresence(_ context.Context, c *call) error {
	list, _ := s.presence.JSON()
	c.Reply(list)
	return nil
}

func (s *Server) systemEvent(ctx context.Context, c *call) error {
	var p protocol.SystemEventParams
	// A text that is no string is no text; other fields of a wrong type are
	// refused.
	err := json.Unmarshal(orEmpty(c.params), &p)
	p.Text = strings.TrimSpace(p.Text)
	if p.Text == "" {
		return protocol.Invalid("text required")
	}
	if err != nil {
		return protocol.Invalid("invalid system-event params: %v", err)
	}
	if err := s.cfg.Backends.Events.Enqueue(ctx, p.Text); err != nil {
		return err
	}
	s.presence.event(p)
	c.Reply(protocol.OKResult{OK: true})
	poke(s.presenceTold)
	return nil
}

func (s *Server) dashboardTicket(_ context.Context, c *call) error {
	ticket, until := s.cfg.Guard.Ticket()
	r := protocol.DashboardTicket{Ticket: ticket, ExpiresAtMS: until.UnixMilli()}
	if s.cfg.DashboardURL != nil {
		r.URL = strings.TrimRight(s.cfg.DashboardURL(), "/") + "/#token=" + ticket
	}
	c.Reply(r)
	return nil
}
