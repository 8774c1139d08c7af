// Command openclaw-agentd is the agent runtime: models, tools and transcripts. The
// supervisor starts it; started by hand it says so. Its sub-command exec-guard is the
// parent of one command that a tool runs.
package main

import (
	"log/slog"
	"os"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider/demo"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/service"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
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
	agent.Serve(service.New(service.Config{
		Version:   version + " (" + commit + ")",
		Providers: map[string]provider.Provider{provider.APIDemo: demo.Echo{}},
		Tools:     tool.NewRegistry(files.Read{}),
		Log:       slog.New(plugin.NewLogHandler(os.Stderr, slog.LevelDebug)),
	}))
}
