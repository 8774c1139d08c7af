package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/pairing"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
)

const (
	// pairingPatience is how long the message of a stranger waits for another writer of the pairing store.
	pairingPatience = time.Second
	// toldKept is how many codes of a channel are remembered as told; more than can wait at once.
	toldKept = 4 * pairing.MaxPending
)

// Keys of a pairing request's meta that say where to reach the sender, where that
// is not the channel's default account and the chat named like the sender.
const (
	MetaAccount = "accountId"
	MetaChat    = "chatId"
)

// Pairing files the requests of senders who are not let in.
type Pairing interface {
	// Request as in pairing.Store.
	Request(ctx context.Context, channel, id string, meta map[string]string) (r pairing.Request, created bool, err error)
}

// Notifier delivers a text as it is written, without reading it as Markdown, inside the caller's transaction.
type Notifier interface {
	DeliverPlain(tx *journal.Tx, d run.Delivery) error
}

// pair files a stranger's request and denies the message. Who asks for the first time is
// sent the code, in the transaction that denies: after a crash in between, the message is still new, and
// the code that stands in the file already is sent then.
func (r *Router) pair(ctx context.Context, row journal.InboxRow, m message.Inbound, s ChannelSettings) {
	id := entry(row.Channel, m.Sender)
	if id == "" {
		r.settle(ctx, row, journal.InboxDenied, causePairing+": the sender has no id", nil)
		return
	}
	asking, cancel := context.WithTimeout(ctx, pairingPatience)
	defer cancel()
	req, created, err := r.cfg.Pairing.Request(asking, row.Channel, id, meta(row.Channel, id, m, s))
	switch {
	case err != nil && ctx.Err() != nil:
		return // still new: looked at again at the next start
	case err != nil:
		r.log.Error("a pairing request could not be filed; its sender has to write again", "channel", row.Channel, "account", row.Account, "error", err)
		r.settle(ctx, row, journal.InboxDenied, causePairing+": not filed", nil)
		return
	case req.Code == "":
		r.settle(ctx, row, journal.InboxDenied, causePairingFull, nil)
		return
	}
	// A request that is older than the message was answered when it was made.
	fresh := created || req.CreatedAt.UnixMilli() >= row.ReceivedMS
	r.settle(ctx, row, journal.InboxDenied, causePairing, func(tx *journal.Tx) error {
		if !fresh {
			return nil
		}
		first, err := tell(tx, row.Channel, req.Code)
		if err != nil || !first {
			return err
		}
		route := run.Route{Channel: row.Channel, Account: m.Account, Conversation: m.Conversation, Thread: m.Thread, ChatKind: m.ChatKind.String(), Deliver: true}
		return r.cfg.Notifier.DeliverPlain(tx, run.Delivery{
			RunID: fmt.Sprintf("pair:%d", row.ID), Part: "1", Route: route, Text: pairingReply(row.Channel, s.Label, id, req.Code, r.cfg.Program),
		})
	})
}

// tell notes that a code is told to its sender; false where it was told before.
func tell(tx *journal.Tx, channel, code string) (first bool, err error) {
	key := "router.pairing_told." + channel
	var told []string
	text, err := tx.GetMeta(key)
	switch {
	case errors.Is(err, journal.ErrNotFound):
	case err != nil:
		return false, err
	default:
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			return false, fmt.Errorf("read %s: %w", key, err)
		}
	}
	if slices.Contains(told, code) {
		return false, nil
	}
	told = append(told, code)
	raw, err := json.Marshal(told[max(0, len(told)-toldKept):])
	if err != nil {
		return false, err
	}
	return true, tx.SetMeta(key, string(raw))
}

// pairingReply is what a stranger is sent. People and programs look for its first line and
// for the words before the code.
func pairingReply(channel, label, id, code, program string) string {
	return strings.Join([]string{
		"OpenClaw: access not configured.",
		"",
		idLine(channel, label) + ": " + id,
		"",
		"Pairing code: " + code,
		"",
		"Ask the bot owner to approve with:",
		program + " pairing approve " + channel + " <code>",
	}, "\n")
}

func idLine(channel, label string) string {
	switch channel {
	case "whatsapp":
		return "Your WhatsApp phone number"
	case "telegram":
		return "Your Telegram user id"
	case "discord":
		return "Your Discord user id"
	case "mattermost":
		return "Your Mattermost user id"
	case "slack":
		return "Your Slack user id"
	case "signal":
		return "Your Signal number"
	case "imessage":
		return "Your iMessage sender id"
	}
	if label == "" {
		label = channel
	}
	return "Your " + label + " sender id"
}

// entry is how a sender stands in an allow-list: the phone number where people are known by it, else the id.
func entry(channel string, who message.Sender) string {
	switch channel {
	case "whatsapp", "signal", "imessage":
		if who.E164 != "" {
			return who.E164
		}
	}
	return string(who.ID)
}

// meta says more about a stranger, under the names that each channel has for it.
func meta(channel, id string, m message.Inbound, s ChannelSettings) map[string]string {
	out := map[string]string{}
	set := func(key, value string) {
		if value = strings.TrimSpace(value); value != "" {
			out[key] = value
		}
	}
	switch channel {
	case "telegram":
		first, last, _ := strings.Cut(strings.TrimSpace(m.Sender.Name), " ")
		set("username", m.Sender.Username)
		set("firstName", first)
		set("lastName", last)
	case "imessage":
		set("sender", string(m.Sender.ID))
	default:
		set("name", m.Sender.Name)
		set("username", m.Sender.Username)
	}
	if m.Account != s.DefaultAccount {
		set(MetaAccount, string(m.Account))
	}
	if string(m.Conversation) != id {
		set(MetaChat, string(m.Conversation))
	}
	return out
}
