package config

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// provider names a model provider's environment variables; the first that is set wins.
type provider struct {
	id  string
	env []string
}

func providers() []provider {
	return []provider{
		{"anthropic", []string{"ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY"}},
		{"openai", []string{"OPENAI_API_KEY"}},
		{"openrouter", []string{"OPENROUTER_API_KEY"}},
		{"google", []string{"GEMINI_API_KEY"}},
		{"ollama", []string{"OLLAMA_API_KEY"}},
		{"groq", []string{"GROQ_API_KEY"}},
		{"xai", []string{"XAI_API_KEY"}},
		{"cerebras", []string{"CEREBRAS_API_KEY"}},
		{"mistral", []string{"MISTRAL_API_KEY"}},
		{"zai", []string{"ZAI_API_KEY", "Z_AI_API_KEY"}},
		{"opencode", []string{"OPENCODE_API_KEY", "OPENCODE_ZEN_API_KEY"}},
		{"vercel-ai-gateway", []string{"AI_GATEWAY_API_KEY"}},
		{"cloudflare-ai-gateway", []string{"CLOUDFLARE_AI_GATEWAY_API_KEY"}},
		{"moonshot", []string{"MOONSHOT_API_KEY"}},
		{"kimi-coding", []string{"KIMI_API_KEY", "KIMICODE_API_KEY"}},
		{"minimax", []string{"MINIMAX_API_KEY"}},
		{"minimax-portal", []string{"MINIMAX_OAUTH_TOKEN", "MINIMAX_API_KEY"}},
		{"qwen-portal", []string{"QWEN_OAUTH_TOKEN", "QWEN_PORTAL_API_KEY"}},
		{"chutes", []string{"CHUTES_OAUTH_TOKEN", "CHUTES_API_KEY"}},
		{"synthetic", []string{"SYNTHETIC_API_KEY"}},
		{"venice", []string{"VENICE_API_KEY"}},
		{"xiaomi", []string{"XIAOMI_API_KEY"}},
		{"qianfan", []string{"QIANFAN_API_KEY"}},
		{"github-copilot", []string{"COPILOT_GITHUB_TOKEN"}},
		{"azure", []string{"AZURE_OPENAI_API_KEY"}},
		{"voyage", []string{"VOYAGE_API_KEY"}},
		{"deepgram", []string{"DEEPGRAM_API_KEY"}},
	}
}

// otherSecrets are further variables that hold secrets of ours and are kept from tools' commands.
func otherSecrets() []string {
	return []string{
		"OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD", "CLAWDBOT_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_PASSWORD",
		"TELEGRAM_BOT_TOKEN", "DISCORD_BOT_TOKEN", "MATTERMOST_BOT_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN",
		"ELEVENLABS_API_KEY", "XI_API_KEY", "BRAVE_API_KEY", "PERPLEXITY_API_KEY", "FIRECRAWL_API_KEY",
	}
}

// ProviderAuth is a provider's credential.
type ProviderAuth struct {
	APIKey string `json:"apiKey"`
	// Source is env or config.
	Source string `json:"source"`
}

var envName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// ProviderAuths gives the credentials that environment and configuration hold, by provider: the environment first, then
// models.providers.<id>.apiKey, which may also be the bare name of a variable.
func (s *Snapshot) ProviderAuths() map[string]ProviderAuth {
	auths := map[string]ProviderAuth{}
	for id, entry := range s.section("models.providers") {
		block, _ := entry.(map[string]any)
		if key, _ := block["apiKey"].(string); key != "" {
			auths[id] = ProviderAuth{APIKey: s.named(key), Source: "config"}
		}
	}
	for _, p := range providers() {
		if key, _ := s.Environ.First(p.env...); key != "" {
			auths[p.id] = ProviderAuth{APIKey: key, Source: "env"}
		}
	}
	return auths
}

// named gives the variable's value for a text that is the bare name of a variable that is set.
func (s *Snapshot) named(key string) string {
	if value := s.Environ.Get(key); envName.MatchString(key) && value != "" {
		return value
	}
	return key
}

// AgentBlock is what agentd is given by Configure: the sections models, agents, tools, skills, session, messages and mcp
// as they stand in the resolved file, auth with a key per provider, env (the environment of tools' commands, without
// the secrets we know) and paths {stateDir, workspace, configFile, home}.
func (s *Snapshot) AgentBlock() json.RawMessage {
	block := map[string]any{}
	for _, name := range []string{"models", "agents", "tools", "skills", "session", "messages", "mcp", "memory"} {
		if section := s.section(name); len(section) > 0 {
			block[name] = section
		}
	}
	if section := s.section("models"); len(section) > 0 {
		block["models"] = s.withResolvedKeys(section)
	}
	block["agents"] = s.withWorkspaces(s.section("agents"))
	auth := map[string]any{}
	for id, a := range s.ProviderAuths() {
		auth[id] = map[string]any{"apiKey": a.APIKey, "source": a.Source}
	}
	block["auth"] = auth
	env := map[string]any{}
	for name, value := range s.ToolEnviron() {
		env[name] = value
	}
	block["env"] = env
	block["paths"] = map[string]any{
		"stateDir": s.Paths.StateDir, "workspace": s.AgentWorkspace(s.Config.DefaultAgentID()),
		"configFile": s.Paths.ConfigFile, "home": s.Paths.Home,
	}
	return encode(block)
}

// withResolvedKeys gives the models section with every bare variable name replaced by its value.
func (s *Snapshot) withResolvedKeys(models map[string]any) map[string]any {
	out := maps.Clone(models)
	list, ok := models["providers"].(map[string]any)
	if !ok {
		return out
	}
	resolved := make(map[string]any, len(list))
	for id, entry := range list {
		block, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		block = maps.Clone(block)
		if key, _ := block["apiKey"].(string); key != "" {
			block["apiKey"] = s.named(key)
		}
		resolved[id] = block
	}
	out["providers"] = resolved
	return out
}

// withWorkspaces gives the agents section with every workspace as an absolute path.
func (s *Snapshot) withWorkspaces(agents map[string]any) map[string]any {
	out := cloneTree(agents)
	defaults, _ := out["defaults"].(map[string]any)
	defaults = cloneTree(defaults)
	defaults["workspace"] = s.AgentWorkspace(s.Config.DefaultAgentID())
	out["defaults"] = defaults
	list, _ := out["list"].([]any)
	list = slices.Clone(list)
	for i, item := range list {
		agent, ok := item.(map[string]any)
		if !ok {
			continue
		}
		agent = maps.Clone(agent)
		id, _ := agent["id"].(string)
		agent["workspace"] = s.AgentWorkspace(id)
		if dir, _ := agent["agentDir"].(string); dir != "" {
			agent["agentDir"] = s.Paths.Expand(dir)
		}
		list[i] = agent
	}
	if list != nil {
		out["list"] = list
	}
	return out
}

// ToolEnviron is the environment for the commands that tools run: the user's own, with .env files and the env section,
// less the secrets we know of.
func (s *Snapshot) ToolEnviron() map[string]string {
	secret := map[string]bool{}
	for _, name := range otherSecrets() {
		secret[name] = true
	}
	for _, p := range providers() {
		for _, name := range p.env {
			secret[name] = true
		}
	}
	// A variable that a secret of the file is made of is a secret too.
	for _, name := range s.placeholders() {
		secret[name] = true
	}
	env := map[string]string{}
	for name, value := range s.Environ {
		if !secret[name] && !strings.HasPrefix(name, "OPENCLAW_PLUGIN_") {
			env[name] = value
		}
	}
	return env
}
