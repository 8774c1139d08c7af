package gateway

import (
	"context"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Pairing lets people in who wrote to a channel and were sent a code.
type Pairing interface {
	// ListPairing gives who waits. An unknown channel is INVALID_REQUEST.
	ListPairing(ctx context.Context, p protocol.PairingListParams) (protocol.PairingListResult, error)
	// ApprovePairing lets in who has the code, RejectPairing forgets the request. Channel and
	// code are set; an unknown code is INVALID_REQUEST.
	ApprovePairing(ctx context.Context, p protocol.PairingApproveParams) (protocol.PairingApproveResult, error)
	RejectPairing(ctx context.Context, p protocol.PairingRejectParams) (protocol.PairingRejectResult, error)
}

func (s *Server) registerPairing() {
	if s.cfg.Backends.Pairing == nil {
		return
	}
	m := s.methods
	m.add(method{name: protocol.MethodPairingList, unlisted: true, handle: s.pairingList})
	m.add(method{name: protocol.MethodPairingApprove, unlisted: true, handle: s.pairingApprove})
	m.add(method{name: protocol.MethodPairingReject, unlisted: true, handle: s.pairingReject})
}

func (s *Server) pairingList(ctx context.Context, c *call) error {
	var p protocol.PairingListParams
	if err := c.strict(&p); err != nil {
		return err
	}
	p.Channel = strings.ToLower(strings.TrimSpace(p.Channel))
	r, err := s.cfg.Backends.Pairing.ListPairing(ctx, p)
	if err != nil {
		return err
	}
	c.Reply(r)
	return nil
}

func (s *Server) pairingApprove(ctx context.Context, c *call) error {
	var p protocol.PairingApproveParams
	if err := c.strict(&p); err != nil {
		return err
	}
	if err := pairingCode(c, &p.Channel, &p.Code); err != nil {
		return err
	}
	r, err := s.cfg.Backends.Pairing.ApprovePairing(ctx, p)
	if err != nil {
		return err
	}
	c.Reply(r)
	return nil
}

func (s *Server) pairingReject(ctx context.Context, c *call) error {
	var p protocol.PairingRejectParams
	if err := c.strict(&p); err != nil {
		return err
	}
	if err := pairingCode(c, &p.Channel, &p.Code); err != nil {
		return err
	}
	r, err := s.cfg.Backends.Pairing.RejectPairing(ctx, p)
	if err != nil {
		return err
	}
	c.Reply(r)
	return nil
}

// pairingCode brings channel and code into their form, and asks for both.
func pairingCode(c *call, channel, code *string) error {
	*channel, *code = strings.ToLower(strings.TrimSpace(*channel)), strings.TrimSpace(*code)
	switch {
	case *channel == "":
		return protocol.Invalid("invalid %s params: channel (string) required", c.row.name)
	case *code == "":
		return protocol.Invalid("invalid %s params: code (string) required", c.row.name)
	}
	return nil
}
