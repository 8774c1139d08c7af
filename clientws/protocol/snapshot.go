package protocol

import "encoding/json"

// Snapshot is the state a client starts from. Health holds a HealthSnapshot.
type Snapshot struct {
	Presence        []PresenceEntry  `json:"presence"`
	Health          json.RawMessage  `json:"health"`
	StateVersion    StateVersion     `json:"stateVersion"`
	UptimeMS        int64            `json:"uptimeMs"`
	ConfigPath      string           `json:"configPath,omitempty"`
	StateDir        string           `json:"stateDir,omitempty"`
	SessionDefaults *SessionDefaults `json:"sessionDefaults,omitempty"`
}

// SessionDefaults says how session keys are made.
type SessionDefaults struct {
	DefaultAgentID string `json:"defaultAgentId"`
	MainKey        string `json:"mainKey"`
	MainSessionKey string `json:"mainSessionKey"`
	Scope          string `json:"scope,omitempty"`
}

// PresenceEntry is one row of system-presence: the gateway itself, a client,
// or something a system-event told of.
type PresenceEntry struct {
	Host             string   `json:"host,omitempty"`
	IP               string   `json:"ip,omitempty"`
	Version          string   `json:"version,omitempty"`
	Platform         string   `json:"platform,omitempty"`
	DeviceFamily     string   `json:"deviceFamily,omitempty"`
	ModelIdentifier  string   `json:"modelIdentifier,omitempty"`
	Mode             string   `json:"mode,omitempty"`
	LastInputSeconds *int64   `json:"lastInputSeconds,omitempty"`
	Reason           string   `json:"reason,omitempty"`
	Tags             []string `json:"tags,omitempty"`
	Text             string   `json:"text"`
	TS               int64    `json:"ts"`
	DeviceID         string   `json:"deviceId,omitempty"`
	Roles            []string `json:"roles,omitempty"`
	Scopes           []string `json:"scopes,omitempty"`
	InstanceID       string   `json:"instanceId,omitempty"`
}

// PresencePayload is the payload of the presence event.
type PresencePayload struct {
	Presence []PresenceEntry `json:"presence"`
}

// TickPayload is the payload of the tick event.
type TickPayload struct {
	TS int64 `json:"ts"`
}

// ShutdownPayload is the payload of the shutdown event. RestartExpectedMS is
// null where no restart is planned.
type ShutdownPayload struct {
	Reason            string `json:"reason"`
	RestartExpectedMS *int64 `json:"restartExpectedMs"`
}

// TalkModePayload is the result of talk.mode and the payload of its event.
type TalkModePayload struct {
	Enabled bool    `json:"enabled"`
	Phase   *string `json:"phase"`
	TS      int64   `json:"ts"`
}
