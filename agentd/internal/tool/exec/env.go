package exec

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
)

// environment is what a command gets: the user's variables less the secrets that
// we know of, the configured folders in front of PATH, and the call's own variables.
func environment(set *settings.Settings, own map[string]string) ([]string, error) {
	vars := map[string]string{}
	if set.Env != nil {
		for k, v := range set.Env {
			vars[k] = v
		}
	} else {
		for _, kv := range os.Environ() {
			k, v, _ := strings.Cut(kv, "=")
			vars[k] = v
		}
	}
	for k := range vars {
		if secret(k) {
			delete(vars, k)
		}
	}
	if vars["PATH"] == "" {
		vars["PATH"] = "/usr/local/bin:/usr/bin:/bin"
	}
	if front := set.Tools.Exec.PathPrepend; len(front) > 0 {
		vars["PATH"] = strings.Join(front, string(filepath.ListSeparator)) + string(filepath.ListSeparator) + vars["PATH"]
	}
	for k, v := range own {
		if refused(k) || strings.ContainsAny(k, "=\x00") || strings.Contains(v, "\x00") {
			return nil, fmt.Errorf("the variable %s cannot be set for a command", k)
		}
		vars[k] = v
	}
	out := make([]string, 0, len(vars))
	for k, v := range vars {
		out = append(out, k+"="+v)
	}
	sort.Strings(out)
	return out, nil
}

// secret reports whether a variable holds a key of ours: of a channel, a provider,
// the gateway or the plugin line. Others stay: people rely on them.
func secret(name string) bool {
	switch name {
	case "OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD", "OPENCLAW_PLUGIN",
		"TELEGRAM_BOT_TOKEN", "DISCORD_BOT_TOKEN", "MATTERMOST_BOT_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_USER_TOKEN",
		"ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY_OLD", "ANTHROPIC_OAUTH_TOKEN", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY",
		"OLLAMA_API_KEY", "GROQ_API_KEY", "XAI_API_KEY", "CEREBRAS_API_KEY", "MISTRAL_API_KEY", "ZAI_API_KEY", "Z_AI_API_KEY",
		"BRAVE_API_KEY", "PERPLEXITY_API_KEY", "ELEVENLABS_API_KEY", "DEEPGRAM_API_KEY", "VOYAGE_API_KEY":
		return true
	}
	return strings.HasPrefix(name, "PLUGIN_")
}

// refused names the variables by which a call could put other code into a command than it shows.
func refused(name string) bool {
	up := strings.ToUpper(name)
	switch up {
	case "", "PATH", "NODE_OPTIONS", "NODE_PATH", "PYTHONPATH", "PYTHONHOME", "RUBYLIB", "RUBYOPT", "PERL5LIB", "PERL5OPT",
		"BASH_ENV", "ENV", "GCONV_PATH", "IFS", "SSLKEYLOGFILE":
		return true
	}
	return strings.HasPrefix(up, "LD_") || strings.HasPrefix(up, "DYLD_")
}

// shell is what runs a command: the user's, or a common one where that is fish, whose language differs.
func shell(set *settings.Settings) string {
	name := set.Env["SHELL"]
	if name == "" {
		name = os.Getenv("SHELL")
	}
	if name != "" && filepath.Base(name) != "fish" {
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	for _, n := range []string{"bash", "sh"} {
		if path, err := exec.LookPath(n); err == nil {
			return path
		}
	}
	return "/bin/sh"
}
