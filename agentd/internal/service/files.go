package service

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/workspace"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

func (s *Service) workspace(agentID, given string) string {
	if given != "" {
		return given
	}
	return s.snap.Load().Settings.Workspace(agentID)
}

// AgentFiles lists an agent's workspace files.
func (s *Service) AgentFiles(_ context.Context, agentID, dir string) ([]agent.File, error) {
	list, err := workspace.List(s.workspace(agentID, dir))
	if err != nil {
		return nil, err
	}
	out := make([]agent.File, len(list))
	for i, f := range list {
		out[i] = wireFile(f)
	}
	return out, nil
}

// AgentFile reads one of them; a missing file is no error.
func (s *Service) AgentFile(_ context.Context, agentID, dir, name string) (agent.File, error) {
	f, err := workspace.Get(s.workspace(agentID, dir), name)
	return wireFile(f), refusal(err)
}

// SetAgentFile writes one of them.
func (s *Service) SetAgentFile(_ context.Context, agentID, dir, name, content string) (agent.File, error) {
	f, err := workspace.Set(s.workspace(agentID, dir), name, content)
	return wireFile(f), refusal(err)
}

// refusal tells a name that is not served from a disk that fails.
func refusal(err error) error {
	var u *workspace.UnsupportedError
	if errors.As(err, &u) {
		return status.Error(codes.InvalidArgument, u.Error())
	}
	return err
}

func wireFile(f workspace.File) agent.File {
	out := agent.File{Name: f.Name, Path: f.Path, Missing: f.Missing, Size: f.Size, Content: f.Content}
	if !f.Updated.IsZero() {
		out.UpdatedMS = f.Updated.UnixMilli()
	}
	return out
}
