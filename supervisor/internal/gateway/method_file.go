package gateway

import (
	"context"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// AgentFiles keeps an agent's workspace files. An agent, or a name, that is not known is INVALID_REQUEST.
type AgentFiles interface {
	ListFiles(ctx context.Context, agentID string) (protocol.AgentFilesListResult, error)
	GetFile(ctx context.Context, agentID, name string) (protocol.AgentFileResult, error)
	SetFile(ctx context.Context, agentID, name, content string) (protocol.AgentFileResult, error)
}

func (s *Server) registerFiles() {
	if s.cfg.Backends.Files == nil {
		return
	}
	m := s.methods
	m.add(method{name: protocol.MethodAgentsFilesList, params: "AgentsFilesListParams", handle: s.filesList})
	m.add(method{name: protocol.MethodAgentsFilesGet, params: "AgentsFilesGetParams", handle: s.filesGet})
	m.add(method{name: protocol.MethodAgentsFilesSet, params: "AgentsFilesSetParams", handle: s.filesSet})
}

func (s *Server) filesList(ctx context.Context, c *call) error {
	var p protocol.AgentFilesParams
	if err := c.decode(&p); err != nil {
		return err
	}
	r, err := s.cfg.Backends.Files.ListFiles(ctx, p.AgentID)
	if err != nil {
		return err
	}
	c.Reply(r)
	return nil
}

func (s *Server) filesGet(ctx context.Context, c *call) error {
	var p protocol.AgentFilesParams
	if err := c.decode(&p); err != nil {
		return err
	}
	r, err := s.cfg.Backends.Files.GetFile(ctx, p.AgentID, p.Name)
	if err != nil {
		return err
	}
	c.Reply(r)
	return nil
}

func (s *Server) filesSet(ctx context.Context, c *call) error {
	var p protocol.AgentFilesParams
	if err := c.decode(&p); err != nil {
		return err
	}
	r, err := s.cfg.Backends.Files.SetFile(ctx, p.AgentID, p.Name, p.Content)
	if err != nil {
		return err
	}
	ok := true
	r.OK = &ok
	c.Reply(r)
	return nil
}
