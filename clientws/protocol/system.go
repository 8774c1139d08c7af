package protocol

import "encoding/json"

// OKResult is the result of methods that only say that they were done.
type OKResult struct {
	OK bool `json:"ok"`
}

// HealthParams are the parameters of health. Probe asks for a fresh look.
type HealthParams struct {
	Probe bool `json:"probe,omitempty"`
}

// StatusResult is the result of status.
type StatusResult struct {
	Heartbeat          StatusHeartbeat `json:"heartbeat"`
	ChannelSummary     []string        `json:"channelSummary"`
	QueuedSystemEvents []string        `json:"queuedSystemEvents"`
	Sessions           StatusSessions  `json:"sessions"`
}

// StatusHeartbeat lists the heartbeat of each agent.
type StatusHeartbeat struct {
	DefaultAgentID string                 `json:"defaultAgentId"`
	Agents         []StatusAgentHeartbeat `json:"agents"`
}

// StatusAgentHeartbeat is a row of StatusHeartbeat.
type StatusAgentHeartbeat struct {
	AgentID string `json:"agentId"`
	Enabled bool   `json:"enabled"`
	Every   string `json:"every"`
	EveryMS *int64 `json:"everyMs"`
}

// StatusSessions sums up the sessions of all agents.
type StatusSessions struct {
	Paths    []string        `json:"paths"`
	Count    int             `json:"count"`
	Defaults ModelDefault    `json:"defaults"`
	Recent   []SessionRow    `json:"recent"`
	ByAgent  []StatusByAgent `json:"byAgent"`
}

// StatusByAgent sums up the sessions of one agent.
type StatusByAgent struct {
	AgentID string       `json:"agentId"`
	Path    string       `json:"path"`
	Count   int          `json:"count"`
	Recent  []SessionRow `json:"recent"`
}

// SystemEventParams are the parameters of system-event. All but Text describe
// the presence row that the event makes or renews.
type SystemEventParams struct {
	Text             string   `json:"text"`
	DeviceID         string   `json:"deviceId,omitempty"`
	InstanceID       string   `json:"instanceId,omitempty"`
	Host             string   `json:"host,omitempty"`
	IP               string   `json:"ip,omitempty"`
	Mode             string   `json:"mode,omitempty"`
	Version          string   `json:"version,omitempty"`
	Platform         string   `json:"platform,omitempty"`
	DeviceFamily     string   `json:"deviceFamily,omitempty"`
	ModelIdentifier  string   `json:"modelIdentifier,omitempty"`
	LastInputSeconds *int64   `json:"lastInputSeconds,omitempty"`
	Reason           string   `json:"reason,omitempty"`
	Roles            []string `json:"roles,omitempty"`
	Scopes           []string `json:"scopes,omitempty"`
	Tags             []string `json:"tags,omitempty"`
}

// WakeParams are the parameters of wake. Mode is now or next-heartbeat.
type WakeParams struct {
	Mode string `json:"mode"`
	Text string `json:"text"`
}

// TalkModeParams are the parameters of talk.mode.
type TalkModeParams struct {
	Enabled bool    `json:"enabled"`
	Phase   *string `json:"phase,omitempty"`
}

// SetHeartbeatsParams are the parameters of set-heartbeats.
type SetHeartbeatsParams struct {
	Enabled bool `json:"enabled"`
}

// SetHeartbeatsResult is the result of set-heartbeats.
type SetHeartbeatsResult struct {
	OK      bool `json:"ok"`
	Enabled bool `json:"enabled"`
}

// VoiceWakeResult is the result of voicewake.get.
type VoiceWakeResult struct {
	Triggers []string `json:"triggers"`
}

// LogsTailParams are the parameters of logs.tail. Cursor is a byte offset.
type LogsTailParams struct {
	Cursor   *int64 `json:"cursor,omitempty"`
	Limit    int    `json:"limit,omitempty"`
	MaxBytes int    `json:"maxBytes,omitempty"`
}

// LogsTailResult is the result of logs.tail. Reset says that the cursor asked
// for does not exist any more; Truncated that lines were left out.
type LogsTailResult struct {
	File      string   `json:"file"`
	Cursor    int64    `json:"cursor"`
	Size      int64    `json:"size"`
	Lines     []string `json:"lines"`
	Truncated bool     `json:"truncated"`
	Reset     bool     `json:"reset"`
}

// ConfigSnapshot is the result of config.get. Secrets are replaced by a
// sentinel in Raw, Parsed and Config alike.
type ConfigSnapshot struct {
	Path         string          `json:"path"`
	Exists       bool            `json:"exists"`
	Raw          *string         `json:"raw"`
	Parsed       json.RawMessage `json:"parsed"`
	Valid        bool            `json:"valid"`
	Config       json.RawMessage `json:"config"`
	Hash         string          `json:"hash,omitempty"`
	Issues       []ConfigIssue   `json:"issues"`
	Warnings     []ConfigIssue   `json:"warnings"`
	LegacyIssues []ConfigIssue   `json:"legacyIssues"`
}

// ConfigIssue is something wrong at a path of the configuration.
type ConfigIssue struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// DashboardTicket is the result of dashboard.ticket: a link for one use.
type DashboardTicket struct {
	Ticket      string `json:"ticket"`
	URL         string `json:"url,omitempty"`
	ExpiresAtMS int64  `json:"expiresAtMs"`
}
