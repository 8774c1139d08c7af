// Command openclaw-agentd is the agent runtime: models, tools and transcripts. The
// supervisor starts it; started by hand it says so. Its sub-command exec-guard is the
// parent of one command that a tool runs.
package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/guard"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider/anthropic"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider/demo"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider/openai"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/service"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool/exec"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool/files"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Set by the linker.
var (
	version = "dev"
	commit  = "unknown"
)

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case guard.SubCommand:
			os.Exit(guard.Main(os.Args[2:]))
		case "--version", "version":
			fmt.Printf("openclaw-agentd %s (%s)\n", version, commit)
			return
		}
	}
	commands := exec.NewPool(exec.Config{})
	agent.Serve(service.New(service.Config{
		Version: version,
		Providers: map[string]provider.Provider{
			provider.APICompletions: openai.New(provider.ClientConfig{}),
			provider.APIMessages:    anthropic.New(provider.ClientConfig{}),
			provider.APIDemo:        demo.Echo{},
		},
		Tools:  tool.NewRegistry(files.Read{}, files.Write{}, files.Edit{}, exec.Exec{Pool: commands}, exec.Process{Pool: commands}),
		Log:    slog.New(plugin.NewLogHandler(os.Stderr, slog.LevelDebug)),
		Close:  commands.Close,
		Depths: func() map[string]int64 { return map[string]int64{"commands": int64(commands.Running())} },
	}))
}
