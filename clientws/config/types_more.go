package config

import (
	"encoding/json"
	"maps"
	"slices"
)

// Channels holds the block of every configured channel as JSON, and what they share.
type Channels struct {
	Defaults ChannelDefaults
	Blocks   map[string]json.RawMessage
}

// ChannelDefaults applies to every channel that does not say otherwise.
type ChannelDefaults struct {
	GroupPolicy string          `json:"groupPolicy"`
	Heartbeat   json.RawMessage `json:"heartbeat"`
}

// UnmarshalJSON takes defaults apart from the channels beside it.
func (c *Channels) UnmarshalJSON(data []byte) error {
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	if defaults, ok := all["defaults"]; ok {
		if err := json.Unmarshal(defaults, &c.Defaults); err != nil {
			return err
		}
		delete(all, "defaults")
	}
	c.Blocks = all
	return nil
}

// IDs lists the channels that have a block, sorted.
func (c Channels) IDs() []string { return slices.Sorted(maps.Keys(c.Blocks)) }

// Messages is how messages are gathered, queued and answered.
type Messages struct {
	MessagePrefix       string          `json:"messagePrefix"`
	ResponsePrefix      *string         `json:"responsePrefix"`
	GroupChat           GroupChat       `json:"groupChat"`
	Queue               Queue           `json:"queue"`
	Inbound             InboundDebounce `json:"inbound"`
	AckReaction         *string         `json:"ackReaction"`
	AckReactionScope    string          `json:"ackReactionScope"`
	RemoveAckAfterReply bool            `json:"removeAckAfterReply"`
}

// Queue is what happens to messages that arrive while a run is going on.
type Queue struct {
	Mode                string            `json:"mode"`
	ByChannel           map[string]string `json:"byChannel"`
	DebounceMs          int               `json:"debounceMs"`
	DebounceMsByChannel map[string]int    `json:"debounceMsByChannel"`
	Cap                 int               `json:"cap"`
	Drop                string            `json:"drop"`
}

// InboundDebounce joins messages of one sender that come in quick succession.
type InboundDebounce struct {
	DebounceMs int            `json:"debounceMs"`
	ByChannel  map[string]int `json:"byChannel"`
}

// Commands is which slash commands work, and for whom.
type Commands struct {
	Native          any   `json:"native"`
	NativeSkills    any   `json:"nativeSkills"`
	Text            bool  `json:"text"`
	Bash            bool  `json:"bash"`
	Config          bool  `json:"config"`
	Debug           bool  `json:"debug"`
	Restart         bool  `json:"restart"`
	UseAccessGroups bool  `json:"useAccessGroups"`
	OwnerAllowFrom  []any `json:"ownerAllowFrom"`
}

// Session is how messages become conversations.
type Session struct {
	Scope                 string              `json:"scope"`
	DMScope               string              `json:"dmScope"`
	IdentityLinks         map[string][]string `json:"identityLinks"`
	ResetTriggers         []string            `json:"resetTriggers"`
	IdleMinutes           int                 `json:"idleMinutes"`
	HeartbeatIdleMinutes  int                 `json:"heartbeatIdleMinutes"`
	Reset                 *Reset              `json:"reset"`
	ResetByType           map[string]Reset    `json:"resetByType"`
	ResetByChannel        map[string]Reset    `json:"resetByChannel"`
	Store                 string              `json:"store"`
	MainKey               string              `json:"mainKey"`
	TypingMode            string              `json:"typingMode"`
	TypingIntervalSeconds int                 `json:"typingIntervalSeconds"`
	SendPolicy            *Scope              `json:"sendPolicy"`
	AgentToAgent          struct {
		MaxPingPongTurns int `json:"maxPingPongTurns"`
	} `json:"agentToAgent"`
}

// Reset is when a session begins anew: daily at an hour, or after idle minutes.
type Reset struct {
	Mode        string `json:"mode"`
	AtHour      *int   `json:"atHour"`
	IdleMinutes int    `json:"idleMinutes"`
}

// Scope is a default with rules of which the first that matches decides.
type Scope struct {
	Default string      `json:"default"`
	Rules   []ScopeRule `json:"rules"`
}

// ScopeRule allows or denies what matches.
type ScopeRule struct {
	Action string `json:"action"`
	Match  struct {
		Channel   string `json:"channel"`
		ChatType  string `json:"chatType"`
		KeyPrefix string `json:"keyPrefix"`
	} `json:"match"`
}

// Plugins is which plugins may run and where they are looked for.
type Plugins struct {
	Enabled bool     `json:"enabled"`
	Allow   []string `json:"allow"`
	Deny    []string `json:"deny"`
	Load    struct {
		Paths     []string `json:"paths"`
		Workspace bool     `json:"workspace"`
	} `json:"load"`
	Entries map[string]PluginEntry `json:"entries"`
}

// PluginEntry is what the operator says about one plugin. Enabled nil means: as its channel block asks.
type PluginEntry struct {
	Enabled *bool           `json:"enabled"`
	Config  json.RawMessage `json:"config"`
}

// Cron is the scheduler.
type Cron struct {
	Enabled           bool   `json:"enabled"`
	Store             string `json:"store"`
	MaxConcurrentRuns int    `json:"maxConcurrentRuns"`
}

// Logging is what is written to the log, and where.
type Logging struct {
	Level           string   `json:"level"`
	File            string   `json:"file"`
	ConsoleLevel    string   `json:"consoleLevel"`
	ConsoleStyle    string   `json:"consoleStyle"`
	RedactSensitive string   `json:"redactSensitive"`
	RedactPatterns  []string `json:"redactPatterns"`
}

// Web is the WhatsApp connection's own settings; times in milliseconds unless named otherwise.
type Web struct {
	Enabled          bool `json:"enabled"`
	HeartbeatSeconds int  `json:"heartbeatSeconds"`
	Reconnect        struct {
		InitialMs   float64 `json:"initialMs"`
		MaxMs       float64 `json:"maxMs"`
		Factor      float64 `json:"factor"`
		Jitter      float64 `json:"jitter"`
		MaxAttempts int     `json:"maxAttempts"`
	} `json:"reconnect"`
}

// CanvasHost is the HTTP server of the canvas. Port 0 means the control plane's port + 4.
type CanvasHost struct {
	Enabled    bool   `json:"enabled"`
	Root       string `json:"root"`
	Port       int    `json:"port"`
	LiveReload bool   `json:"liveReload"`
}

// UI is how the Control UI names the assistant.
type UI struct {
	SeamColor string `json:"seamColor"`
	Assistant struct {
		Name   string `json:"name"`
		Avatar string `json:"avatar"`
	} `json:"assistant"`
}

// Media is how received files are kept.
type Media struct {
	PreserveFilenames bool `json:"preserveFilenames"`
}

// Meta is stamped on each write.
type Meta struct {
	LastTouchedVersion string `json:"lastTouchedVersion"`
	LastTouchedAt      string `json:"lastTouchedAt"`
}

// Supervisor holds the keys that only this implementation knows; times in milliseconds unless named otherwise.
type Supervisor struct {
	WorkersDir     string                 `json:"workersDir"`
	Restart        Restart                `json:"restart"`
	StartTimeoutMs int                    `json:"startTimeoutMs"`
	DrainTimeoutMs int                    `json:"drainTimeoutMs"`
	TermGraceMs    int                    `json:"termGraceMs"`
	Health         SupervisorHealth       `json:"health"`
	Limits         map[string]WorkerLimit `json:"limits"`
	Delivery       Delivery               `json:"delivery"`
	Auth           struct {
		DelayAfter   int `json:"delayAfter"`
		LockoutAfter int `json:"lockoutAfter"`
	} `json:"auth"`
}

// Restart is the backoff of a worker that died.
type Restart struct {
	FirstMs       int     `json:"firstMs"`
	InitialMs     int     `json:"initialMs"`
	MaxMs         int     `json:"maxMs"`
	Factor        float64 `json:"factor"`
	Jitter        float64 `json:"jitter"`
	DecayMs       int     `json:"decayMs"`
	QuickFailures int     `json:"quickFailures"`
}

// SupervisorHealth is the liveness probe: period, and how many missed probes mean dead.
type SupervisorHealth struct {
	ProbeMs int `json:"probeMs"`
	Misses  int `json:"misses"`
}

// WorkerLimit bounds one worker. Zero means the default.
type WorkerLimit struct {
	MemoryMB  int `json:"memoryMb"`
	OpenFiles int `json:"openFiles"`
	Processes int `json:"processes"`
}

// Delivery is how long messages are kept and how often they are tried.
type Delivery struct {
	OutboxTTLMinutes       int `json:"outboxTtlMinutes"`
	DedupeDays             int `json:"dedupeDays"`
	Attempts               int `json:"attempts"`
	StuckRunMinutes        int `json:"stuckRunMinutes"`
	CatchUpHours           int `json:"catchUpHours"`
	CatchUpPerConversation int `json:"catchUpPerConversation"`
}
