package protocol

import "encoding/json"

// HealthSnapshot is the result of health and the payload of its event.
type HealthSnapshot struct {
	OK               bool                     `json:"ok"`
	TS               int64                    `json:"ts"`
	DurationMS       int64                    `json:"durationMs"`
	Channels         map[string]ChannelHealth `json:"channels"`
	ChannelOrder     []string                 `json:"channelOrder"`
	ChannelLabels    map[string]string        `json:"channelLabels"`
	HeartbeatSeconds int64                    `json:"heartbeatSeconds"`
	DefaultAgentID   string                   `json:"defaultAgentId"`
	Agents           []AgentHealth            `json:"agents"`
	Sessions         SessionStore             `json:"sessions"`
	Workers          []WorkerView             `json:"workers"`
	Conditions       []Condition              `json:"conditions"`
}

// ChannelHealth is a channel in the health snapshot.
type ChannelHealth struct {
	Configured  bool                              `json:"configured"`
	Linked      *bool                             `json:"linked,omitempty"`
	Running     bool                              `json:"running"`
	Connected   *bool                             `json:"connected,omitempty"`
	LastStartAt int64                             `json:"lastStartAt,omitempty"`
	LastStopAt  int64                             `json:"lastStopAt,omitempty"`
	LastError   string                            `json:"lastError,omitempty"`
	LastProbeAt int64                             `json:"lastProbeAt,omitempty"`
	Probe       json.RawMessage                   `json:"probe,omitempty"`
	AccountID   string                            `json:"accountId,omitempty"`
	Accounts    map[string]ChannelAccountSnapshot `json:"accounts,omitempty"`
}

// AgentHealth is an agent in the health snapshot.
type AgentHealth struct {
	AgentID   string          `json:"agentId"`
	IsDefault bool            `json:"isDefault"`
	Heartbeat HeartbeatStatus `json:"heartbeat"`
	Sessions  SessionStore    `json:"sessions"`
}

// HeartbeatStatus is an agent's heartbeat setting. EveryMS is null when off.
type HeartbeatStatus struct {
	Enabled     bool   `json:"enabled"`
	Every       string `json:"every"`
	EveryMS     *int64 `json:"everyMs"`
	Prompt      string `json:"prompt,omitempty"`
	Target      string `json:"target,omitempty"`
	AckMaxChars int64  `json:"ackMaxChars,omitempty"`
}

// SessionStore sums up the sessions of one agent.
type SessionStore struct {
	Path   string          `json:"path"`
	Count  int64           `json:"count"`
	Recent []SessionRecent `json:"recent"`
}

// SessionRecent is one of the sessions used last. Age is in milliseconds.
type SessionRecent struct {
	Key       string `json:"key"`
	UpdatedAt int64  `json:"updatedAt"`
	Age       int64  `json:"age"`
}

// Severity ranks a condition.
type Severity string

// Severities.
const (
	SeverityInfo     Severity = "info"
	SeverityWarning  Severity = "warning"
	SeverityCritical Severity = "critical"
)

// Condition is something an operator should know: what it is, and what to do.
type Condition struct {
	Code     string   `json:"code"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	Text     string   `json:"text,omitempty"`
	Action   string   `json:"action,omitempty"`
	Since    int64    `json:"since"`
}
