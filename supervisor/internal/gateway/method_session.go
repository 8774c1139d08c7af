package gateway

import (
	"context"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

func (s *Server) registerSessions() {
	m, b := s.methods, s.cfg.Backends
	if b.Sessions != nil {
		m.add(method{name: protocol.MethodSessionsList, params: "SessionsListParams", agent: true, handle: s.sessionsList})
		m.add(method{name: protocol.MethodSessionsPreview, params: "SessionsPreviewParams", handle: s.sessionsPreview})
		m.add(method{name: protocol.MethodSessionsResolve, params: "SessionsResolveParams", unlisted: true, handle: s.sessionsResolve})
	}
	if b.Editor != nil {
		m.add(method{name: protocol.MethodSessionsPatch, params: "SessionsPatchParams", handle: s.sessionsPatch})
		m.add(method{name: protocol.MethodSessionsReset, params: "SessionsResetParams", handle: s.sessionsReset})
		m.add(method{name: protocol.MethodSessionsDelete, params: "SessionsDeleteParams", handle: s.sessionsDelete})
	}
}

func (s *Server) sessionsList(ctx context.Context, c *call) error {
	var p protocol.SessionsListParams
	if err := c.decode(&p); err != nil {
		return err
	}
	if c.Agent != nil {
		p.AgentID = c.Agent.AgentID
	}
	r, err := s.cfg.Backends.Sessions.List(ctx, p)
	if err != nil {
		return err
	}
	if r.Sessions == nil {
		r.Sessions = []protocol.SessionRow{}
	}
	if r.TS == 0 {
		r.TS = s.now().UnixMilli()
	}
	c.Reply(r)
	return nil
}

const (
	previewItems    = 12
	previewItemsMax = 50
	previewChars    = 240
	previewCharsMax = 2000
	previewKeysMax  = 64
)

func (s *Server) sessionsPreview(ctx context.Context, c *call) error {
	var p protocol.SessionsPreviewParams
	if err := c.decode(&p); err != nil {
		return err
	}
	p.Keys = p.Keys[:min(len(p.Keys), previewKeysMax)]
	p.Limit = bounded(p.Limit, previewItems, previewItemsMax)
	p.MaxChars = bounded(p.MaxChars, previewChars, previewCharsMax)
	list, err := s.cfg.Backends.Sessions.Preview(ctx, p)
	if err != nil {
		return err
	}
	if list == nil {
		list = []protocol.SessionPreview{}
	}
	for i := range list {
		if list[i].Items == nil {
			list[i].Items = []protocol.PreviewItem{}
		}
	}
	c.Reply(protocol.SessionsPreviewResult{TS: s.now().UnixMilli(), Previews: list})
	return nil
}

// bounded is n, or the default where it is zero, and at most top.
func bounded(n, def, top int) int {
	if n <= 0 {
		n = def
	}
	return min(n, top)
}

func (s *Server) sessionsResolve(ctx context.Context, c *call) error {
	var p protocol.SessionsResolveParams
	if err := c.decode(&p); err != nil {
		return err
	}
	p.Key, p.SessionID, p.Label = strings.TrimSpace(p.Key), strings.TrimSpace(p.SessionID), strings.TrimSpace(p.Label)
	given := 0
	for _, v := range []string{p.Key, p.SessionID, p.Label} {
		if v != "" {
			given++
		}
	}
	switch given {
	case 0:
		return protocol.Invalid("Either key, sessionId, or label is required")
	case 1:
	default:
		return protocol.Invalid("Provide either key, sessionId, or label (not multiple)")
	}
	key, err := s.cfg.Backends.Sessions.Resolve(ctx, p)
	if err != nil {
		return err
	}
	c.Reply(protocol.SessionsResolveResult{OK: true, Key: key})
	return nil
}

func (s *Server) sessionsPatch(ctx context.Context, c *call) error {
	var p protocol.SessionsPatchParams
	if err := c.decode(&p); err != nil {
		return err
	}
	if p.Key = strings.TrimSpace(p.Key); p.Key == "" {
		return protocol.Invalid("key required")
	}
	r, err := s.cfg.Backends.Editor.Patch(ctx, p)
	if err != nil {
		return err
	}
	r.OK = true
	c.Reply(r)
	return nil
}

func (s *Server) sessionsReset(ctx context.Context, c *call) error {
	key, _, err := c.sessionKey()
	if err != nil {
		return err
	}
	r, err := s.cfg.Backends.Editor.Reset(ctx, key)
	if err != nil {
		return err
	}
	r.OK = true
	c.Reply(r)
	return nil
}

func (s *Server) sessionsDelete(ctx context.Context, c *call) error {
	key, transcript, err := c.sessionKey()
	if err != nil {
		return err
	}
	r, err := s.cfg.Backends.Editor.Delete(ctx, key, transcript)
	if err != nil {
		return err
	}
	if r.Archived == nil {
		r.Archived = []string{}
	}
	r.OK = true
	c.Reply(r)
	return nil
}

// sessionKey reads the key, and whether the transcript goes too (the default).
func (c *call) sessionKey() (key string, transcript bool, err error) {
	var p protocol.SessionKeyParams
	if err := c.decode(&p); err != nil {
		return "", false, err
	}
	if key = strings.TrimSpace(p.Key); key == "" {
		return "", false, protocol.Invalid("key required")
	}
	return key, p.DeleteTranscript == nil || *p.DeleteTranscript, nil
}
