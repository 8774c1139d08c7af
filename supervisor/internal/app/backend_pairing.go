package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/markup"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/pairing"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/router"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
)

// approvedText is what a sender who was let in is told.
const approvedText = "✅ OpenClaw access approved. Send a message to start chatting."

// pairings implements gateway.Pairing.
type pairings struct {
	store *pairing.Store
	send  *sender
}

var _ gateway.Pairing = (*pairings)(nil)

// program is how the command line is called with a profile.
func program(profile string) string {
	if profile == "" {
		return "openclaw"
	}
	return "openclaw --profile " + profile
}

// ListPairing implements gateway.Pairing.
func (p *pairings) ListPairing(_ context.Context, q protocol.PairingListParams) (protocol.PairingListResult, error) {
	out := protocol.PairingListResult{Channel: q.Channel, Requests: []protocol.PairingRequest{}}
	ids := p.send.book.store.Snapshot().ChannelIDs()
	if q.Channel != "" {
		if err := p.known(q.Channel); err != nil {
			return out, err
		}
		ids = []string{q.Channel}
	}
	for _, id := range ids {
		list, err := p.store.List(id)
		if err != nil {
			return out, err
		}
		for _, r := range list {
			out.Requests = append(out.Requests, protocol.PairingRequest{
				Channel: id, ID: r.ID, Code: r.Code, CreatedAt: pairing.Stamp(r.CreatedAt), LastSeenAt: pairing.Stamp(r.LastSeenAt), Meta: r.Meta,
			})
		}
	}
	return out, nil
}

// known refuses a channel that is not configured.
func (p *pairings) known(id string) error {
	ids := p.send.book.store.Snapshot().ChannelIDs()
	if slices.Contains(ids, id) {
		return nil
	}
	there := strings.Join(ids, ", ")
	if there == "" {
		there = "none"
	}
	return protocol.Invalid("unknown channel %q (configured are: %s)", id, there).WithDetails(map[string]any{"action": "openclaw channels list"})
}

// ApprovePairing implements gateway.Pairing. The sender is let in also where they cannot be told so.
func (p *pairings) ApprovePairing(ctx context.Context, q protocol.PairingApproveParams) (protocol.PairingApproveResult, error) {
	out := protocol.PairingApproveResult{Channel: q.Channel}
	if err := p.known(q.Channel); err != nil {
		return out, err
	}
	r, err := p.store.Approve(ctx, q.Channel, q.Code)
	if err != nil {
		return out, codeError(q.Channel, q.Code, err)
	}
	out.OK, out.ID = true, r.ID
	if q.Notify {
		id, err := p.notify(ctx, q.Channel, r)
		out.Notified, out.DeliveryID = err == nil, string(id)
		if err != nil {
			out.NotifyError = err.Error()
		}
	}
	return out, nil
}

// RejectPairing implements gateway.Pairing.
func (p *pairings) RejectPairing(ctx context.Context, q protocol.PairingRejectParams) (protocol.PairingRejectResult, error) {
	out := protocol.PairingRejectResult{Channel: q.Channel}
	if err := p.known(q.Channel); err != nil {
		return out, err
	}
	r, err := p.store.Reject(ctx, q.Channel, q.Code)
	if err != nil {
		return out, codeError(q.Channel, q.Code, err)
	}
	out.OK, out.ID = true, r.ID
	return out, nil
}

func codeError(channel, code string, err error) error {
	if errors.Is(err, pairing.ErrUnknownCode) {
		return protocol.Invalid("No pending pairing request found for code: %s", code).WithDetails(map[string]any{"action": "openclaw pairing list " + channel})
	}
	return err
}

// notify stores the word for a sender who was let in: over the account, and in the chat, where they asked.
func (p *pairings) notify(ctx context.Context, id string, r pairing.Request) (message.DeliveryID, error) {
	block, ok := p.send.book.store.Snapshot().ChannelBlock(id)
	if !ok {
		return "", protocol.Invalid("channel %s is not configured any more", id)
	}
	acc, ok := block.Account(r.Meta[router.MetaAccount])
	if !ok || !acc.Enabled {
		return "", protocol.Invalid("channel %s has no enabled account %q", id, r.Meta[router.MetaAccount])
	}
	account := message.AccountID(acc.ID)
	if err := p.send.refusal(id, account); err != nil {
		return "", err
	}
	target := channel.Target{Conversation: message.ConversationID(r.Meta[router.MetaChat])}
	if target.Conversation == "" {
		var err error
		if target, err = p.send.target(ctx, id, account, r.ID); err != nil {
			return "", err
		}
	}
	var ids []message.DeliveryID
	err := p.send.db.Update(ctx, func(tx *journal.Tx) (err error) {
		route := run.Route{Channel: id, Account: account, Conversation: target.Conversation, Thread: target.Thread, Deliver: true}
		d := run.Delivery{RunID: "paired:" + r.Code, Part: "1", Route: route}
		ids, err = p.send.courier.insertText(tx, d, markup.PlainText(approvedText))
		return err
	})
	if err != nil || len(ids) == 0 {
		return "", err
	}
	return ids[0], nil
}
