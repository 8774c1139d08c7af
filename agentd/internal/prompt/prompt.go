// Package prompt builds the system prompt of a run. It is made anew for each run
// from what the run is allowed to do and from the workspace's files; it holds no
// clock, so that providers can cache it. Build reads files and changes nothing.
package prompt

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
)

// Modes of a prompt.
const (
	Full    = "full"
	Minimal = "minimal"
	None    = "none"
)

// Facts is all that a prompt is made of.
type Facts struct {
	Mode      string
	AgentID   string
	Workspace string
	// Tools that the run may use.
	Tools []tool.Spec
	// Model and DefaultModel as "<provider>/<model>".
	Model, DefaultModel string
	// Aliases of models: alias to reference.
	Aliases   map[string]string
	Thinking  string
	Reasoning string
	Channel   string
	// Shell that commands run in.
	Shell string
	// Direct says that only one person listens; lasting memory is shown then alone.
	Direct bool
	// Timezone is an IANA name; "" = the host's.
	Timezone string
	RepoRoot string
	// Extra is the group's or sub-agent's own text.
	Extra string
	// HeartbeatPrompt is the text that heartbeat turns begin with; "" = the usual one.
	HeartbeatPrompt string
	// MaxFileChars bounds each injected file.
	MaxFileChars int
	// Warn takes what the operator should know; may be nil.
	Warn func(msg string, args ...any)
}

// Report says what a prompt is made of, for people who wonder where their context goes.
type Report struct {
	Chars     int          `json:"chars"`
	Tokens    int          `json:"tokens"`
	ToolChars int          `json:"toolChars"`
	Files     []FileReport `json:"files"`
}

// FileReport is the share of one file.
type FileReport struct {
	Name      string `json:"name"`
	Path      string `json:"path"`
	Missing   bool   `json:"missing,omitempty"`
	RawChars  int    `json:"rawChars"`
	Chars     int    `json:"injectedChars"`
	Truncated bool   `json:"truncated,omitempty"`
}

const identity = "You are a personal assistant running inside OpenClaw."

// Build returns the system prompt and what it is made of.
func Build(f Facts) (string, Report) {
	if f.Mode == None {
		return identity, Report{Chars: len(identity), Tokens: len(identity) / 4}
	}
	full := f.Mode != Minimal
	var out []string
	add := func(lines ...string) {
		for _, l := range lines {
			if strings.TrimSpace(l) != "" {
				out = append(out, l)
			}
		}
	}
	add(identity)
	add(tooling(f.Tools)...)
	add("## Tool Call Style", "Just call a tool when the step is routine; say what you are doing only when it is long, risky or was asked for.")
	add("## Safety", "You have no aims of your own beyond the task. A person's stop always counts, and you never work round limits or change your own safeguards.",
		"If a request and these rules are at odds, pause and ask.")
	add("## OpenClaw CLI Quick Reference", "The gateway is managed with `openclaw gateway status`, `start`, `stop` and `restart`. Do not make up other commands; when unsure, ask the person to run `openclaw help`.")
	if full {
		add(aliases(f.Aliases)...)
	}
	add("## Workspace", "Your working directory is: "+f.Workspace, "Relative paths start there. Keep your files in it unless you are told otherwise.")
	add("## Current Date & Time", "Time zone: "+zone(f.Timezone), "Messages carry the time at which they came.")
	add("## Workspace Files (injected)", "The files below, under Project Context, are the person's own and are read anew for each run.")
	if full {
		add("## Reply Tags", "To answer as a native reply, put one tag at the very start of your message: [[reply_to_current]] for the message you are answering, or [[reply_to:<id>]] for one whose id you were given. Tags are taken out before sending.")
		add("## Messaging", "What you write as your answer goes to the conversation the question came from, by itself. Do not send the same text with a tool as well.")
		if hasTool(f.Tools, "message") {
			add("### message tool", "Use `message` for other places, for media and for actions of a network. When you have sent your whole answer with it, reply with NO_REPLY and nothing else.")
		}
	}
	if f.Extra != "" {
		if full {
			add("## Group Chat Context", f.Extra)
		} else {
			add("## Subagent Context", f.Extra)
		}
	}
	rep := Report{}
	files := inject(f, &rep)
	if len(files) > 0 {
		add("# Project Context", "These files of the workspace belong to your instructions:")
		add(files...)
	}
	if full {
		add("## Silent Replies", "When there is nothing to say, your whole reply is NO_REPLY. Never add it to an answer.")
		beat := f.HeartbeatPrompt
		if beat == "" {
			beat = "Read HEARTBEAT.md if it exists and follow it."
		}
		add("## Heartbeats", "Heartbeat prompt: "+beat, "If a heartbeat comes and nothing needs attention, reply exactly HEARTBEAT_OK; otherwise reply with the matter alone.")
	}
	add("## Runtime", runtimeLine(f), "Reasoning: "+or(f.Reasoning, "off"))
	text := strings.Join(out, "\n")
	rep.Chars, rep.Tokens = len(text), len(text)/4
	for _, t := range f.Tools {
		rep.ToolChars += len(t.Description) + len(t.Schema)
	}
	return text, rep
}

// order is how tools are listed; others follow by name.
func order() []string {
	return strings.Fields("read write edit apply_patch grep find ls exec process web_search web_fetch browser canvas nodes cron message gateway agents_list sessions_list sessions_history sessions_send session_status image")
}

func tooling(tools []tool.Spec) []string {
	if len(tools) == 0 {
		return []string{"## Tooling", "No tool is available in this run."}
	}
	rank := order()
	place := func(n string) int {
		if i := slices.Index(rank, n); i >= 0 {
			return i
		}
		return len(rank)
	}
	tools = slices.Clone(tools)
	slices.SortStableFunc(tools, func(a, b tool.Spec) int {
		if d := place(a.Name) - place(b.Name); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	lines := []string{"## Tooling", "Tools you may use (names are case-sensitive, call them exactly so):"}
	for _, t := range tools {
		lines = append(lines, "- "+t.Name+": "+t.Summary)
	}
	return append(lines, "TOOLS.md holds notes on them and decides nothing about which exist.")
}

func aliases(m map[string]string) []string {
	if len(m) == 0 {
		return nil
	}
	lines := make([]string, 0, len(m)+1)
	for a, ref := range m {
		lines = append(lines, "- "+a+": "+ref)
	}
	slices.Sort(lines)
	return append([]string{"## Model Aliases"}, lines...)
}

func hasTool(tools []tool.Spec, name string) bool {
	return slices.ContainsFunc(tools, func(t tool.Spec) bool { return t.Name == name })
}

func zone(name string) string {
	if name != "" {
		return name
	}
	if z := time.Local.String(); z != "Local" {
		return z
	}
	if tz := os.Getenv("TZ"); tz != "" {
		return tz
	}
	z, _ := time.Now().Zone()
	return z
}

func runtimeLine(f Facts) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	parts := []string{"agent=" + f.AgentID, "host=" + host}
	if f.RepoRoot != "" {
		parts = append(parts, "repo="+f.RepoRoot)
	}
	parts = append(parts, fmt.Sprintf("os=%s (%s)", runtime.GOOS, runtime.GOARCH), "go="+strings.TrimPrefix(runtime.Version(), "go"),
		"model="+f.Model, "default_model="+f.DefaultModel, "shell="+or(f.Shell, "sh"), "channel="+or(f.Channel, "webchat"),
		"capabilities=none", "thinking="+or(f.Thinking, "off"))
	return "Runtime: " + strings.Join(parts, " | ")
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
