package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// healthCmd is `openclaw health`.
type healthCmd struct {
	Timeout int  `help:"How long to wait, in milliseconds." default:"10000"`
	Verbose bool `aliases:"debug" help:"Ask the networks themselves before answering."`
	rpc
}

// Run prints the health of the running gateway; no gateway is exit code 1.
func (c *healthCmd) Run(t *tool) error {
	began := time.Now()
	var health protocol.HealthSnapshot
	if err := t.call(c.rpc, millis(c.Timeout), protocol.MethodHealth, protocol.HealthParams{Probe: c.Verbose}, &health); err != nil {
		return err
	}
	if c.JSON {
		return t.json(health)
	}
	t.print("Gateway: %s (%s)", t.paintState("ok"), span(time.Since(began)))
	t.showHealth(health)
	return nil
}

// showHealth prints what a health snapshot holds.
func (t *tool) showHealth(health protocol.HealthSnapshot) {
	agents := make([]string, 0, len(health.Agents))
	for _, agent := range health.Agents {
		name := agent.AgentID
		if agent.IsDefault {
			name += " (default)"
		}
		agents = append(agents, name)
	}
	t.print("Agents: %s", orDash(strings.Join(agents, ", ")))
	t.print("Sessions: %d", health.Sessions.Count)
	for _, id := range channelOrder(health) {
		label := health.ChannelLabels[id]
		if label == "" {
			label = id
		}
		t.print("%s: %s", label, t.channelLine(health.Channels[id]))
	}
	if len(health.Workers) > 0 {
		t.print("")
		t.workerTable(health.Workers)
	}
	t.showConditions(health.Conditions)
}

func channelOrder(health protocol.HealthSnapshot) []string {
	if len(health.ChannelOrder) > 0 {
		return health.ChannelOrder
	}
	return slices.Sorted(maps.Keys(health.Channels))
}

func (t *tool) channelLine(channel protocol.ChannelHealth) string {
	state := "not configured"
	switch {
	case channel.Connected != nil && *channel.Connected:
		state = "connected"
	case channel.Linked != nil && !*channel.Linked:
		state = "needs_login"
	case channel.Running:
		state = "running"
	case channel.Configured:
		state = "stopped"
	}
	line := t.paintState(state)
	if channel.LastError != "" {
		line += " — " + channel.LastError
	}
	return line
}

func (t *tool) showConditions(conditions []protocol.Condition) {
	if len(conditions) == 0 {
		return
	}
	t.print("")
	for _, c := range conditions {
		color := colorWarn
		if c.Severity == protocol.SeverityCritical {
			color = colorError
		}
		text := c.Title
		if c.Text != "" {
			text += ": " + c.Text
		}
		t.print("%s %s", t.paint(color, "!"), text)
		if c.Action != "" {
			t.print("  → %s", c.Action)
		}
	}
}
