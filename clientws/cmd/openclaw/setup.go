package main

import (
	"fmt"
	"os"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// setupCmd is `openclaw setup`.
type setupCmd struct {
	Workspace string `help:"The agent's folder." placeholder:"DIR"`
	JSON      bool   `help:"Print one JSON document."`

	Wizard         bool   `help:"Ask, as onboard does; so does every flag below."`
	NonInteractive bool   `help:"Do what onboard does without asking; needs --accept-risk."`
	AcceptRisk     bool   `help:"Say that you know what an agent with tools can do."`
	Mode           string `help:"local or remote." enum:"local,remote," default:"" placeholder:"MODE"`
	RemoteURL      string `help:"With --mode remote: the gateway, ws:// or wss://." placeholder:"URL"`
	RemoteToken    string `help:"With --mode remote: its token." placeholder:"SECRET"`
}

// prepared is what setup has made or found; its JSON document.
type prepared struct {
	Config string `json:"config"`
	// Wrote tells whether the configuration was changed.
	Wrote     bool   `json:"wrote"`
	Workspace string `json:"workspace"`
	// Made are the workspace's files that were missing.
	Made     []string `json:"made"`
	Sessions string   `json:"sessions"`
}

// Run makes configuration, workspace and session store. What is there already stays as it is.
func (c *setupCmd) Run(t *tool) error {
	if c.Wizard || c.NonInteractive || c.Mode != "" || c.RemoteURL != "" || c.RemoteToken != "" {
		onboard := onboardCmd{Workspace: c.Workspace, JSON: c.JSON, NonInteractive: c.NonInteractive, AcceptRisk: c.AcceptRisk,
			Mode: c.Mode, RemoteURL: c.RemoteURL, RemoteToken: c.RemoteToken, Tailscale: "off"}
		return onboard.Run(t)
	}
	done, err := t.prepareInstallation(c.Workspace, func(*editor) {})
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(done)
	}
	t.showPrepared(done)
	t.print("Next: %s gateway", t.program)
	return nil
}

func (t *tool) showPrepared(done prepared) {
	if done.Wrote {
		t.print("Wrote %s", done.Config)
	} else {
		t.print("Config OK: %s", done.Config)
	}
	t.print("Workspace OK: %s", done.Workspace)
	t.print("Sessions OK: %s", done.Sessions)
}

// editor sets keys of a document and keeps the first error.
type editor struct {
	doc *json5.Document
	err error
}

// set gives a key its value.
func (e *editor) set(value any, path ...string) {
	if e.err == nil {
		e.err = e.doc.Set(path, value)
	}
}

// unset removes a key.
func (e *editor) unset(path ...string) {
	if e.err == nil {
		_, e.err = e.doc.Unset(path)
	}
}

// get gives the value that stands in the file.
func (e *editor) get(path ...string) (any, bool) { return e.doc.Get(path) }

// text gives a text that stands in the file, "" where there is none.
func (e *editor) text(path ...string) string {
	value, _ := e.doc.Get(path)
	text, _ := value.(string)
	return text
}

// prepareInstallation makes the folders, then changes the configuration and adds what a start needs. workspace is the
// folder that the operator names, "" for the one that is configured.
func (t *tool) prepareInstallation(workspace string, change func(*editor)) (prepared, error) {
	before, err := t.guarded()
	if err != nil {
		return prepared{}, err
	}
	done := prepared{Config: before.File, Made: []string{}}
	done.Workspace, done.Sessions = t.workspace(before.Config), t.paths.SessionsDir(before.Config.DefaultAgentID())
	if workspace != "" {
		done.Workspace = t.paths.Expand(workspace)
	}
	if err := os.MkdirAll(t.paths.StateDir, 0o700); err != nil {
		return done, fmt.Errorf("make the state directory: %w", err)
	}
	made, err := makeWorkspace(done.Workspace, before.Config.Agents.Defaults.SkipBootstrap)
	if err != nil {
		return done, fail("choose another folder: --workspace DIR", "%v", err)
	}
	done.Made = append(done.Made, made...)
	if err := os.MkdirAll(done.Sessions, 0o700); err != nil {
		return done, fmt.Errorf("make the session store: %w", err)
	}
	err = t.edit(func(doc *json5.Document) error {
		e := &editor{doc: doc}
		change(e)
		if before.Config.Gateway.Mode == "" && e.text("gateway", "mode") == "" {
			e.set("local", "gateway", "mode")
		}
		if workspace != "" || before.Config.Agents.Defaults.Workspace == "" {
			e.set(done.Workspace, "agents", "defaults", "workspace")
		}
		return e.err
	}, true)
	if err != nil {
		return done, err
	}
	after, err := t.guarded()
	if err != nil {
		return done, err
	}
	done.Wrote = before.Hash != after.Hash
	return done, nil
}

// workspace is the default agent's folder.
func (t *tool) workspace(settings config.Config) string {
	id := settings.DefaultAgentID()
	for _, agent := range settings.Agents.List {
		if agent.ID == id && agent.Workspace != "" {
			return t.paths.Expand(agent.Workspace)
		}
	}
	if dir := settings.Agents.Defaults.Workspace; dir != "" {
		return t.paths.Expand(dir)
	}
	return t.paths.AgentWorkspace(id)
}
