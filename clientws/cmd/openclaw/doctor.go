package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/json5"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// doctorCmd is `openclaw doctor`.
type doctorCmd struct {
	Fix            bool `aliases:"repair" help:"Correct what can be corrected; the file before is kept as a backup."`
	Yes            bool `help:"Accepted for compatibility; nothing is asked."`
	NonInteractive bool `help:"Accepted for compatibility; nothing is asked."`
	Timeout        int  `help:"How long to wait for the gateway, in milliseconds." default:"5000"`
	JSON           bool `help:"Print one JSON document."`

	GenerateGatewayToken bool `help:"Write a token for the gateway into the configuration, where there is none."`
}

// finding is one line of a checkup.
type finding struct {
	// Level is ok, hint or wrong.
	Level  string `json:"level"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// checkup prints findings, or gathers them for JSON, and counts those that are wrong.
type checkup struct {
	*tool
	wrong    int
	json     bool
	findings []finding
}

func (c *checkup) good(format string, args ...any) {
	c.add(finding{Level: "ok", Text: fmt.Sprintf(format, args...)}, colorSuccess, "✓")
}

func (c *checkup) hint(remedy, format string, args ...any) {
	c.add(finding{"hint", fmt.Sprintf(format, args...), remedy}, colorWarn, "!")
}

func (c *checkup) bad(remedy, format string, args ...any) {
	c.wrong++
	c.add(finding{"wrong", fmt.Sprintf(format, args...), remedy}, colorError, "✗")
}

func (c *checkup) add(f finding, color, sign string) {
	c.findings = append(c.findings, f)
	if c.json {
		return
	}
	c.print("%s %s", c.paint(color, sign), f.Text)
	if f.Remedy != "" {
		c.print("  → %s", f.Remedy)
	}
}

// Run checks configuration, files, binaries and the gateway. What is still wrong with the configuration is exit code 1.
func (d *doctorCmd) Run(t *tool) error {
	c := &checkup{tool: t, json: d.JSON}
	loaded, err := d.config(c)
	if err != nil {
		return err
	}
	d.modes(c)
	d.folders(c, loaded)
	d.binaries(c)
	if loaded.Valid() {
		if err := d.token(c, loaded); err != nil {
			return err
		}
		d.security(c, loaded.Config)
		d.channels(c, loaded)
		d.unserved(c, loaded)
	}
	d.gateway(c)
	if d.JSON {
		if err := t.json(map[string]any{"ok": c.wrong == 0, "findings": c.findings}); err != nil {
			return err
		}
	}
	if c.wrong > 0 {
		return errSilent
	}
	return nil
}

func (d *doctorCmd) config(c *checkup) (*config.Loaded, error) {
	loaded, err := c.loadConfig()
	if err != nil {
		return nil, err
	}
	if d.Fix && loaded.Exists && (!loaded.Valid() || len(loaded.Legacy) > 0) {
		if loaded, err = d.repair(c, loaded); err != nil {
			return nil, err
		}
	}
	if !loaded.Exists {
		c.hint("make one: "+c.program+" onboard", "no configuration yet at %s; defaults are in force", loaded.File)
		return loaded, nil
	}
	for _, p := range loaded.Problems {
		c.bad("", "%s", p)
	}
	for _, p := range append(loaded.Legacy, loaded.Warnings...) {
		c.hint("", "%s", p)
	}
	if !loaded.Valid() {
		if !d.Fix && !d.JSON {
			c.print("Run: %s doctor --fix", c.program)
		}
		return loaded, nil
	}
	c.good("configuration %s", loaded.File)
	if loaded.Config.Gateway.Mode == "" {
		c.hint(c.program+" config set gateway.mode local", "gateway.mode is not set, so the gateway starts only with --allow-unconfigured")
	}
	return loaded, nil
}

// repair writes old keys under their names of today and takes out unknown ones.
func (d *doctorCmd) repair(c *checkup, loaded *config.Loaded) (*config.Loaded, error) {
	workDir, _ := os.Getwd()
	opts := config.Options{Paths: c.paths, Environ: c.env, WorkDir: workDir}
	var done []string
	repaired, err := config.Edit(c.ctx, opts, config.Change{
		BaseHash: loaded.Hash, AllowShrink: true, Repair: true, Version: c.build.version, Now: time.Now(),
		Apply: func(doc *json5.Document) (err error) {
			done, err = loaded.Repair(doc)
			return err
		},
	})
	if err != nil {
		c.bad("correct the file by hand", "the configuration cannot be repaired: %v", err)
		return loaded, nil
	}
	for _, what := range done {
		c.good("%s", what)
	}
	return repaired, nil
}

// modes checks that only the owner can read what holds secrets.
func (d *doctorCmd) modes(c *checkup) {
	if _, err := os.Stat(c.paths.StateDir); errors.Is(err, fs.ErrNotExist) {
		return
	}
	checked := map[string]fs.FileMode{c.paths.StateDir: 0o700, c.paths.ConfigFile: 0o600, c.paths.GatewayTokenFile(): 0o600}
	backups, _ := filepath.Glob(c.paths.ConfigFile + ".bak*")
	for _, file := range backups {
		checked[file] = 0o600
	}
	fine := true
	for file, want := range checked {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm()&^want == 0 {
			continue
		}
		fine = false
		if !d.Fix {
			c.hint(fmt.Sprintf("chmod %o %s", want, file), "%s can be read by others (mode %o)", file, info.Mode().Perm())
			continue
		}
		if err := os.Chmod(file, want); err != nil {
			c.bad("", "%s: %v", file, err)
			continue
		}
		c.good("%s is now mode %o", file, want)
	}
	if fine {
		c.good("state directory %s", c.paths.StateDir)
	}
}

// binaries checks that the programs of this installation lie together.
func (d *doctorCmd) binaries(c *checkup) {
	supervisor, err := supervisorBinary()
	if err != nil {
		c.hint("install the whole package", "%v", err)
		return
	}
	dir := filepath.Dir(supervisor)
	workers, _ := filepath.Glob(filepath.Join(dir, "openclaw-channel-*"))
	names := []string{"openclaw-supervisor"}
	for _, file := range append([]string{filepath.Join(dir, "openclaw-agentd")}, workers...) {
		info, err := os.Stat(file)
		switch {
		case err != nil:
			c.hint("install it beside "+supervisor, "%s is missing", filepath.Base(file))
		case info.Mode().Perm()&0o111 == 0:
			c.hint("chmod +x "+file, "%s cannot be executed", file)
		case info.Mode().Perm()&0o022 != 0:
			c.hint("chmod go-w "+file, "%s can be changed by others", file)
		default:
			names = append(names, filepath.Base(file))
		}
	}
	c.good("programs in %s: %s", dir, strings.Join(names, ", "))
}

func (d *doctorCmd) security(c *checkup, settings config.Config) {
	gw := settings.Gateway
	if gw.Bind != "loopback" && gw.Bind != "auto" && gw.Auth.Token == "" && gw.Auth.Password == "" && c.env.Get("OPENCLAW_GATEWAY_TOKEN") == "" && c.env.Get("OPENCLAW_GATEWAY_PASSWORD") == "" {
		c.bad("set gateway.auth.token", "gateway.bind is %s, but no secret is set: the gateway will not start", gw.Bind)
	}
	if token := gw.Auth.Token; token != "" && len(token) < 24 {
		c.hint("use 48 random characters", "gateway.auth.token is short (%d characters)", len(token))
	}
	if settings.Logging.RedactSensitive == "off" {
		c.hint(c.program+" config unset logging.redactSensitive", "secrets are not hidden in logs")
	}
}

// gateway checks the running gateway, when there is one.
func (d *doctorCmd) gateway(c *checkup) {
	var health protocol.HealthSnapshot
	err := c.call(rpc{}, millis(d.Timeout), protocol.MethodHealth, nil, &health)
	switch {
	case unreachable(err):
		c.hint("start it: "+c.program+" gateway", "gateway is not running")
		return
	case err != nil:
		var f *failure
		remedy := ""
		if errors.As(err, &f) {
			remedy = f.remedy
		}
		c.bad(remedy, "%s", strings.SplitN(err.Error(), "\n", 2)[0])
		return
	}
	c.good("gateway is running")
	for _, condition := range health.Conditions {
		c.hint(condition.Action, "%s %s", condition.Title, condition.Text)
	}
}
