package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// DefaultPort is the control plane's port where nothing else is said; DevPort the one of the profile "dev".
const (
	DefaultPort = 18789
	DevPort     = 19001
)

// FileName is the name of the configuration file in the state directory.
const FileName = "openclaw.json"

// Paths says where this installation, or this profile of it, keeps its things. All paths are absolute.
type Paths struct {
	// Profile is the profile's name, "" for the default one.
	Profile string
	// Home is what ~ stands for.
	Home string
	// StateDir holds everything of ours; ConfigFile is usually openclaw.json in it.
	StateDir, ConfigFile string
}

var profileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// legacyStateDirs are names that earlier versions used; one is taken when it exists and the present name does not.
func legacyStateDirs() []string { return []string{".clawdbot", ".moltbot", ".moldbot"} }

// ResolvePaths finds the paths. profile is what --profile says, "" for none; then OPENCLAW_PROFILE counts.
// OPENCLAW_STATE_DIR and OPENCLAW_CONFIG_PATH win over the places that a profile gives. It fails only where no home
// directory can be found and none is needed less, or for a profile name that is no name.
func ResolvePaths(env Environ, profile string) (Paths, error) {
	if profile == "" {
		profile = env.Get("OPENCLAW_PROFILE")
	}
	if strings.EqualFold(profile, "default") {
		profile = ""
	}
	if profile != "" && !profileName.MatchString(profile) {
		return Paths{}, fmt.Errorf("profile %q: use letters, digits, - and _", profile)
	}
	p := Paths{Profile: profile, Home: homeDir(env)}
	if dir := env.Get("OPENCLAW_STATE_DIR"); dir != "" {
		p.StateDir = p.Expand(dir)
	} else if p.Home == "" {
		return Paths{}, errors.New("no home directory: set HOME, OPENCLAW_HOME or OPENCLAW_STATE_DIR")
	} else {
		p.StateDir = p.defaultStateDir()
	}
	p.ConfigFile = filepath.Join(p.StateDir, FileName)
	if file := env.Get("OPENCLAW_CONFIG_PATH"); file != "" {
		p.ConfigFile = p.Expand(file)
	}
	return p, nil
}

func homeDir(env Environ) string {
	osHome, _ := env.First("HOME", "USERPROFILE")
	if osHome == "" {
		osHome, _ = os.UserHomeDir()
	}
	if home := env.Get("OPENCLAW_HOME"); home != "" {
		return absolute(expandTilde(home, osHome))
	}
	return osHome
}

func (p Paths) defaultStateDir() string {
	if p.Profile != "" {
		return filepath.Join(p.Home, ".openclaw-"+p.Profile)
	}
	dir := filepath.Join(p.Home, ".openclaw")
	if isDir(dir) {
		return dir
	}
	for _, legacy := range legacyStateDirs() {
		if old := filepath.Join(p.Home, legacy); isDir(old) {
			return old
		}
	}
	return dir
}

// Expand makes a path absolute: ~ is the home, anything else is taken from the working directory.
func (p Paths) Expand(path string) string { return absolute(expandTilde(path, p.Home)) }

// Workspace is the default agent's workspace where the configuration names none.
func (p Paths) Workspace() string {
	if p.Profile != "" && p.Home != "" {
		return filepath.Join(p.Home, ".openclaw", "workspace-"+p.Profile)
	}
	return filepath.Join(p.StateDir, "workspace")
}

// AgentWorkspace is the workspace of an agent that names none; main has the default one.
func (p Paths) AgentWorkspace(agentID string) string {
	if agentID == "" || agentID == "main" {
		return p.Workspace()
	}
	return filepath.Join(p.StateDir, "workspace-"+agentID)
}

// AgentDir is an agent's own directory: auth profiles, models.json.
func (p Paths) AgentDir(agentID string) string {
	return filepath.Join(p.StateDir, "agents", agentID, "agent")
}

// SessionsDir holds an agent's transcripts.
func (p Paths) SessionsDir(agentID string) string {
	return filepath.Join(p.StateDir, "agents", agentID, "sessions")
}

// CredentialsDir holds generated and linked secrets.
func (p Paths) CredentialsDir() string { return filepath.Join(p.StateDir, "credentials") }

// GatewayTokenFile holds the generated gateway token.
func (p Paths) GatewayTokenFile() string { return filepath.Join(p.CredentialsDir(), "gateway-token") }

// SupervisorDir holds the supervisor's journal and its last good configuration.
func (p Paths) SupervisorDir() string { return filepath.Join(p.StateDir, "supervisor") }

// PluginsDir is where plugin binaries are dropped.
func (p Paths) PluginsDir() string { return filepath.Join(p.StateDir, "plugins") }

// DeviceFile is this client's key pair, DeviceTokenFile the tokens that gateways gave to it.
func (p Paths) DeviceFile() string { return filepath.Join(p.StateDir, "identity", "device.json") }

// DeviceTokenFile holds the device tokens that were given to this client.
func (p Paths) DeviceTokenFile() string {
	return filepath.Join(p.StateDir, "identity", "device-auth.json")
}

// BasePort is the port where neither flag, environment nor configuration name one.
func (p Paths) BasePort() int {
	if p.Profile == "dev" {
		return DevPort
	}
	return DefaultPort
}

func expandTilde(path, home string) string {
	if path == "~" {
		return home
	}
	if home != "" && (strings.HasPrefix(path, "~/") || strings.HasPrefix(path, `~\`)) {
		return filepath.Join(home, path[2:])
	}
	return path
}

func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
