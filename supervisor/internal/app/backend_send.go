package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/worker"
)

const methodSend = "send"

// sender implements gateway.Sender: an explicit send, which waits while its worker starts
// or backs off, and is refused at once, with nothing stored, where waiting cannot help.
type sender struct {
	db       *journal.DB
	book     *book
	channels *channels
	pool     *worker.Pool
	courier  *courier
	runner   *run.Runner
}

// Send implements gateway.Sender.
func (s *sender) Send(ctx context.Context, c gateway.Caller, p protocol.SendParams) (protocol.SendResult, error) {
	if p.MediaURL != "" || len(p.MediaURLs) > 0 {
		return protocol.SendResult{}, protocol.Invalid("invalid send params: media is not served yet; send text alone")
	}
	block, ok := s.book.store.Snapshot().ChannelBlock(p.Channel)
	if !ok {
		return protocol.SendResult{}, protocol.Invalid("unsupported channel: %s", p.Channel)
	}
	account := p.AccountID
	if account == "" {
		account = block.DefaultAccount
	}
	acc, ok := block.Account(account)
	if !ok || !acc.Enabled {
		return protocol.SendResult{}, protocol.Invalid("channel %s has no enabled account %q", p.Channel, account)
	}
	if err := s.refusal(p.Channel, message.AccountID(acc.ID)); err != nil {
		return protocol.SendResult{}, err
	}
	target, err := s.target(ctx, p.Channel, message.AccountID(acc.ID), p.To)
	if err != nil {
		return protocol.SendResult{}, err
	}
	id, runID, err := s.store(ctx, c, p, message.AccountID(acc.ID), target)
	if err != nil {
		return protocol.SendResult{}, err
	}
	return s.await(ctx, p.Channel, id, runID)
}

// refusal is the reason for which waiting cannot help; nil where it can.
func (s *sender) refusal(id string, account message.AccountID) error {
	status, err := s.pool.Status(id)
	if err != nil {
		return protocol.Invalid("unsupported channel: %s", id)
	}
	switch {
	case status.StoppedByOperator:
		return protocol.Unavailable("channel %s is stopped by the operator; `openclaw workers start %s` starts it", id, id)
	case status.State == worker.Terminal:
		return protocol.Unavailable("channel %s cannot run: %s", id, conditionText(status.Condition))
	}
	for _, a := range status.Accounts {
		if a.Account != account {
			continue
		}
		switch phase := a.Phase.String(); phase {
		case "terminal", "off":
			return protocol.Unavailable("%s account %s is %s: %s", id, account, phase, strings.TrimSpace(a.Text+" "+a.Action))
		case "needs_login":
			return &protocol.Error{Code: protocol.CodeNotLinked, Message: fmt.Sprintf("%s account %s is not linked; run `openclaw channels login`", id, account)}
		}
	}
	return nil
}

func conditionText(c *worker.Condition) string {
	if c == nil {
		return "no reason is known"
	}
	return strings.TrimSpace(c.Text + " " + c.Action)
}

// target finds the conversation that a person means.
func (s *sender) target(ctx context.Context, id string, account message.AccountID, to string) (channel.Target, error) {
	plain := channel.Target{Conversation: message.ConversationID(strings.TrimSpace(to))}
	if !s.channels.has(id, channel.FeatureResolve) {
		return plain, nil
	}
	client, ok := s.channels.client(id)
	if !ok {
		return plain, nil // the worker is on its way; what was typed is taken as it is
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	t, err := client.ResolveTarget(ctx, account, to)
	if err != nil {
		return plain, protocol.Invalid("invalid send params: %s has no target %q: %v", id, to, err)
	}
	return t, nil
}

// sendAnswer is what is remembered of an idempotency key.
type sendAnswer struct {
	RunID    string             `json:"runId"`
	Delivery message.DeliveryID `json:"deliveryId"`
}

// store inserts the delivery under its idempotency key; a known key with the same parameters gives the delivery that it made.
func (s *sender) store(ctx context.Context, c gateway.Caller, p protocol.SendParams, account message.AccountID, t channel.Target) (message.DeliveryID, string, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(raw)
	hash := hex.EncodeToString(sum[:])
	ans := sendAnswer{RunID: s.runner.NewID()}
	err = s.db.Update(ctx, func(tx *journal.Tx) error {
		known, err := tx.GetIdem(methodSend, p.IdempotencyKey)
		if err == nil {
			if known.ParamsHash != hash {
				return protocol.Invalid("idempotencyKey %q was used with other parameters", p.IdempotencyKey)
			}
			return json.Unmarshal(known.Answer, &ans)
		}
		if !isNotFound(err) {
			return err
		}
		route := run.Route{Channel: p.Channel, Account: account, Conversation: t.Conversation, Thread: t.Thread, Deliver: true}
		ids, err := s.courier.insert(tx, run.Delivery{RunID: ans.RunID, Part: "1", Route: route, Text: p.Message})
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return protocol.Invalid("invalid send params: the message is empty")
		}
		ans.Delivery = ids[len(ids)-1]
		answer, err := json.Marshal(ans)
		if err != nil {
			return err
		}
		return tx.PutIdem(journal.IdemRow{Method: methodSend, Key: p.IdempotencyKey, Caller: c.DeviceID, ParamsHash: hash, Answer: answer, ExpiresMS: tx.NowMS() + idemLife.Milliseconds()})
	})
	return ans.Delivery, ans.RunID, err
}

// await answers when the last row has ended; else the caller is told that it stays stored.
func (s *sender) await(ctx context.Context, id string, delivery message.DeliveryID, runID string) (protocol.SendResult, error) {
	row, err := s.courier.outbox.Await(ctx, delivery)
	if err != nil {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return protocol.SendResult{}, protocol.Unavailable("the message is stored and goes out as soon as %s can send", id).
				WithDetails(map[string]any{"deliveryId": delivery}).WithRetry(true, time.Second.Milliseconds())
		}
		return protocol.SendResult{}, err
	}
	if row.State != journal.OutboxSent {
		return protocol.SendResult{}, protocol.Unavailable("the message is %s: %s", row.State, row.Cause).WithDetails(map[string]any{"deliveryId": delivery})
	}
	return protocol.SendResult{RunID: runID, MessageID: string(row.NetworkID), Channel: id, ConversationID: string(row.Conversation), DeliveryID: string(delivery)}, nil
}
