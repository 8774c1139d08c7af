package app

import (
	"context"
	"errors"
	"slices"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/outbox"
)

// deliveries implements gateway.Outbox.
type deliveries struct{ outbox *outbox.Outbox }

var outboxStates = []journal.OutboxState{
	journal.OutboxQueued, journal.OutboxAttempting, journal.OutboxSent, journal.OutboxRefused, journal.OutboxUnknown, journal.OutboxExpired, journal.OutboxDropped,
}

// ListDeliveries implements gateway.Outbox.
func (d deliveries) ListDeliveries(ctx context.Context, p protocol.OutboxListParams) (protocol.OutboxListResult, error) {
	out := protocol.OutboxListResult{Counts: map[string]int64{}, Deliveries: []protocol.Delivery{}}
	f := journal.OutboxFilter{Channel: p.Channel, Limit: min(max(p.Limit, 0), 1000)}
	for _, s := range p.States {
		if !slices.Contains(outboxStates, journal.OutboxState(s)) {
			return out, protocol.Invalid("invalid outbox.list params: unknown state %q (use queued, attempting, sent, refused, unknown, expired or dropped)", s)
		}
		f.States = append(f.States, journal.OutboxState(s))
	}
	counts, err := d.outbox.Count(ctx)
	if err != nil {
		return out, err
	}
	for s, n := range counts {
		out.Counts[string(s)] = n
	}
	rows, err := d.outbox.List(ctx, f)
	for _, r := range rows {
		out.Deliveries = append(out.Deliveries, protocol.Delivery{
			DeliveryID: string(r.DeliveryID), RunID: r.RunID, Part: r.Part, Chunk: r.Chunk, Channel: r.Channel, AccountID: string(r.Account),
			Conversation: string(r.Conversation), State: string(r.State), Attempts: r.Attempts, MessageID: string(r.NetworkID), Cause: r.Cause,
			CreatedAt: r.CreatedMS, NotBefore: r.NotBeforeMS, ExpiresAt: r.ExpiresMS,
		})
	}
	return out, err
}

// RetryDelivery implements gateway.Outbox.
func (d deliveries) RetryDelivery(ctx context.Context, id string) error {
	return deliveryError(id, d.outbox.Retry(ctx, message.DeliveryID(id)))
}

// DropDelivery implements gateway.Outbox.
func (d deliveries) DropDelivery(ctx context.Context, id string) error {
	return deliveryError(id, d.outbox.Drop(ctx, message.DeliveryID(id)))
}

func deliveryError(id string, err error) error {
	switch {
	case isNotFound(err):
		return protocol.Invalid("no such delivery: %s", id)
	case errors.Is(err, journal.ErrConflict):
		return protocol.Invalid("delivery %s does not allow this now: %v", id, err)
	}
	return err
}
