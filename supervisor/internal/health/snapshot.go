package health

import (
	"slices"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// build gathers the snapshot; b.rendering is held.
func (b *Board) build(now time.Time, conditions []protocol.Condition) protocol.HealthSnapshot {
	s := protocol.HealthSnapshot{
		OK:         true,
		TS:         now.UnixMilli(),
		Conditions: conditions,
		Workers:    []protocol.WorkerView{},
		Agents:     []protocol.AgentHealth{},
		Sessions:   protocol.SessionStore{Recent: []protocol.SessionRecent{}},
	}
	for _, c := range s.Conditions {
		if c.Severity == protocol.SeverityCritical {
			s.OK = false
		}
	}
	src := b.source
	if src.Workers != nil {
		if workers := src.Workers(); workers != nil {
			s.Workers = workers
		}
	}
	s.Channels, s.ChannelOrder, s.ChannelLabels = Channels(s.Workers, src.Labels)
	if src.DefaultAgentID != nil {
		s.DefaultAgentID = src.DefaultAgentID()
	}
	if src.HeartbeatSeconds != nil {
		s.HeartbeatSeconds = src.HeartbeatSeconds()
	}
	if src.Agents != nil {
		for _, a := range src.Agents() {
			a.Sessions.Recent = notNil(a.Sessions.Recent)
			s.Agents = append(s.Agents, a)
		}
	}
	if src.Sessions != nil {
		s.Sessions = src.Sessions()
		s.Sessions.Recent = notNil(s.Sessions.Recent)
	}
	s.DurationMS = max(0, b.now().Sub(now).Milliseconds())
	return s
}

// notNil keeps an empty list from becoming null.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Channels derives the channel part of the snapshot from the channel workers,
// in the order of their ids. label may be nil: then the id is the label.
func Channels(workers []protocol.WorkerView, label func(string) string) (channels map[string]protocol.ChannelHealth, order []string, labels map[string]string) {
	channels, order, labels = map[string]protocol.ChannelHealth{}, []string{}, map[string]string{}
	for _, w := range workers {
		if w.Kind != KindChannel {
			continue
		}
		channels[w.ID] = channel(w)
		order = append(order, w.ID)
		labels[w.ID] = w.ID
		if label != nil {
			if text := label(w.ID); text != "" {
				labels[w.ID] = text
			}
		}
	}
	slices.Sort(order)
	return channels, order, labels
}

// Kinds of workers, as WorkerView.Kind tells them.
const (
	KindChannel = "channel"
	KindAgent   = "agent"
)

// Phases of an account, as WorkerAccount.Phase tells them.
const (
	PhaseOff        = "off"
	PhaseNeedsLogin = "needs_login"
	PhaseConnecting = "connecting"
	PhaseConnected  = "connected"
	PhaseDegraded   = "degraded"
	PhaseTerminal   = "terminal"
)

func channel(w protocol.WorkerView) protocol.ChannelHealth {
	running := w.State == protocol.WorkerRunning
	h := protocol.ChannelHealth{Configured: true, Running: running, Accounts: map[string]protocol.ChannelAccountSnapshot{}}
	if running {
		h.LastStartAt = w.Since
	}
	if w.LastExit != nil {
		h.LastStopAt = w.LastExit.At
	}
	if w.Condition != nil {
		h.LastError = w.Condition.Text
	}
	connected, linked := false, false
	for i, a := range w.Accounts {
		s := Account(w, a)
		h.Accounts[a.ID] = s
		connected = connected || *s.Connected
		linked = linked || s.Linked != nil && *s.Linked
		if i == 0 {
			h.AccountID = a.ID
		}
		if h.LastError == "" {
			h.LastError = s.LastError
		}
	}
	if len(w.Accounts) > 0 {
		h.Connected, h.Linked = &connected, &linked
	}
	return h
}

// Account shows one account of a worker. An account whose process does not
// run is not connected, whatever it last said. Linked is said only after a
// login was seen on the network.
func Account(w protocol.WorkerView, a protocol.WorkerAccount) protocol.ChannelAccountSnapshot {
	running := w.State == protocol.WorkerRunning
	enabled, configured := a.Phase != PhaseOff, true
	active := running && enabled && a.Phase != PhaseTerminal
	connected := running && (a.Phase == PhaseConnected || a.Phase == PhaseDegraded)
	linked := connected
	s := protocol.ChannelAccountSnapshot{
		AccountID: a.ID, Enabled: &enabled, Configured: &configured, Running: &active, Connected: &connected, Linked: &linked,
		LastError: a.Text, State: &a,
	}
	if connected {
		s.LastConnectedAt = a.Since
		if a.Phase == PhaseConnected {
			s.LastError = ""
		}
	}
	if a.Receive != nil {
		s.LastInboundAt = a.Receive.LastProof
	}
	if a.Send != nil {
		s.LastOutboundAt = a.Send.LastProof
	}
	return s
}
