package main

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// wizard asks what onboarding needs to know and has not been told by a flag.
type wizard struct {
	*tool
	prompter
	flags  *onboardCmd
	loaded *config.Loaded
	plan   *onboarding
	// advanced asks for everything; keep leaves what is configured as it is.
	advanced, keep bool
}

const riskNotice = `Before you begin: the agent can run programs and read and write files as you do, and people who may write
to it can try to talk it into that. Run it where you can afford it, let in only those you trust, and keep secrets away from it.`

func (w *wizard) run() error {
	if !w.flags.AcceptRisk {
		w.note("%s", riskNotice)
		yes, err := w.confirm(w.ctx, "Go on?", false)
		if err != nil {
			return err
		}
		if !yes {
			return errCancelled
		}
	}
	for _, step := range []func() error{w.existing, w.flow, w.mode} {
		if err := step(); err != nil {
			return err
		}
	}
	if w.plan.mode == "remote" {
		return w.remote()
	}
	for _, step := range []func() error{w.workspaceDir, w.chooseModel, w.gateway, w.connectChannels} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *wizard) existing() error {
	if !w.loaded.Exists || len(w.loaded.Parsed) == 0 || w.flags.Reset {
		return nil
	}
	choice, err := w.choose(w.ctx, "There is a configuration: "+w.loaded.File, []option{
		{"keep", "Keep it and add what is missing"}, {"modify", "Go through it"}, {"reset", "Start over (the file is kept as a backup)"}}, "keep")
	if err != nil {
		return err
	}
	w.keep, w.advanced = choice == "keep", choice == "modify"
	if choice == "reset" {
		w.flags.Reset = true
		*w.plan = w.flags.plan(w.tool, w.loaded)
	}
	return nil
}

func (w *wizard) flow() error {
	switch {
	case w.flags.Flow != "":
		w.advanced = w.flags.Flow != "quickstart"
	case !w.keep && !w.advanced:
		choice, err := w.choose(w.ctx, "How much do you want to decide?", []option{
			{"quickstart", "Quick start: this machine only, a token is made"}, {"advanced", "Everything: mode, folder, port, secret"}}, "quickstart")
		if err != nil {
			return err
		}
		w.advanced = choice == "advanced"
	}
	return nil
}

func (w *wizard) mode() error {
	if !w.advanced || w.flags.Mode != "" {
		return nil
	}
	mode, err := w.choose(w.ctx, "Where does the gateway run?", []option{{"local", "On this machine"}, {"remote", "On another one"}}, w.plan.mode)
	w.plan.mode = mode
	return err
}

func (w *wizard) remote() (err error) {
	if w.flags.RemoteURL == "" {
		w.plan.remoteURL, err = w.ask(w.ctx, question{title: "Address of the gateway", hint: "ws://host:port or wss://host:port", preset: w.plan.remoteURL, check: gatewayAddress})
	}
	if err == nil && w.flags.RemoteToken == "" {
		w.plan.remoteToken, err = w.ask(w.ctx, question{title: "Its token", hint: "Leave it empty to keep it as it is, or if there is none.", preset: w.plan.remoteToken, secret: true, optional: true})
	}
	return err
}

func gatewayAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "ws" && u.Scheme != "wss") {
		return errors.New("use ws://host:port or wss://host:port")
	}
	return nil
}

func (w *wizard) workspaceDir() error {
	if !w.advanced || w.flags.Workspace != "" {
		return nil
	}
	dir := w.workspace(w.loaded.Config)
	answer, err := w.ask(w.ctx, question{title: "The agent's folder", preset: dir})
	if answer != dir {
		w.plan.workspace = answer
	}
	return err
}

func (w *wizard) gateway() error {
	if !w.advanced {
		return nil
	}
	if w.flags.GatewayPort == 0 {
		answer, err := w.ask(w.ctx, question{title: "Port", preset: strconv.Itoa(w.plan.port), check: portNumber})
		if err != nil {
			return err
		}
		if w.plan.port, err = strconv.Atoi(answer); err != nil {
			return err
		}
	}
	if w.flags.GatewayBind == "" {
		options := []option{{"loopback", "This machine only"}, {"lan", "The whole network"}, {"tailnet", "The tailnet only"}, {"auto", "This machine, else the network"}}
		if w.plan.bind == "custom" {
			options = append(options, option{"custom", "gateway.customBindHost, as it is"})
		}
		bind, err := w.choose(w.ctx, "Who can reach it?", options, w.plan.bind)
		if err != nil {
			return err
		}
		w.plan.bind = bind
	}
	if w.flags.GatewayAuth == "" {
		auth, err := w.choose(w.ctx, "How do clients prove themselves?", []option{{"token", "A token (one is made)"}, {"password", "A password"}}, w.plan.auth)
		if err != nil {
			return err
		}
		w.plan.auth = auth
	}
	if w.plan.auth == "password" && w.plan.password == "" {
		password, err := w.ask(w.ctx, question{title: "Password", secret: true})
		if err != nil {
			return err
		}
		w.plan.password = password
	}
	return nil
}

func portNumber(text string) error {
	if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 65535 {
		return errors.New("a port is a number from 1 to 65535")
	}
	return nil
}

func (w *wizard) connectChannels() error {
	for !w.flags.SkipChannels {
		options := []option{{"", "None"}}
		for _, kind := range channelKinds() {
			if served, known := w.served(kind.id); served || !known {
				options = append(options, option{kind.id, kind.label})
			}
		}
		title := "Connect a channel?"
		if len(w.plan.channels) > 0 {
			title = "Connect another one?"
		}
		id, err := w.choose(w.ctx, title, options, "")
		if err != nil || id == "" {
			return err
		}
		want, err := w.askAccount(w.loaded, w.prompter, id)
		if err != nil {
			return err
		}
		if err := w.askPolicy(&want); err != nil {
			return err
		}
		w.plan.channels = append(w.plan.channels, want)
	}
	return nil
}

// askPolicy asks who may write. Channels that keep the rule elsewhere have their default.
func (w *wizard) askPolicy(want *addition) error {
	if want.channel != "telegram" && want.channel != "whatsapp" && want.channel != "mattermost" {
		return nil
	}
	policy, err := w.choose(w.ctx, "Who may write to it?", []option{
		{"pairing", "Those whom you let in: a stranger is sent a code for you to approve"}, {"allowlist", "Only those whom you name now"}}, "pairing")
	if err != nil || policy == "pairing" {
		return err
	}
	hint := "Several are separated by commas."
	if want.channel == "telegram" {
		hint += " A numeric id; @userinfobot tells you yours."
	}
	answer, err := w.ask(w.ctx, question{title: "Who", hint: hint})
	if err != nil {
		return err
	}
	var allowed []any
	for _, who := range strings.Split(answer, ",") {
		if who = strings.TrimSpace(who); who != "" {
			allowed = append(allowed, who)
		}
	}
	want.values["dmPolicy"], want.values["allowFrom"] = policy, allowed
	return nil
}

// finish says what is there now and what comes next.
func (c *onboardCmd) finish(t *tool, done onboarded) {
	t.print("Wrote %s", done.Config)
	if done.Mode == "remote" {
		t.print("Gateway: %s", done.RemoteURL)
		t.print("Next: %s health", t.program)
		return
	}
	t.print("Workspace OK: %s", done.Workspace)
	if done.Model != "" {
		t.print("Model: %s", done.Model)
	}
	for _, channel := range done.Channels {
		t.showAdded(channel)
	}
	running := false
	if !c.SkipHealth {
		var health protocol.HealthSnapshot
		running = t.call(rpc{}, millis(3000), protocol.MethodHealth, nil, &health) == nil
	}
	if running {
		t.print("The gateway is running and takes the changes over.")
	} else {
		t.print("Next: %s gateway", t.program)
	}
	t.print(`Then: %s agent --message "hello"`, t.program)
	if !c.SkipUI {
		t.print("Page: %s dashboard", t.program)
	}
}
