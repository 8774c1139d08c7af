package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

// Config is a configuration as it is written to openclaw.json.
type Config map[string]any

// Set puts a value under a dotted path, making the objects on the way.
func (c Config) Set(path string, value any) Config {
	keys := strings.Split(path, ".")
	at := map[string]any(c)
	for _, key := range keys[:len(keys)-1] {
		next, ok := at[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[key] = next
		}
		at = next
	}
	at[keys[len(keys)-1]] = value
	return c
}

// JSON5 renders the configuration as a person might have written it: with a comment, and a comma too many.
func (c Config) JSON5() ([]byte, error) {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, err
	}
	data = bytes.TrimSuffix(data, []byte("\n}"))
	return fmt.Appendf(nil, "// written by a test\n%s,\n}\n", data), nil
}

// config is where every story begins: the fake model behind one agent, Telegram open to
// everybody, each chat its own session, and restarts quick enough for a test.
func (e *Env) config() Config {
	model := map[string]any{"id": "fake-1", "name": "Fake 1", "reasoning": false, "input": []any{"text"}, "contextWindow": 128000}
	c := Config{}
	c.Set("gateway.mode", "local").Set("gateway.port", e.Port)
	c.Set("gateway.auth.mode", "token").Set("gateway.auth.token", e.Token)
	c.Set("logging.file", e.LogFile()).Set("logging.level", "debug")
	c.Set("models.mode", "replace")
	c.Set("models.providers.fake", map[string]any{"baseUrl": e.Model.URL(), "apiKey": "none", "api": "openai-completions", "models": []any{model}})
	c.Set("agents.defaults.workspace", e.Workspace()).Set("agents.defaults.skipBootstrap", true)
	c.Set("agents.defaults.model.primary", "fake/fake-1")
	c.Set("agents.defaults.heartbeat.every", "0m")
	c.Set("session.dmScope", "per-channel-peer")
	c.Set("channels.telegram", map[string]any{
		"enabled": true, "botToken": telegram.Token, "apiRoot": e.Telegram.URL(), "dmPolicy": "open", "allowFrom": []any{"*"},
	})
	c.Set("supervisor.restart.initialMs", 50).Set("supervisor.restart.maxMs", 200)
	return c
}

// Configure changes the configuration that Start writes.
func (e *Env) Configure(change func(Config)) {
	e.t.Helper()
	change(e.cfg)
	e.writeConfig()
}

func (e *Env) writeConfig() {
	e.t.Helper()
	data, err := e.cfg.JSON5()
	if err != nil {
		e.t.Fatal(err)
	}
	e.WriteConfig(string(data))
}

// WriteConfig makes the configuration file consist of exactly this text.
func (e *Env) WriteConfig(text string) {
	e.t.Helper()
	if err := os.MkdirAll(e.State, 0o700); err != nil {
		e.t.Fatal(err)
	}
	if err := os.WriteFile(e.ConfigFile(), []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

// ConfigFile is the configuration's path.
func (e *Env) ConfigFile() string { return filepath.Join(e.State, "openclaw.json") }

// LogFile is where the supervisor writes its log.
func (e *Env) LogFile() string { return filepath.Join(e.State, "openclaw.log") }

// Workspace is the agent's.
func (e *Env) Workspace() string { return filepath.Join(e.State, "workspace") }
