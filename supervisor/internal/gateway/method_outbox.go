package gateway

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Outbox shows what is on its way to the networks, and lets an operator decide on what is in doubt.
type Outbox interface {
	ListDeliveries(ctx context.Context, p protocol.OutboxListParams) (protocol.OutboxListResult, error)
	// RetryDelivery sends a delivery that has ended once more; DropDelivery gives one up.
	RetryDelivery(ctx context.Context, deliveryID string) error
	DropDelivery(ctx context.Context, deliveryID string) error
}

func (s *Server) registerOutbox() {
	if s.cfg.Backends.Outbox == nil {
		return
	}
	m := s.methods
	m.add(method{name: protocol.MethodOutboxList, handle: s.outboxList})
	m.add(method{name: protocol.MethodOutboxRetry, handle: func(ctx context.Context, c *call) error {
		return s.outboxDecision(ctx, c, s.cfg.Backends.Outbox.RetryDelivery)
	}})
	m.add(method{name: protocol.MethodOutboxDrop, handle: func(ctx context.Context, c *call) error {
		return s.outboxDecision(ctx, c, s.cfg.Backends.Outbox.DropDelivery)
	}})
}

// decodeOurs reads the parameters of a method that the protocol's schema does not know.
func decodeOurs(c *call, into any) error {
	if len(c.params) == 0 || string(c.params) == "null" {
		return nil
	}
	if err := json.Unmarshal(c.params, into); err != nil {
		return protocol.Invalid("invalid %s params: %v", c.row.name, err)
	}
	return nil
}

func (s *Server) outboxList(ctx context.Context, c *call) error {
	var p protocol.OutboxListParams
	if err := decodeOurs(c, &p); err != nil {
		return err
	}
	r, err := s.cfg.Backends.Outbox.ListDeliveries(ctx, p)
	if err != nil {
		return fmt.Errorf("list deliveries: %w", err)
	}
	c.Reply(r)
	return nil
}

func (s *Server) outboxDecision(ctx context.Context, c *call, decide func(context.Context, string) error) error {
	var p protocol.OutboxParams
	if err := decodeOurs(c, &p); err != nil {
		return err
	}
	if p.DeliveryID == "" {
		return protocol.Invalid("invalid %s params: deliveryId (string) required", c.row.name)
	}
	if err := decide(ctx, p.DeliveryID); err != nil {
		return err
	}
	c.Reply(protocol.OKResult{OK: true})
	return nil
}
