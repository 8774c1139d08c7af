// Package settings is the block that the supervisor hands over by Configure: the
// finished `models`, `agents`, `tools` and `session` sections of the config, the
// providers' keys, the environment for commands, and the places on disk.
//
// Everything is resolved already: no environment variable, file or include is read
// here. A Settings value is never changed after Parse, so a running turn keeps its own.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Settings is one revision of the block. Keys that this release does not use are ignored.
type Settings struct {
	Models Models          `json:"models"`
	Agents Agents          `json:"agents"`
	Tools  Tools           `json:"tools"`
	Auth   map[string]Auth `json:"auth"`
	// Env is the user's environment without the secrets we know of. Absent = the process's own.
	Env   map[string]string `json:"env"`
	Paths Paths             `json:"paths"`
}

// Auth is a provider's credential and where it comes from ("config", "env", "profile").
type Auth struct {
	APIKey string `json:"apiKey"`
	Source string `json:"source"`
}

// Paths are the places on disk.
type Paths struct {
	StateDir  string `json:"stateDir"`
	Workspace string `json:"workspace"`
}

// Models is the section `models`.
type Models struct {
	// Mode is "merge" (with the built-in catalogue, the default) or "replace".
	Mode      string              `json:"mode"`
	Providers map[string]Provider `json:"providers"`
}

// Provider is one entry of models.providers.
type Provider struct {
	BaseURL string            `json:"baseUrl"`
	APIKey  string            `json:"apiKey"`
	API     string            `json:"api"`
	Headers map[string]string `json:"headers"`
	Models  []Model           `json:"models"`
}

// Model is one entry of a provider's list.
type Model struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	API           string            `json:"api"`
	Reasoning     bool              `json:"reasoning"`
	Input         []string          `json:"input"`
	Cost          Cost              `json:"cost"`
	ContextWindow int64             `json:"contextWindow"`
	MaxTokens     int64             `json:"maxTokens"`
	Headers       map[string]string `json:"headers"`
	Compat        Compat            `json:"compat"`
}

// Cost is in US dollars per million tokens.
type Cost struct {
	Input      float64 `json:"input"`
	Output     float64 `json:"output"`
	CacheRead  float64 `json:"cacheRead"`
	CacheWrite float64 `json:"cacheWrite"`
}

// Compat names the oddities of a server; nil = the dialect's usual way.
type Compat struct {
	SupportsStore            *bool  `json:"supportsStore"`
	SupportsReasoningEffort  *bool  `json:"supportsReasoningEffort"`
	SupportsUsageInStreaming *bool  `json:"supportsUsageInStreaming"`
	MaxTokensField           string `json:"maxTokensField"`
}

// ModelChoice is a primary model and what to try after it. In the config it is
// an object, or a string that names the primary alone.
type ModelChoice struct {
	Primary   string   `json:"primary"`
	Fallbacks []string `json:"fallbacks"`
}

// UnmarshalJSON reads either form.
func (m *ModelChoice) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*m = ModelChoice{}
		return json.Unmarshal(raw, &m.Primary)
	}
	type plain ModelChoice
	return json.Unmarshal(raw, (*plain)(m))
}

// Agents is the section `agents`.
type Agents struct {
	Defaults Agent   `json:"defaults"`
	List     []Agent `json:"list"`
}

// ModelParams is one entry of agents.defaults.models.
type ModelParams struct {
	Alias  string `json:"alias"`
	Params Params `json:"params"`
}

// Params are a model's call options.
type Params struct {
	Temperature *float64 `json:"temperature"`
	MaxTokens   int64    `json:"maxTokens"`
	// CacheRetention is "none", "short" or "long"; "" = the provider's usual way.
	CacheRetention string `json:"cacheRetention"`
	// CacheControlTTL is the older key: "5m" = short, "1h" = long.
	CacheControlTTL string `json:"cacheControlTtl"`
}

// Retention gives the cache retention from whichever key holds it; what is no value of
// it counts as not set.
func (p Params) Retention() string {
	switch p.CacheRetention {
	case "none", "short", "long":
		return p.CacheRetention
	}
	switch p.CacheControlTTL {
	case "5m":
		return "short"
	case "1h":
		return "long"
	}
	return ""
}

// Agent is agents.defaults or one entry of agents.list.
type Agent struct {
	ID                    string                 `json:"id"`
	Default               bool                   `json:"default"`
	Name                  string                 `json:"name"`
	Workspace             string                 `json:"workspace"`
	RepoRoot              string                 `json:"repoRoot"`
	SkipBootstrap         bool                   `json:"skipBootstrap"`
	BootstrapMaxChars     int                    `json:"bootstrapMaxChars"`
	UserTimezone          string                 `json:"userTimezone"`
	Model                 *ModelChoice           `json:"model"`
	Models                map[string]ModelParams `json:"models"`
	ContextTokens         int64                  `json:"contextTokens"`
	ThinkingDefault       string                 `json:"thinkingDefault"`
	BlockStreamingDefault string                 `json:"blockStreamingDefault"`
	BlockStreamingBreak   string                 `json:"blockStreamingBreak"`
	BlockStreamingChunk   BlockChunk             `json:"blockStreamingChunk"`
	Tools                 *Tools                 `json:"tools"`
	HeartbeatPrompt       string                 `json:"-"`
	Heartbeat             json.RawMessage        `json:"heartbeat"`
	Identity              Identity               `json:"identity"`
}

// Identity is how an agent is called.
type Identity struct {
	Name string `json:"name"`
}

// BlockChunk bounds the blocks of block streaming, in characters.
type BlockChunk struct {
	MinChars int `json:"minChars"`
	MaxChars int `json:"maxChars"`
}

// Tools is the section `tools`, global or of one agent.
type Tools struct {
	Allow     []string `json:"allow"`
	AlsoAllow []string `json:"alsoAllow"`
	Deny      []string `json:"deny"`
	Profile   string   `json:"profile"`
	Exec      Exec     `json:"exec"`
}

// Exec is tools.exec.
type Exec struct {
	PathPrepend  []string `json:"pathPrepend"`
	BackgroundMS int64    `json:"backgroundMs"`
	TimeoutSec   int64    `json:"timeoutSec"`
}

// Error names the one key that cannot be used.
type Error struct{ Path, Message string }

// Error gives "path: message".
func (e *Error) Error() string { return e.Path + ": " + e.Message }

// Parse reads and checks a block; an empty one is valid. The error is an *Error.
func Parse(raw json.RawMessage) (*Settings, error) {
	s := &Settings{}
	if len(bytes.TrimSpace(raw)) > 0 {
		if err := json.Unmarshal(raw, s); err != nil {
			var te *json.UnmarshalTypeError
			if errors.As(err, &te) {
				return nil, &Error{Path: te.Field, Message: fmt.Sprintf("must be %s, not %s", te.Type, te.Value)}
			}
			return nil, &Error{Path: "", Message: err.Error()}
		}
	}
	for id, p := range s.Models.Providers {
		at := "models.providers." + id
		if len(p.Models) > 0 && p.BaseURL == "" && !KnownProvider(id) {
			return nil, &Error{Path: at + ".baseUrl", Message: "is required"}
		}
		for i, m := range p.Models {
			if strings.TrimSpace(m.ID) == "" {
				return nil, &Error{Path: fmt.Sprintf("%s.models.%d.id", at, i), Message: "is required"}
			}
		}
	}
	if w := s.Paths.Workspace; w != "" && !filepath.IsAbs(w) {
		return nil, &Error{Path: "paths.workspace", Message: "must be an absolute path"}
	}
	return s, nil
}

// Agent returns the settings of an agent: its own entry over the defaults.
func (s *Settings) Agent(id string) Agent {
	a := s.Agents.Defaults
	a.ID = id
	for _, own := range s.Agents.List {
		if !strings.EqualFold(own.ID, id) {
			continue
		}
		a.Name, a.Identity = own.Name, own.Identity
		a.Tools = own.Tools
		if own.Workspace != "" {
			a.Workspace = own.Workspace
		}
		if own.Model != nil {
			m := *own.Model
			if m.Primary == "" && s.Agents.Defaults.Model != nil {
				m.Primary = s.Agents.Defaults.Model.Primary
			}
			a.Model = &m
		}
		if len(own.Heartbeat) > 0 {
			a.Heartbeat = own.Heartbeat
		}
	}
	if a.BootstrapMaxChars <= 0 {
		a.BootstrapMaxChars = 20000
	}
	var hb struct {
		Prompt string `json:"prompt"`
	}
	if len(a.Heartbeat) > 0 && json.Unmarshal(a.Heartbeat, &hb) == nil {
		a.HeartbeatPrompt = hb.Prompt
	}
	return a
}

// Key returns a provider's credential and its source; "" and "none" where there is none.
func (s *Settings) Key(provider string) (key, source string) {
	if a := s.Auth[provider]; a.APIKey != "" {
		if a.Source == "" {
			a.Source = "config"
		}
		return a.APIKey, a.Source
	}
	if k := s.Models.Providers[provider].APIKey; k != "" {
		return k, "config"
	}
	return "", "none"
}

// Workspace returns the folder of an agent: its own, or the default one, to which
// agents other than main add their id.
func (s *Settings) Workspace(agentID string) string {
	for _, own := range s.Agents.List {
		if own.Workspace != "" && strings.EqualFold(own.ID, agentID) {
			return own.Workspace
		}
	}
	dir := s.Agents.Defaults.Workspace
	if dir == "" {
		dir = s.Paths.Workspace
	}
	if dir == "" && s.Paths.StateDir != "" {
		dir = filepath.Join(s.Paths.StateDir, "workspace")
	}
	if dir != "" && agentID != "" && agentID != "main" {
		dir += "-" + agentID
	}
	return dir
}
