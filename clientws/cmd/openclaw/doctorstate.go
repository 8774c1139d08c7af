package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// folders checks that what an installation writes to is there and can be written to.
func (d *doctorCmd) folders(c *checkup, loaded *config.Loaded) {
	state := c.paths.StateDir
	if _, err := os.Stat(state); errors.Is(err, fs.ErrNotExist) {
		c.hint("make it: "+c.program+" setup", "there is no state directory at %s", state)
		return
	}
	probe, err := os.CreateTemp(state, ".doctor-*")
	if err != nil {
		c.bad("give it back to yourself: chown -R $(id -un) "+state, "the state directory cannot be written to: %v", err)
		return
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	if !loaded.Valid() || !loaded.Exists || loaded.Config.Gateway.Mode == "remote" {
		return
	}
	sessions, workspace := c.paths.SessionsDir(loaded.Config.DefaultAgentID()), c.workspace(loaded.Config)
	for _, dir := range []struct {
		what, path string
		make       func() error
	}{
		{"session store", sessions, func() error { return os.MkdirAll(sessions, 0o700) }},
		{"workspace", workspace, func() error {
			_, err := makeWorkspace(workspace, loaded.Config.Agents.Defaults.SkipBootstrap)
			return err
		}},
	} {
		switch info, err := os.Stat(dir.path); {
		case err == nil && info.IsDir():
			continue
		case err == nil:
			c.bad("move it away, or configure another folder", "the %s %s is no folder", dir.what, dir.path)
		case !d.Fix:
			c.hint(c.program+" setup", "the %s %s is missing", dir.what, dir.path)
		default:
			if err := dir.make(); err != nil {
				c.bad("", "the %s cannot be made: %v", dir.what, err)
				continue
			}
			c.good("made the %s %s", dir.what, dir.path)
		}
	}
	if dirs := otherStateDirs(c.paths); len(dirs) > 0 {
		c.hint("move what you want to keep out of them, and delete them", "other state directories are not used: %s", strings.Join(dirs, ", "))
	}
}

// otherStateDirs are those of earlier names beside the one in force.
func otherStateDirs(paths config.Paths) []string {
	var dirs []string
	for _, name := range []string{".openclaw", ".clawdbot", ".moltbot", ".moldbot"} {
		dir := filepath.Join(paths.Home, name)
		if info, err := os.Stat(dir); err == nil && info.IsDir() && dir != paths.StateDir && paths.Profile == "" && filepath.Dir(paths.StateDir) == paths.Home {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// token checks that the local gateway has a secret, and makes one when asked to.
func (d *doctorCmd) token(c *checkup, loaded *config.Loaded) error {
	gw := loaded.Config.Gateway
	secret, _ := c.env.First("OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD")
	if gw.Mode == "remote" || gw.Auth.Token != "" || gw.Auth.Password != "" || secret != "" {
		return nil
	}
	if _, err := os.Stat(c.paths.GatewayTokenFile()); err == nil {
		return nil
	}
	if !d.GenerateGatewayToken {
		c.hint(c.program+" doctor --generate-gateway-token", "there is no token for the gateway yet; its first start makes one")
		return nil
	}
	made, err := newToken()
	if err != nil {
		return err
	}
	err = c.edit(func(doc *json5.Document) error { return doc.Set(json5.Path{"gateway", "auth", "token"}, made) }, false)
	if err != nil {
		return err
	}
	c.good("wrote a token to gateway.auth.token")
	return nil
}

// channels checks who may write, that accounts have what they need, and that there is a program for each channel.
func (d *doctorCmd) channels(c *checkup, loaded *config.Loaded) {
	missing := map[string]bool{}
	for _, a := range configuredChannels(loaded) {
		if !a.Enabled {
			continue
		}
		if served, known := c.served(a.Channel); known && !served && !missing[a.Channel] {
			missing[a.Channel] = true
			c.hint("", "channels.%s is not served: this installation has no openclaw-channel-%s", a.Channel, a.Channel)
		}
		if kind, _ := kindOf(a.Channel); len(kind.keys) > 0 && a.Token == "" {
			c.hint(c.program+" channels add --channel "+a.Channel+" --account "+a.Account, "%s account %s has no token", kind.label, a.Account)
		}
	}
	for _, id := range loaded.Config.Channels.IDs() {
		var channel struct {
			policy
			Accounts map[string]policy `json:"accounts"`
		}
		if json.Unmarshal(loaded.Config.Channels.Blocks[id], &channel) != nil {
			continue
		}
		at := "channels." + id
		open := channel.open(at)
		for _, name := range slices.Sorted(maps.Keys(channel.Accounts)) {
			open = append(open, channel.Accounts[name].open(at+".accounts."+name)...)
		}
		for _, key := range open {
			c.hint(c.program+" config set "+key+` pairing, and take "*" out of allowFrom`, "%s is open: everybody can write to the agent", key)
		}
	}
}

// policy is who may write, in either of the two places where channels keep it.
type policy struct {
	DMPolicy string `json:"dmPolicy"`
	DM       struct {
		Policy string `json:"policy"`
	} `json:"dm"`
}

// open names the keys below a block that let everybody in.
func (p policy) open(at string) []string {
	var keys []string
	if p.DMPolicy == "open" {
		keys = append(keys, at+".dmPolicy")
	}
	if p.DM.Policy == "open" {
		keys = append(keys, at+".dm.policy")
	}
	return keys
}

// unservedSections are accepted in the file, kept, and do nothing yet.
func unservedSections() []string {
	return []string{"approvals", "audio", "broadcast", "browser", "canvasHost", "cron", "diagnostics", "discovery", "hooks", "mcp",
		"nodeHost", "skills", "talk", "update"}
}

// unserved names what the configuration asks for in vain.
func (d *doctorCmd) unserved(c *checkup, loaded *config.Loaded) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(loaded.Tree)) {
		if slices.Contains(unservedSections(), name) {
			names = append(names, name)
		}
	}
	if mode := loaded.Config.Gateway.Tailscale.Mode; mode != "" && mode != "off" {
		names = append(names, "gateway.tailscale")
	}
	if len(names) > 0 {
		c.hint("", "accepted, but not served yet: %s", strings.Join(names, ", "))
	}
}
