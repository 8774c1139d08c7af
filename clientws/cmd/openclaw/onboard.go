package main

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// onboardCmd is `openclaw onboard`.
type onboardCmd struct {
	Mode           string `help:"local: the gateway runs here; remote: it runs elsewhere." enum:"local,remote," default:"" placeholder:"MODE"`
	Flow           string `help:"quickstart asks for the least; advanced (or manual) asks for all." enum:"quickstart,advanced,manual," default:"" placeholder:"FLOW"`
	Workspace      string `help:"The agent's folder." placeholder:"DIR"`
	Reset          bool   `help:"Start with an empty configuration; the file before is kept as a backup."`
	NonInteractive bool   `help:"Ask nothing; needs --accept-risk."`
	AcceptRisk     bool   `help:"Say that you know what an agent with tools can do."`
	JSON           bool   `help:"Print a summary as one JSON document."`

	AuthChoice       string `help:"How to reach a model: apiKey (Anthropic), openai-api-key, openrouter-api-key, custom or skip." placeholder:"CHOICE"`
	AnthropicAPIKey  string `name:"anthropic-api-key" help:"Key of Anthropic." placeholder:"KEY"`
	OpenaiAPIKey     string `name:"openai-api-key" help:"Key of OpenAI." placeholder:"KEY"`
	OpenrouterAPIKey string `name:"openrouter-api-key" help:"Key of OpenRouter." placeholder:"KEY"`
	CustomBaseURL    string `name:"custom-base-url" help:"Address of an OpenAI-compatible server, with its /v1." placeholder:"URL"`
	CustomModelID    string `name:"custom-model-id" help:"The model there." placeholder:"ID"`
	CustomAPIKey     string `name:"custom-api-key" help:"Its key, where it wants one." placeholder:"KEY"`

	GatewayPort     int    `help:"Port of the control plane." placeholder:"N"`
	GatewayBind     string `help:"Where to listen: loopback, tailnet, lan, auto or custom." enum:"loopback,tailnet,lan,auto,custom," default:"" placeholder:"MODE"`
	GatewayAuth     string `help:"How clients prove themselves: token or password." enum:"token,password," default:"" placeholder:"MODE"`
	GatewayToken    string `help:"Shared token; without it one is made." placeholder:"SECRET"`
	GatewayPassword string `help:"Shared password." placeholder:"SECRET"`
	RemoteURL       string `help:"With --mode remote: the gateway, ws:// or wss://." placeholder:"URL"`
	RemoteToken     string `help:"With --mode remote: its token." placeholder:"SECRET"`
	Tailscale       string `help:"Only off can be served yet." enum:"off,serve,funnel" default:"off" placeholder:"MODE"`

	InstallDaemon bool   `negatable:"" help:"Not possible yet: install the gateway as a service."`
	SkipDaemon    bool   `help:"Install no service."`
	DaemonRuntime string `hidden:""`
	NodeManager   string `hidden:""`
	SkipChannels  bool   `help:"Connect no channel."`
	SkipSkills    bool   `help:"Accepted for compatibility; skills are not set up here."`
	SkipHealth    bool   `help:"Do not look for a running gateway at the end."`
	SkipUI        bool   `name:"skip-ui" help:"Do not name the dashboard at the end."`
}

// onboarding is all that is going to be written. Nothing is until every question is answered.
type onboarding struct {
	mode, workspace        string
	reset                  bool
	remoteURL, remoteToken string
	port                   int
	bind, auth             string
	token, password        string
	model                  modelPlan
	channels               []addition
}

// onboarded is the JSON document of `onboard`.
type onboarded struct {
	Mode          string           `json:"mode"`
	Workspace     string           `json:"workspace,omitempty"`
	RemoteURL     string           `json:"remoteUrl,omitempty"`
	AuthChoice    string           `json:"authChoice,omitempty"`
	Model         string           `json:"model,omitempty"`
	Gateway       *onboardedServer `json:"gateway,omitempty"`
	Channels      []changedAccount `json:"channels,omitempty"`
	InstallDaemon bool             `json:"installDaemon"`
	SkipSkills    bool             `json:"skipSkills"`
	SkipHealth    bool             `json:"skipHealth"`
	Config        string           `json:"config"`
}

type onboardedServer struct {
	Port          int    `json:"port"`
	Bind          string `json:"bind"`
	AuthMode      string `json:"authMode"`
	TailscaleMode string `json:"tailscaleMode"`
}

// Run asks, or reads the flags, and then writes everything at once.
func (c *onboardCmd) Run(t *tool) error {
	loaded, err := t.guarded()
	if err != nil {
		return err
	}
	if err := c.check(t); err != nil {
		return err
	}
	plan := c.plan(t, loaded)
	if c.NonInteractive {
		if !c.AcceptRisk {
			return fail("read what an agent with tools can do, then pass --accept-risk", "Non-interactive onboarding requires explicit risk acknowledgement.")
		}
		if plan.model, err = c.model(t, loaded); err != nil {
			return err
		}
	} else {
		w := &wizard{tool: t, flags: c, loaded: loaded, prompter: t.prompter(), plan: &plan}
		if err := w.run(); err != nil {
			return err
		}
	}
	if err := plan.check(loaded); err != nil {
		return err
	}
	done, err := c.write(t, loaded, plan)
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(done)
	}
	c.finish(t, done)
	return nil
}

// check refuses what cannot be done, before anything is asked.
func (c *onboardCmd) check(t *tool) error {
	switch {
	case c.InstallDaemon && !c.SkipDaemon:
		return fail("leave --install-daemon out, and start it: "+t.program+" gateway", "the gateway cannot be installed as a service yet")
	case c.Tailscale != "off":
		return fail("leave --tailscale out; `tailscale serve` itself can show the port", "--tailscale %s is not served yet", c.Tailscale)
	case c.GatewayPort < 0 || c.GatewayPort > 65535:
		return fail("use a number from 1 to 65535", "--gateway-port %d is no port", c.GatewayPort)
	}
	return nil
}

// plan begins with the flags, and with what is configured where there is none.
func (c *onboardCmd) plan(t *tool, loaded *config.Loaded) onboarding {
	gw := loaded.Config.Gateway
	if c.Reset {
		gw = config.Gateway{Port: config.DefaultPort, Bind: "loopback"}
	}
	p := onboarding{mode: first(c.Mode, gw.Mode, "local"), workspace: c.Workspace, reset: c.Reset, port: c.GatewayPort,
		remoteURL: first(c.RemoteURL, gw.Remote.URL), remoteToken: first(c.RemoteToken, gw.Remote.Token),
		bind: first(c.GatewayBind, gw.Bind, "loopback"), auth: first(c.GatewayAuth, gw.Auth.Mode),
		token: first(c.GatewayToken, gw.Auth.Token), password: first(c.GatewayPassword, gw.Auth.Password)}
	if c.Mode == "" && c.RemoteURL != "" {
		p.mode = "remote"
	}
	if p.port == 0 {
		p.port = gw.Port
		if p.port == config.DefaultPort {
			p.port = t.paths.BasePort()
		}
	}
	if p.auth == "" && c.GatewayPassword != "" && c.GatewayToken == "" {
		p.auth = "password"
	}
	if p.token == "" {
		if data, err := os.ReadFile(t.paths.GatewayTokenFile()); err == nil {
			p.token = strings.TrimSpace(string(data))
		}
	}
	p.auth = first(p.auth, "token")
	return p
}

// check finds what a plan lacks.
func (p *onboarding) check(loaded *config.Loaded) error {
	switch {
	case p.mode == "remote" && p.remoteURL == "":
		return fail("pass --remote-url wss://host:port", "mode remote needs the address of the gateway")
	case p.mode == "remote":
		return nil
	case p.bind == "custom" && (p.reset || loaded.Config.Gateway.CustomBindHost == ""):
		return fail("set it first: openclaw config set gateway.customBindHost ADDRESS", "--gateway-bind custom needs gateway.customBindHost")
	case p.auth == "password" && p.password == "":
		return fail("pass --gateway-password", "auth by password needs a password")
	}
	return nil
}

// model reads how to reach a model from the flags; without any, a key in the environment is enough.
func (c *onboardCmd) model(t *tool, loaded *config.Loaded) (modelPlan, error) {
	keys := map[string]string{"apiKey": c.AnthropicAPIKey, "openai-api-key": c.OpenaiAPIKey, "openrouter-api-key": c.OpenrouterAPIKey}
	choice := c.AuthChoice
	if choice == "" && c.CustomBaseURL != "" {
		choice = authCustom
	}
	for _, known := range authChoices() {
		if choice == "" && keys[known.id] != "" {
			choice = known.id
		}
	}
	switch known, ok := choiceOf(choice); {
	case choice == "" || choice == authSkip:
		return modelPlan{choice: authSkip}, nil
	case ok && keys[choice] == "" && loaded.Environ.Get(known.variable) == "":
		return modelPlan{}, fail("pass --"+strings.ReplaceAll(strings.ToLower(known.variable), "_", "-")+", or set "+known.variable, "--auth-choice %s needs a key", choice)
	case ok:
		return modelPlan{choice: choice, key: keys[choice]}, nil
	case choice != authCustom:
		return modelPlan{}, fail("use apiKey, openai-api-key, openrouter-api-key, custom (any OpenAI-compatible server) or skip", "--auth-choice %s is not served yet", choice)
	case c.CustomBaseURL == "" || c.CustomModelID == "":
		return modelPlan{}, fail("pass --custom-base-url and --custom-model-id", "a server of your own needs an address and a model")
	}
	return modelPlan{choice: authCustom, key: c.CustomAPIKey, provider: authCustom, baseURL: c.CustomBaseURL, model: c.CustomModelID}, nil
}

// write makes folders and file.
func (c *onboardCmd) write(t *tool, loaded *config.Loaded, p onboarding) (onboarded, error) {
	done := onboarded{Mode: p.mode, SkipSkills: c.SkipSkills, SkipHealth: c.SkipHealth, Config: t.paths.ConfigFile}
	if p.mode == "remote" {
		done.RemoteURL = p.remoteURL
		return done, t.edit(func(doc *json5.Document) error {
			e := &editor{doc: doc}
			e.clear(p.reset)
			e.set("remote", "gateway", "mode")
			e.set(p.remoteURL, "gateway", "remote", "url")
			if p.remoteToken != "" {
				e.set(p.remoteToken, "gateway", "remote", "token")
			}
			e.stamp(t, p.mode)
			return e.err
		}, true)
	}
	if p.token == "" {
		made, err := newToken()
		if err != nil {
			return done, err
		}
		p.token = made
	}
	prepared, err := t.prepareInstallation(p.workspace, func(e *editor) {
		e.clear(p.reset)
		e.set("local", "gateway", "mode")
		e.set(p.port, "gateway", "port")
		e.set(p.bind, "gateway", "bind")
		e.set(p.auth, "gateway", "auth", "mode")
		e.set(p.token, "gateway", "auth", "token")
		if p.password != "" {
			e.set(p.password, "gateway", "auth", "password")
		}
		p.model.write(e)
		e.stamp(t, p.mode)
	})
	if err != nil {
		return done, err
	}
	done.Workspace, done.AuthChoice, done.Model = prepared.Workspace, p.model.choice, p.model.ref()
	done.Gateway = &onboardedServer{Port: p.port, Bind: p.bind, AuthMode: p.auth, TailscaleMode: c.Tailscale}
	for _, channel := range p.channels {
		added, err := t.addChannel(loaded, channel)
		if err != nil {
			return done, err
		}
		done.Channels = append(done.Channels, added)
	}
	return done, nil
}

// newToken makes a secret of 48 hex digits.
func newToken() (string, error) {
	secret := make([]byte, 24)
	if _, err := rand.Read(secret); err != nil {
		return "", err
	}
	return hex.EncodeToString(secret), nil
}

// clear takes everything out when the operator starts over.
func (e *editor) clear(reset bool) {
	root, _ := e.doc.Value().(map[string]any)
	for _, key := range sortedKeys(root) {
		if reset {
			e.unset(key)
		}
	}
}

func (e *editor) stamp(t *tool, mode string) {
	e.set(time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "wizard", "lastRunAt")
	e.set(t.build.version, "wizard", "lastRunVersion")
	if t.build.commit != "" {
		e.set(t.build.commit, "wizard", "lastRunCommit")
	}
	e.set("onboard", "wizard", "lastRunCommand")
	e.set(mode, "wizard", "lastRunMode")
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// first gives the first text that is not empty.
func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
