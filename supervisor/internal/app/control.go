package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/access"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/command"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/controlui"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/event"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/health"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/worker"
)

// accessGuard is the guard with the settings it asks at every decision.
type accessGuard struct{ guard *access.Guard }

// wireControlPlane makes guard, board, page and server.
func (a *App) wireControlPlane(bus *event.Bus, commands *command.Set, events run.Events, sys clock.Clock) error {
	publish := func(name string, payload any) {
		if err := bus.Publish(name, payload); err != nil {
			a.log.Error("an event could not be told", "event", name, "error", err)
		}
	}
	guard, err := access.NewGuard(access.Config{
		StateDir: a.paths.StateDir, Secret: a.secret, Publish: publish, Log: subsystem(a.log, "access"),
		AllowedOrigins: func() []string { return a.store.Snapshot().Config.Gateway.ControlUI.AllowedOrigins },
		TrustedProxies: a.trustedProxies,
		InsecurePage: func() bool {
			ui := a.store.Snapshot().Config.Gateway.ControlUI
			return ui.AllowInsecureAuth || ui.DangerouslyDisableDeviceAuth
		},
	})
	if err != nil {
		return err
	}
	a.access = &accessGuard{guard: guard}
	now := sys.Now
	workers := &workers{pool: a.pool, now: now}
	models := &models{store: a.store, agents: a.agents}
	sess := &sessions{db: a.db, book: a.book, agents: a.agents, models: models, aborts: a.runner, now: now}
	status := &channelStatus{store: a.store, workers: workers, channels: a.channels, now: now}
	dir := &directory{store: a.store, agents: a.agents}
	notes := newSystemEvents(a.db, a.book)
	a.board = health.NewBoard(health.Config{Source: health.Source{
		Workers: workers.List, Labels: status.label, Agents: func() []protocol.AgentHealth { return a.agentHealth(sess) },
		Sessions:       func() protocol.SessionStore { return sess.recent("") },
		DefaultAgentID: func() string { return a.store.Snapshot().Config.DefaultAgentID() },
	}})
	a.sink.board = a.board
	page, err := controlui.New(controlui.Config{BasePath: basePath(a.store.Snapshot().Config.Gateway.ControlUI.BasePath), Assistant: func() (string, string) {
		id, err := dir.Identity(context.Background(), a.store.Snapshot().Config.DefaultAgentID())
		if err != nil {
			return "", ""
		}
		return id.Name, id.Avatar
	}})
	if err != nil {
		return err
	}
	if err := a.registerMetrics(); err != nil {
		return err
	}
	chat := &chats{db: a.db, runner: a.runner, commands: commands, book: a.book, agents: a.agents, media: attachments{a.media}, events: events, clock: sys, log: subsystem(a.log, "runs")}
	send := &sender{db: a.db, book: a.book, channels: a.channels, pool: a.pool, courier: a.courier, runner: a.runner}
	a.server, err = gateway.New(gateway.Config{
		Version: a.opts.Version, Commit: a.opts.Commit, StateDir: a.paths.StateDir, ConfigPath: a.paths.ConfigFile,
		SessionDefaults: a.sessionDefaults, Guard: guard, Bus: bus, Board: a.board, Page: page, Ready: a.notReady, DashboardURL: a.dashboardURL,
		Registerer: a.registry, Gatherer: a.registry, Log: subsystem(a.log, "gateway"), Now: now,
		Backends: gateway.Backends{
			Chats: chat, Notes: chat, Runs: chat, Sessions: sess, Editor: sess, Directory: dir, Avatars: dir, Outbox: deliveries{a.outbox}, Pairing: &pairings{store: a.pairing, send: send}, Files: &agentFiles{store: a.store, agents: a.agents}, Channels: status,
			Sender:  send,
			Workers: workers, Events: notes, Heart: notes, Config: configView{a.store, a.channels}, VoiceWake: voiceWake{a.paths}, Logs: logPath{a.logFile},
		},
	})
	if err != nil {
		return err
	}
	a.sink.calls = &calls{db: a.db, server: a.server}
	return nil
}

func basePath(set string) string {
	for len(set) > 0 && set[len(set)-1] == '/' {
		set = set[:len(set)-1]
	}
	if set != "" && set[0] != '/' {
		set = "/" + set
	}
	return set
}

func (a *App) registerMetrics() error {
	if err := a.registry.Register(collectors.NewGoCollector()); err != nil {
		return err
	}
	return a.registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

func (a *App) secret() access.Secret {
	l, err := a.store.Snapshot().Listen()
	if err != nil {
		return access.Secret{}
	}
	if l.Auth.Mode == "password" {
		return access.Secret{Mode: access.ModePassword, Password: l.Auth.Password}
	}
	return access.Secret{Mode: access.ModeToken, Token: l.Auth.Token}
}

func (a *App) trustedProxies() []netip.Addr {
	var out []netip.Addr
	for _, s := range a.store.Snapshot().Config.Gateway.TrustedProxies {
		if addr, err := netip.ParseAddr(s); err == nil {
			out = append(out, addr)
		}
	}
	return out
}

func (a *App) sessionDefaults() protocol.SessionDefaults {
	c := a.store.Snapshot().Config
	keys := a.book.keys()
	scope := c.Session.Scope
	if scope == "" {
		scope = "per-sender"
	}
	return protocol.SessionDefaults{DefaultAgentID: c.DefaultAgentID(), MainKey: mainKey(c.Session.MainKey), MainSessionKey: keys.Main(""), Scope: scope}
}

func (a *App) agentHealth(s *sessions) []protocol.AgentHealth {
	c := a.store.Snapshot().Config
	var out []protocol.AgentHealth
	for _, id := range c.AgentIDs() {
		every := heartbeatEvery(c.Agents.Defaults.Heartbeat.Every)
		row := protocol.AgentHealth{AgentID: id, IsDefault: id == c.DefaultAgentID(), Sessions: s.recent(id)}
		// Scheduled turns come with a later capability: none is made yet, whatever the setting.
		row.Heartbeat = protocol.HeartbeatStatus{Enabled: false, Every: every}
		out = append(out, row)
	}
	return out
}

// heartbeatEvery shows the setting as it was written.
func heartbeatEvery(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil && s != "" {
		return s
	}
	if len(raw) > 0 && raw[0] >= '0' && raw[0] <= '9' {
		return string(raw) + "m"
	}
	return "0m"
}

// notReady says why the gateway cannot do its whole job now: the agent runtime, and every
// worker that is wanted, must run.
func (a *App) notReady() []string {
	var out []string
	for _, s := range a.pool.List() {
		if s.State != worker.Running && !s.StoppedByOperator {
			out = append(out, s.ID+" is "+string(s.State))
		}
	}
	return out
}

// conditionPoll is how often the journal's and the configuration's conditions are looked
// at; what has to be counted in the journal is counted every countEvery-th time.
const (
	conditionPoll = 2 * time.Second
	countEvery    = 5
)

// watchConditions keeps the board true to the journal and the configuration.
func (a *App) watchConditions(ctx context.Context) error {
	shown := map[string]bool{}
	t := time.NewTicker(conditionPoll)
	defer t.Stop()
	var doubts []protocol.Condition
	for i := 0; ; i++ {
		if i%countEvery == 0 {
			doubts = a.doubts(ctx)
		}
		now := map[string]bool{}
		for _, c := range append(a.conditions(), doubts...) {
			now[c.Code] = true
			a.board.Raise(c)
		}
		for code := range shown {
			if !now[code] {
				a.board.Clear(code)
			}
		}
		shown = now
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (a *App) conditions() []protocol.Condition {
	var out []protocol.Condition
	for _, c := range a.store.Conditions() {
		out = append(out, protocol.Condition{
			Code: c.Code + ":" + c.Key, Title: "Configuration", Severity: protocol.SeverityWarning, Text: c.String(), Action: c.Action,
		})
	}
	if c := a.db.Condition(); c.Code != "" && c.Code != journal.ConditionOK {
		out = append(out, protocol.Condition{Code: c.Code, Title: "Journal", Severity: protocol.SeverityCritical, Text: c.Text, Action: c.Action})
	}
	return out
}

// doubts says how many deliveries may or may not have arrived, and how many messages were given up.
func (a *App) doubts(ctx context.Context) []protocol.Condition {
	var out []protocol.Condition
	if counts, err := a.outbox.Count(ctx); err == nil && counts[journal.OutboxUnknown] > 0 {
		out = append(out, protocol.Condition{
			Code: "outbox_unknown", Title: "Deliveries in doubt", Severity: protocol.SeverityWarning,
			Text:   fmt.Sprintf("%d deliveries may or may not have arrived; they are not sent again by themselves", counts[journal.OutboxUnknown]),
			Action: "openclaw outbox list --state unknown",
		})
	}
	var parked int64
	err := a.db.View(ctx, func(tx *journal.Tx) error {
		counts, err := tx.CountInbox()
		parked = counts[journal.InboxParked]
		return err
	})
	if err == nil && parked > 0 {
		out = append(out, protocol.Condition{
			Code: "inbox_parked", Title: "Messages given up", Severity: protocol.SeverityWarning,
			Text: fmt.Sprintf("%d messages were given up after the agent runtime died over them", parked), Action: "openclaw logs",
		})
	}
	return out
}
