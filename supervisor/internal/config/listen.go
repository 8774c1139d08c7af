package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Overrides are what the command line of the supervisor says; it wins over environment and file.
type Overrides struct {
	Port       int
	Bind       string
	AuthMode   string
	Token      string
	Password   string
	WorkersDir string
}

// Listen is where the control plane listens and which secret it asks for.
type Listen struct {
	Port int
	// PortSource is flag, env, config or default.
	PortSource string
	// Bind is the mode: loopback, lan, tailnet, auto or custom; CustomHost belongs to custom.
	Bind       string
	CustomHost string
	Auth       Auth
}

// Auth is the shared secret. Exactly one of Token and Password is set, as Mode says.
type Auth struct {
	// Mode is token or password.
	Mode            string
	Token, Password string
	// Source is flag, config, env or file (the generated one).
	Source         string
	AllowTailscale bool
}

// Secret is what a client must send.
func (a Auth) Secret() string {
	if a.Mode == "password" {
		return a.Password
	}
	return a.Token
}

// Listen resolves port, bind and secret. It reads the generated token file, and makes it where the mode is token, no
// token is known and the bind is loopback. Its errors are the texts an operator sees when a start is refused.
func (s *Snapshot) Listen() (Listen, error) {
	l := Listen{Bind: s.Config.Gateway.Bind, CustomHost: s.Config.Gateway.CustomBindHost}
	if s.overrides.Bind != "" {
		l.Bind = s.overrides.Bind
	}
	if err := s.port(&l); err != nil {
		return l, err
	}
	if l.Bind == "custom" {
		if addr, err := netip.ParseAddr(l.CustomHost); err != nil || !addr.Is4() {
			return l, fmt.Errorf("gateway.bind is custom: set gateway.customBindHost to an IPv4 address, got %q", l.CustomHost)
		}
	}
	auth, err := s.auth(l)
	l.Auth = auth
	return l, err
}

func (s *Snapshot) port(l *Listen) error {
	switch fromEnv := s.Environ.Get("OPENCLAW_GATEWAY_PORT"); {
	case s.overrides.Port > 0:
		l.Port, l.PortSource = s.overrides.Port, "flag"
	case fromEnv != "":
		port, err := strconv.Atoi(strings.TrimSpace(fromEnv))
		if err != nil || port < 1 || port > 65535 {
			return fmt.Errorf("OPENCLAW_GATEWAY_PORT=%q is no port number", fromEnv)
		}
		l.Port, l.PortSource = port, "env"
	case s.Set("gateway.port"):
		l.Port, l.PortSource = s.Config.Gateway.Port, "config"
	default:
		l.Port, l.PortSource = s.Paths.BasePort(), "default"
	}
	return nil
}

func (s *Snapshot) auth(l Listen) (Auth, error) {
	own, tailscale := s.Config.Gateway.Auth, s.Config.Gateway.Tailscale
	var a Auth
	var tokenSource, passwordSource string
	a.Token, tokenSource = s.secret(s.overrides.Token, own.Token, "OPENCLAW_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_TOKEN")
	a.Password, passwordSource = s.secret(s.overrides.Password, own.Password, "OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_PASSWORD")
	switch {
	case s.overrides.AuthMode != "":
		a.Mode = s.overrides.AuthMode
	case own.Mode != "":
		a.Mode = own.Mode
	case a.Password != "":
		a.Mode = "password"
	default:
		a.Mode = "token"
	}
	a.AllowTailscale = tailscale.Mode == "serve" && a.Mode != "password"
	if own.AllowTailscale != nil {
		a.AllowTailscale = *own.AllowTailscale
	}
	switch a.Mode {
	case "password":
		a.Token, a.Source = "", passwordSource
		if a.Password == "" {
			return a, errors.New("gateway auth is set to password, but no password is configured: set gateway.auth.password or OPENCLAW_GATEWAY_PASSWORD")
		}
	case "token":
		a.Password, a.Source = "", tokenSource
		if a.Token == "" {
			return s.tokenFromFile(a, l)
		}
	default:
		return a, fmt.Errorf("gateway auth mode %q: use token or password", a.Mode)
	}
	return a, nil
}

func (s *Snapshot) tokenFromFile(a Auth, l Listen) (Auth, error) {
	file := s.Paths.GatewayTokenFile()
	if !l.loopback() {
		token, err := readSecret(file)
		if err != nil {
			return a, fmt.Errorf("refusing to bind gateway to %s:%d without auth (set gateway.auth.token/password, or set OPENCLAW_GATEWAY_TOKEN/OPENCLAW_GATEWAY_PASSWORD)", l.Bind, l.Port)
		}
		a.Token, a.Source = token, "file"
		return a, nil
	}
	token, err := generatedToken(file)
	a.Token, a.Source = token, "file"
	return a, err
}

func (s *Snapshot) secret(flag, config string, env ...string) (value, from string) {
	switch fromEnv, _ := s.Environ.First(env...); {
	case flag != "":
		return flag, "flag"
	case config != "":
		return config, "config"
	case fromEnv != "":
		return fromEnv, "env"
	}
	return "", ""
}

func (l Listen) loopback() bool { return l.Bind == "loopback" || l.Bind == "auto" || l.Bind == "" }

// Hosts gives the addresses to listen on. The first must work, the others are tried. local are the addresses of this
// machine's interfaces; only bind tailnet looks at them.
func (l Listen) Hosts(local []netip.Addr) ([]string, error) {
	switch l.Bind {
	case "", "loopback":
		return []string{"127.0.0.1", "::1"}, nil
	case "auto":
		return []string{"127.0.0.1"}, nil
	case "lan":
		return []string{"0.0.0.0"}, nil
	case "custom":
		return []string{l.CustomHost}, nil
	case "tailnet":
		tailnet := netip.MustParsePrefix("100.64.0.0/10")
		for _, addr := range local {
			if addr = addr.Unmap(); tailnet.Contains(addr) {
				return []string{addr.String()}, nil
			}
		}
		return nil, errors.New("gateway.bind is tailnet, but this machine has no tailnet address (100.64.0.0/10); is Tailscale up?")
	}
	return nil, fmt.Errorf("gateway.bind %q: use loopback, lan, tailnet, auto or custom", l.Bind)
}
