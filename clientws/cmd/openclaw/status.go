package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// statusCmd is `openclaw status`.
type statusCmd struct {
	All     bool `help:"Also show paths and what is wrong with the configuration."`
	Deep    bool `help:"Ask the networks themselves."`
	Timeout int  `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// statusReport is the document of --json.
type statusReport struct {
	OS             map[string]string        `json:"os"`
	Version        string                   `json:"version"`
	Gateway        statusGateway            `json:"gateway"`
	Config         statusConfig             `json:"config"`
	Agents         []protocol.AgentHealth   `json:"agents"`
	ChannelSummary []string                 `json:"channelSummary"`
	Sessions       *protocol.StatusSessions `json:"sessions,omitempty"`
	Workers        []protocol.WorkerView    `json:"workers"`
	Health         *protocol.HealthSnapshot `json:"health,omitempty"`
}

type statusGateway struct {
	Mode             string               `json:"mode"`
	URL              string               `json:"url"`
	URLSource        string               `json:"urlSource"`
	Reachable        bool                 `json:"reachable"`
	ConnectLatencyMS int64                `json:"connectLatencyMs,omitempty"`
	Self             *protocol.ServerInfo `json:"self,omitempty"`
	UptimeMS         int64                `json:"uptimeMs,omitempty"`
	Error            string               `json:"error,omitempty"`
}

type statusConfig struct {
	Path     string   `json:"path"`
	Exists   bool     `json:"exists"`
	Valid    bool     `json:"valid"`
	Problems []string `json:"problems"`
}

// Run prints the installation at a glance; it succeeds even while no gateway is there.
func (c *statusCmd) Run(t *tool) error {
	report, err := c.gather(t)
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(report)
	}
	c.show(t, report)
	return nil
}

func (c *statusCmd) gather(t *tool) (statusReport, error) {
	loaded, err := t.loadConfig()
	if err != nil {
		return statusReport{}, err
	}
	report := statusReport{
		OS: map[string]string{"platform": runtime.GOOS, "arch": runtime.GOARCH}, Version: t.build.String(),
		Config:         statusConfig{Path: loaded.File, Exists: loaded.Exists, Valid: loaded.Valid(), Problems: texts(loaded.Problems)},
		ChannelSummary: []string{}, Agents: []protocol.AgentHealth{}, Workers: []protocol.WorkerView{},
		Gateway: statusGateway{Mode: "local"},
	}
	if loaded.Config.Gateway.Mode == "remote" {
		report.Gateway.Mode = "remote"
	}
	found, err := t.resolve(c.rpc)
	if err != nil {
		return report, err
	}
	report.Gateway.URL, report.Gateway.URLSource = found.url, found.source
	if err := c.ask(t, &report); err != nil {
		report.Gateway.Error = strings.SplitN(err.Error(), "\n", 2)[0]
	}
	return report, nil
}

// ask fills in what the gateway knows.
func (c *statusCmd) ask(t *tool, report *statusReport) error {
	ctx, cancel := context.WithTimeout(t.ctx, millis(c.Timeout))
	defer cancel()
	began := time.Now()
	client, _, err := t.dial(ctx, c.rpc)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	hello := client.Hello()
	report.Gateway.Reachable, report.Gateway.ConnectLatencyMS = true, time.Since(began).Milliseconds()
	report.Gateway.Self, report.Gateway.UptimeMS = &hello.Server, hello.Snapshot.UptimeMS
	var health protocol.HealthSnapshot
	if err := json.Unmarshal(hello.Snapshot.Health, &health); err != nil || c.Deep {
		if err := client.Call(ctx, protocol.MethodHealth, protocol.HealthParams{Probe: c.Deep}, &health); err != nil {
			return err
		}
	}
	report.Agents, report.Workers, report.Health = health.Agents, health.Workers, &health
	var status protocol.StatusResult
	if err := client.Call(ctx, protocol.MethodStatus, nil, &status); err != nil {
		return err
	}
	report.ChannelSummary, report.Sessions = status.ChannelSummary, &status.Sessions
	return nil
}

func (c *statusCmd) show(t *tool, r statusReport) {
	gateway := t.paintState("down") + " — start it: " + t.program + " gateway"
	if r.Gateway.Mode == "remote" {
		gateway = t.paintState("down")
	}
	if r.Gateway.Error != "" && !strings.HasPrefix(r.Gateway.Error, "gateway is not running") {
		gateway = t.paintState("down") + " — " + r.Gateway.Error
	}
	if r.Gateway.Reachable {
		gateway = fmt.Sprintf("%s %s (%dms), up %s", t.paintState("up"), r.Gateway.Self.Version, r.Gateway.ConnectLatencyMS, span(millis(int(r.Gateway.UptimeMS))))
	}
	rows := [][]string{
		{"Version", r.Version}, {"OS", r.OS["platform"] + "/" + r.OS["arch"]},
		{"Gateway", gateway}, {"URL", r.Gateway.URL + " (" + r.Gateway.Mode + ", " + r.Gateway.URLSource + ")"}, {"Config", configLine(r.Config)},
	}
	if c.All {
		rows = append(rows, []string{"State", t.paths.StateDir}, []string{"Workspace", t.paths.Workspace()})
	}
	if r.Sessions != nil {
		rows = append(rows, []string{"Model", orDash(r.Sessions.Defaults.Model)}, []string{"Sessions", fmt.Sprint(r.Sessions.Count)})
	}
	t.table([]string{"Item", "Value"}, rows)
	if c.All {
		for _, p := range r.Config.Problems {
			t.print("! %s", p)
		}
	}
	if len(r.ChannelSummary) > 0 {
		t.print("")
		for _, line := range r.ChannelSummary {
			t.print("%s", line)
		}
	}
	if len(r.Workers) > 0 {
		t.print("")
		t.workerTable(r.Workers)
	}
	if r.Sessions != nil && len(r.Sessions.Recent) > 0 {
		t.print("")
		t.sessionTable(r.Sessions.Recent)
	}
	if r.Health != nil {
		t.showConditions(r.Health.Conditions)
	}
}

func configLine(c statusConfig) string {
	switch {
	case !c.Exists:
		return c.Path + " (none yet, defaults are in force)"
	case !c.Valid:
		return fmt.Sprintf("%s (invalid, %d problems)", c.Path, len(c.Problems))
	}
	return c.Path
}

func texts(problems []config.Problem) []string {
	out := make([]string, len(problems))
	for i, p := range problems {
		out[i] = p.String()
	}
	return out
}
