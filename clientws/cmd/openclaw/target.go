package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws"
	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// rpc are the flags of every command that talks to a gateway.
type rpc struct {
	URL      string `help:"Gateway to talk to, ws:// or wss://; needs --token or --password." placeholder:"URL"`
	Token    string `help:"Shared token." placeholder:"SECRET"`
	Password string `help:"Shared password." placeholder:"SECRET"`
	JSON     bool   `help:"Print one JSON document."`
}

// target is the gateway a command talks to and how it was found.
type target struct {
	url, source     string
	token, password string
	fingerprint     string
	local           bool
}

// loadConfig reads the configuration; what is wrong with it is in the result.
func (t *tool) loadConfig() (*config.Loaded, error) {
	workDir, _ := os.Getwd()
	return config.Load(config.Options{Paths: t.paths, Environ: t.env, WorkDir: workDir})
}

// guarded reads the configuration for a command that must not run on an invalid one.
func (t *tool) guarded() (*config.Loaded, error) {
	loaded, err := t.loadConfig()
	if err != nil {
		return nil, err
	}
	if err := loaded.Err(); err != nil {
		return nil, fail("run: "+t.program+" doctor --fix", "%v", err)
	}
	return loaded, nil
}

// settings are those a running gateway works with: the file's, or, while that is bad, the last good ones.
func (t *tool) settings() (config.Config, config.Environ, error) {
	loaded, err := t.loadConfig()
	if err != nil {
		return config.Config{}, nil, err
	}
	if loaded.Valid() && loaded.Exists {
		return loaded.Config, loaded.Environ, nil
	}
	if good, ok := t.lastGood(); ok {
		return good, loaded.Environ, nil
	}
	defaults, err := config.Decode(map[string]any{})
	return defaults, loaded.Environ, err
}

// lastGood reads the copy that the supervisor keeps of the configuration it ran on last.
func (t *tool) lastGood() (config.Config, bool) {
	data, err := os.ReadFile(filepath.Join(t.paths.SupervisorDir(), "config.last-good.json"))
	if err != nil {
		return config.Config{}, false
	}
	var kept struct {
		Config json.RawMessage `json:"config"`
	}
	if json.Unmarshal(data, &kept) != nil || kept.Config == nil {
		return config.Config{}, false
	}
	loaded, err := config.Parse(kept.Config, config.Options{Paths: t.paths, Environ: t.env, AllowUnsetEnv: true})
	if err != nil || !loaded.Valid() {
		return config.Config{}, false
	}
	return loaded.Config, true
}

// resolve finds the gateway: --url, then gateway.remote in mode remote, then the local one.
func (t *tool) resolve(flags rpc) (target, error) {
	settings, env, err := t.settings()
	if err != nil {
		return target{}, err
	}
	gw := settings.Gateway
	switch {
	case flags.URL != "":
		if flags.Token == "" && flags.Password == "" {
			return target{}, fail("pass --token or --password", "gateway url override requires explicit credentials")
		}
		return target{url: flags.URL, source: "--url", token: flags.Token, password: flags.Password, fingerprint: gw.Remote.TLSFingerprint}, nil
	case gw.Mode == "remote" && gw.Remote.URL != "":
		found := target{url: gw.Remote.URL, source: "config gateway.remote.url", token: gw.Remote.Token, password: gw.Remote.Password, fingerprint: gw.Remote.TLSFingerprint}
		return found.with(flags), nil
	}
	found := target{local: true, source: "local " + gw.Bind}
	port, err := t.port(settings, env)
	if err != nil {
		return found, err
	}
	scheme := "ws"
	if gw.TLS.Enabled {
		scheme = "wss"
	}
	found.url = scheme + "://" + net.JoinHostPort(localHost(gw), strconv.Itoa(port)) + gw.ControlUI.BasePath
	found.token, _ = env.First("OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN")
	found.password, _ = env.First("OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD")
	if found.token == "" {
		found.token = gw.Auth.Token
	}
	if found.password == "" {
		found.password = gw.Auth.Password
	}
	if found.token == "" {
		if data, err := os.ReadFile(t.paths.GatewayTokenFile()); err == nil {
			found.token = strings.TrimSpace(string(data))
		}
	}
	return found.with(flags), nil
}

// with lets flags win over what was found.
func (g target) with(flags rpc) target {
	if flags.Token != "" || flags.Password != "" {
		g.token, g.password = flags.Token, flags.Password
	}
	return g
}

// port is the local gateway's: environment, then configuration, then the profile's default.
func (t *tool) port(settings config.Config, env config.Environ) (int, error) {
	if text := env.Get("OPENCLAW_GATEWAY_PORT"); text != "" {
		port, err := strconv.Atoi(text)
		if err != nil || port < 1 || port > 65535 {
			return 0, fail("unset it or set a number from 1 to 65535", "OPENCLAW_GATEWAY_PORT=%q is no port number", text)
		}
		return port, nil
	}
	if settings.Gateway.Port == config.DefaultPort {
		return t.paths.BasePort(), nil
	}
	return settings.Gateway.Port, nil
}

// localHost is the address on which the local gateway can be reached.
func localHost(gw config.Gateway) string {
	if gw.Bind == "custom" && gw.CustomBindHost != "" && gw.CustomBindHost != "0.0.0.0" {
		return gw.CustomBindHost
	}
	if gw.Bind == "tailnet" {
		if addresses, err := net.InterfaceAddrs(); err == nil {
			_, tailnet, _ := net.ParseCIDR("100.64.0.0/10")
			for _, address := range addresses {
				if ip, ok := address.(*net.IPNet); ok && tailnet.Contains(ip.IP) {
					return ip.IP.String()
				}
			}
		}
	}
	return "127.0.0.1"
}

// dial connects to the gateway; the caller closes the client. A gateway that does not answer is a failure that says how
// to start it.
func (t *tool) dial(ctx context.Context, flags rpc, caps ...string) (*clientws.Client, target, error) {
	found, err := t.resolve(flags)
	if err != nil {
		return nil, found, err
	}
	client, err := clientws.Dial(ctx, clientws.Options{
		URL: found.url, Token: found.token, Password: found.password, TLSFingerprint: found.fingerprint,
		Client:     protocol.ClientInfo{ID: protocol.ClientCLI, Mode: protocol.ModeCLI, Version: t.build.version},
		Scopes:     []protocol.Scope{protocol.ScopeAdmin, protocol.ScopeApprovals, protocol.ScopePairing},
		Caps:       caps,
		DeviceFile: t.paths.DeviceFile(), DeviceTokenFile: t.paths.DeviceTokenFile(),
	})
	if err == nil {
		return client, found, nil
	}
	return nil, found, t.explain(err, found)
}

// explain turns a connection's failure into what it means for the operator.
func (t *tool) explain(err error, g target) error {
	where := fmt.Sprintf("\n  Gateway target: %s\n  Source: %s\n  Config: %s", g.url, g.source, t.paths.ConfigFile)
	var refused *clientws.ConnectError
	var closed *clientws.CloseError
	switch {
	case errors.As(err, &refused) && refused.Refused != nil:
		remedy := "check gateway.auth in " + t.paths.ConfigFile + ", or pass --token"
		if refused.Refused.Code == protocol.CodeNotPaired {
			remedy = "approve this device on the gateway's machine: openclaw devices list"
		}
		return fail(remedy, "%s%s", refused.Refused.Message, where)
	case errors.As(err, &refused) && errors.As(refused.Err, &closed):
		return fail("look at the gateway's log: "+t.program+" logs", "%v%s", closed, where)
	case errors.As(err, &refused) && g.local:
		return fail("start it: "+t.program+" gateway", "gateway is not running%s", where)
	case errors.As(err, &refused):
		return fail("is it running, and is the address right?", "%v%s", refused, where)
	}
	return err
}

// call does one method on a connection of its own.
func (t *tool) call(flags rpc, timeout time.Duration, method string, params, result any, options ...clientws.CallOption) error {
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	client, found, err := t.dial(ctx, flags)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	return t.answer(client.Call(ctx, method, params, result, options...), found, timeout)
}

// answer turns a call's error into words.
func (t *tool) answer(err error, g target, timeout time.Duration) error {
	var refused *protocol.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return fail(remedyOf(refused), "%s", refused.Message)
	case errors.Is(err, context.DeadlineExceeded):
		return fail("try a longer --timeout, or look at the log: "+t.program+" logs", "gateway timeout after %dms\n  Gateway target: %s", timeout.Milliseconds(), g.url)
	case errors.Is(err, context.Canceled):
		return errSilent
	}
	return fail("look at the gateway's log: "+t.program+" logs", "%v\n  Gateway target: %s\n  Source: %s\n  Config: %s", err, g.url, g.source, t.paths.ConfigFile)
}

// remedyOf is what the gateway itself says can be done.
func remedyOf(e *protocol.Error) string {
	var details struct {
		Action string `json:"action"`
	}
	if json.Unmarshal(e.Details, &details) == nil && details.Action != "" {
		return details.Action
	}
	if e.Retryable != nil && *e.Retryable {
		return "try again in a moment"
	}
	return ""
}

// millis is a --timeout flag in milliseconds.
func millis(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }
