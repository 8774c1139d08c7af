package app

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
)

// agentFiles implements gateway.AgentFiles through the agent runtime, which alone touches workspaces.
type agentFiles struct {
	store  *config.Store
	agents *agents
}

// ask finds the agent's workspace and the runtime to ask.
func (f *agentFiles) ask(agentID string) (client *agent.Client, workspace string, err error) {
	s := f.store.Snapshot()
	if !slices.Contains(s.Config.AgentIDs(), agentID) {
		return nil, "", protocol.Invalid("unknown agent id")
	}
	if client = f.agents.client(); client == nil {
		return nil, "", agentAway()
	}
	return client, s.AgentWorkspace(agentID), nil
}

// ListFiles implements gateway.AgentFiles.
func (f *agentFiles) ListFiles(ctx context.Context, agentID string) (protocol.AgentFilesListResult, error) {
	client, dir, err := f.ask(agentID)
	out := protocol.AgentFilesListResult{AgentID: agentID, Workspace: dir, Files: []protocol.AgentFile{}}
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	files, err := client.AgentFiles(ctx, agentID, dir)
	for _, file := range files {
		view := fileView(file)
		view.Content = nil
		out.Files = append(out.Files, view)
	}
	return out, fileError(err)
}

// GetFile implements gateway.AgentFiles.
func (f *agentFiles) GetFile(ctx context.Context, agentID, name string) (protocol.AgentFileResult, error) {
	return f.one(ctx, agentID, func(ctx context.Context, c *agent.Client, dir string) (agent.File, error) {
		return c.AgentFile(ctx, agentID, dir, name)
	})
}

// SetFile implements gateway.AgentFiles.
func (f *agentFiles) SetFile(ctx context.Context, agentID, name, content string) (protocol.AgentFileResult, error) {
	return f.one(ctx, agentID, func(ctx context.Context, c *agent.Client, dir string) (agent.File, error) {
		return c.SetAgentFile(ctx, agentID, dir, name, content)
	})
}

func (f *agentFiles) one(ctx context.Context, agentID string, call func(context.Context, *agent.Client, string) (agent.File, error)) (protocol.AgentFileResult, error) {
	client, dir, err := f.ask(agentID)
	out := protocol.AgentFileResult{AgentID: agentID, Workspace: dir}
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	file, err := call(ctx, client, dir)
	out.File = fileView(file)
	return out, fileError(err)
}

func fileView(f agent.File) protocol.AgentFile {
	out := protocol.AgentFile{Name: f.Name, Path: f.Path, Missing: f.Missing}
	if !f.Missing {
		out.Size, out.UpdatedAtMS, out.Content = &f.Size, &f.UpdatedMS, &f.Content
	}
	return out
}

// fileError tells a name that is not served from a runtime that failed.
func fileError(err error) error {
	if err == nil {
		return nil
	}
	var wire interface{ GRPCStatus() *status.Status }
	if errors.As(err, &wire) && wire.GRPCStatus().Code() == codes.InvalidArgument {
		return protocol.Invalid("%s", wire.GRPCStatus().Message())
	}
	return agentFailed(err)
}
