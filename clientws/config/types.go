package config

import "encoding/json"

// Config is the resolved configuration in typed form, defaults filled in. Sections that only another process reads
// (models, tools, the channels' own blocks) stay JSON. A Config is a value to read: nobody changes one.
type Config struct {
	Gateway    Gateway         `json:"gateway"`
	Agents     Agents          `json:"agents"`
	Bindings   []Binding       `json:"bindings"`
	Broadcast  json.RawMessage `json:"broadcast"`
	Channels   Channels        `json:"channels"`
	Messages   Messages        `json:"messages"`
	Commands   Commands        `json:"commands"`
	Session    Session         `json:"session"`
	Tools      json.RawMessage `json:"tools"`
	Models     json.RawMessage `json:"models"`
	Auth       json.RawMessage `json:"auth"`
	Skills     json.RawMessage `json:"skills"`
	MCP        json.RawMessage `json:"mcp"`
	Plugins    Plugins         `json:"plugins"`
	Cron       Cron            `json:"cron"`
	Logging    Logging         `json:"logging"`
	Web        Web             `json:"web"`
	CanvasHost CanvasHost      `json:"canvasHost"`
	UI         UI              `json:"ui"`
	Media      Media           `json:"media"`
	Meta       Meta            `json:"meta"`
	Supervisor Supervisor      `json:"supervisor"`
}

// Gateway is the control plane: where it listens and who may talk to it.
type Gateway struct {
	Mode           string    `json:"mode"`
	Port           int       `json:"port"`
	Bind           string    `json:"bind"`
	CustomBindHost string    `json:"customBindHost"`
	ControlUI      ControlUI `json:"controlUi"`
	Auth           Auth      `json:"auth"`
	TrustedProxies []string  `json:"trustedProxies"`
	Tailscale      Tailscale `json:"tailscale"`
	Remote         Remote    `json:"remote"`
	Reload         Reload    `json:"reload"`
	TLS            TLS       `json:"tls"`
	HTTP           HTTP      `json:"http"`
	Nodes          Nodes     `json:"nodes"`
}

// ControlUI is the page in the browser.
type ControlUI struct {
	Enabled                      bool     `json:"enabled"`
	BasePath                     string   `json:"basePath"`
	Root                         string   `json:"root"`
	AllowedOrigins               []string `json:"allowedOrigins"`
	AllowInsecureAuth            bool     `json:"allowInsecureAuth"`
	DangerouslyDisableDeviceAuth bool     `json:"dangerouslyDisableDeviceAuth"`
}

// Auth is the shared secret. Mode is token, password or "" (decided by which one is known).
type Auth struct {
	Mode           string `json:"mode"`
	Token          string `json:"token"`
	Password       string `json:"password"`
	AllowTailscale *bool  `json:"allowTailscale"`
}

// Tailscale is how the port is shown to a tailnet.
type Tailscale struct {
	Mode        string `json:"mode"`
	ResetOnExit bool   `json:"resetOnExit"`
}

// Remote is the gateway elsewhere that the command line talks to in mode remote.
type Remote struct {
	URL            string `json:"url"`
	Transport      string `json:"transport"`
	Token          string `json:"token"`
	Password       string `json:"password"`
	TLSFingerprint string `json:"tlsFingerprint"`
}

// Reload is what a changed file does: off, restart, hot or hybrid; DebounceMs in milliseconds.
type Reload struct {
	Mode       string `json:"mode"`
	DebounceMs int    `json:"debounceMs"`
}

// TLS of the control plane's port.
type TLS struct {
	Enabled      bool   `json:"enabled"`
	AutoGenerate bool   `json:"autoGenerate"`
	CertPath     string `json:"certPath"`
	KeyPath      string `json:"keyPath"`
	CAPath       string `json:"caPath"`
}

// HTTP are the optional HTTP endpoints.
type HTTP struct {
	Endpoints struct {
		ChatCompletions struct {
			Enabled bool `json:"enabled"`
		} `json:"chatCompletions"`
		Responses json.RawMessage `json:"responses"`
	} `json:"endpoints"`
}

// Nodes is what paired devices may be asked to do.
type Nodes struct {
	AllowCommands []string `json:"allowCommands"`
	DenyCommands  []string `json:"denyCommands"`
}

// Agents are the assistants of this installation.
type Agents struct {
	Defaults AgentDefaults `json:"defaults"`
	List     []Agent       `json:"list"`
}

// ModelRef is a model with its fallbacks; in JSON a string "provider/model" or an object.
type ModelRef struct {
	Primary   string   `json:"primary,omitempty"`
	Fallbacks []string `json:"fallbacks,omitempty"`
}

// UnmarshalJSON reads either form. The string form leaves Fallbacks nil.
func (m *ModelRef) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*m = ModelRef{}
		return json.Unmarshal(data, &m.Primary)
	}
	type plain ModelRef
	return json.Unmarshal(data, (*plain)(m))
}

// AgentDefaults holds what every agent has unless it says otherwise. What only agentd reads is in the raw block.
type AgentDefaults struct {
	Workspace              string          `json:"workspace"`
	SkipBootstrap          bool            `json:"skipBootstrap"`
	Model                  ModelRef        `json:"model"`
	Models                 json.RawMessage `json:"models"`
	UserTimezone           string          `json:"userTimezone"`
	TimeFormat             string          `json:"timeFormat"`
	EnvelopeTimezone       string          `json:"envelopeTimezone"`
	EnvelopeTimestamp      string          `json:"envelopeTimestamp"`
	EnvelopeElapsed        string          `json:"envelopeElapsed"`
	ContextTokens          int             `json:"contextTokens"`
	ThinkingDefault        string          `json:"thinkingDefault"`
	VerboseDefault         string          `json:"verboseDefault"`
	ElevatedDefault        string          `json:"elevatedDefault"`
	BlockStreamingDefault  string          `json:"blockStreamingDefault"`
	BlockStreamingBreak    string          `json:"blockStreamingBreak"`
	BlockStreamingChunk    Chunk           `json:"blockStreamingChunk"`
	BlockStreamingCoalesce Coalesce        `json:"blockStreamingCoalesce"`
	HumanDelay             HumanDelay      `json:"humanDelay"`
	TimeoutSeconds         int             `json:"timeoutSeconds"`
	MediaMaxMB             float64         `json:"mediaMaxMb"`
	TypingMode             string          `json:"typingMode"`
	TypingIntervalSeconds  int             `json:"typingIntervalSeconds"`
	Heartbeat              Heartbeat       `json:"heartbeat"`
	MaxConcurrent          int             `json:"maxConcurrent"`
	Runtime                string          `json:"runtime"`
}

// Chunk says how streamed text is cut; sizes in characters.
type Chunk struct {
	MinChars        int    `json:"minChars"`
	MaxChars        int    `json:"maxChars"`
	BreakPreference string `json:"breakPreference"`
}

// Coalesce says how small blocks are put together; sizes in characters.
type Coalesce struct {
	MinChars int `json:"minChars"`
	MaxChars int `json:"maxChars"`
	IdleMs   int `json:"idleMs"`
}

// HumanDelay is the pause between blocks: off, natural or custom; milliseconds.
type HumanDelay struct {
	Mode  string `json:"mode"`
	MinMs int    `json:"minMs"`
	MaxMs int    `json:"maxMs"`
}

// Heartbeat is the agent's own regular turn. Every is a duration like 30m; a bare number counts minutes.
type Heartbeat struct {
	Every       json.RawMessage `json:"every"`
	Model       string          `json:"model"`
	Session     string          `json:"session"`
	Target      string          `json:"target"`
	To          string          `json:"to"`
	AccountID   string          `json:"accountId"`
	Prompt      string          `json:"prompt"`
	AckMaxChars *int            `json:"ackMaxChars"`
	ActiveHours *ActiveHours    `json:"activeHours"`
}

// ActiveHours bounds heartbeats to a part of the day, HH:MM.
type ActiveHours struct {
	Start    string `json:"start"`
	End      string `json:"end"`
	Timezone string `json:"timezone"`
}

// Agent is one entry of agents.list.
type Agent struct {
	ID        string     `json:"id"`
	Default   bool       `json:"default"`
	Name      string     `json:"name"`
	Workspace string     `json:"workspace"`
	AgentDir  string     `json:"agentDir"`
	Model     *ModelRef  `json:"model"`
	Identity  Identity   `json:"identity"`
	GroupChat *GroupChat `json:"groupChat"`
	Heartbeat *Heartbeat `json:"heartbeat"`
}

// Identity is how an agent presents itself.
type Identity struct {
	Name   string `json:"name"`
	Theme  string `json:"theme"`
	Emoji  string `json:"emoji"`
	Avatar string `json:"avatar"`
}

// GroupChat is when a group's message is meant for the agent. MentionPatterns nil and empty differ: empty means none.
type GroupChat struct {
	MentionPatterns []string `json:"mentionPatterns"`
	HistoryLimit    int      `json:"historyLimit"`
}

// Binding sends what matches to an agent.
type Binding struct {
	AgentID string       `json:"agentId"`
	Match   BindingMatch `json:"match"`
}

// BindingMatch says what a binding is for.
type BindingMatch struct {
	Channel   string       `json:"channel"`
	AccountID string       `json:"accountId"`
	Peer      *BindingPeer `json:"peer"`
	GuildID   Text         `json:"guildId"`
	TeamID    Text         `json:"teamId"`
}

// BindingPeer is one conversation: kind direct (or dm), group, channel.
type BindingPeer struct {
	Kind string `json:"kind"`
	ID   Text   `json:"id"`
}

// Text is a string that may be written as a number.
type Text string

// UnmarshalJSON takes a string, or a number as it is spelt.
func (t *Text) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] != '"' {
		*t = Text(data)
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}
