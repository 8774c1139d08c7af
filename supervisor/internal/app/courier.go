package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/markup"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/outbox"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/router"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
)

// fallbackLimit is the longest text where a channel's worker never said its own (spec: capability matrix).
var fallbackLimit = plugin.TextLimit{N: 4000, Unit: plugin.LengthUTF16}

// courier is the way of an answer: into the outbox (run.Deliverer), and from there to a worker (outbox.Deliverer).
type courier struct {
	book     *book
	channels *channels
	outbox   *outbox.Outbox
}

var (
	_ run.Deliverer    = (*courier)(nil)
	_ router.Notifier  = (*courier)(nil)
	_ outbox.Deliverer = (*courier)(nil)
)

// Deliver implements run.Deliverer: a part is read as Markdown, cut to what the network takes, and stored.
func (c *courier) Deliver(tx *journal.Tx, d run.Delivery) error {
	_, err := c.insert(tx, d)
	return err
}

// DeliverPlain implements router.Notifier: a text that is no Markdown is cut and stored.
func (c *courier) DeliverPlain(tx *journal.Tx, d run.Delivery) error {
	_, err := c.insertText(tx, d, markup.PlainText(d.Text))
	return err
}

func (c *courier) insert(tx *journal.Tx, d run.Delivery) ([]message.DeliveryID, error) {
	return c.insertText(tx, d, markup.Parse(d.Text))
}

func (c *courier) insertText(tx *journal.Tx, d run.Delivery, text message.Text) ([]message.DeliveryID, error) {
	settings, caps := c.settings(d.Route)
	limit := fallbackLimit
	if caps.TextLimit.N > 0 {
		limit = caps.TextLimit
	}
	if n := settings.TextChunkLimit; n > 0 && n < limit.N {
		limit.N = n
	}
	preview := settings.LinkPreview == nil || *settings.LinkPreview
	chunks := markup.Split(text, limit)
	entries := make([]outbox.Entry, 0, len(chunks))
	for i, text := range chunks {
		m := message.Outbound{
			Account: d.Route.Account, Conversation: d.Route.Conversation, Thread: d.Route.Thread, Text: text, LinkPreview: preview,
		}
		if i == 0 || settings.ReplyToMode == "all" {
			m.ReplyTo = message.MessageID(d.ReplyTo)
		}
		if settings.ReplyToMode == "off" {
			m.ReplyTo = ""
		}
		entries = append(entries, outbox.Entry{RunID: d.RunID, Part: d.Part, Chunk: i, Channel: d.Route.Channel, Message: m})
	}
	return c.outbox.Insert(tx, entries...)
}

func (c *courier) settings(r run.Route) (accountBlock, plugin.ChannelCaps) {
	var out accountBlock
	if block, ok := c.book.store.Snapshot().ChannelBlock(r.Channel); ok {
		if a, ok := block.Account(string(r.Account)); ok {
			out = readBlock(a.JSON)
		}
	}
	caps, _ := c.Caps(r.Channel)
	return out, caps
}

// Send implements outbox.Deliverer.
func (c *courier) Send(ctx context.Context, id string, m message.Outbound, media []channel.MediaFile) message.SendResult {
	client, ok := c.channels.client(id)
	if !ok {
		return message.SendResult{Outcome: message.NotSent, Code: "worker_unavailable", Text: "the channel's worker is not running"}
	}
	return client.Send(ctx, m, media)
}

// Reconcile implements outbox.Deliverer.
func (c *courier) Reconcile(ctx context.Context, id string, delivery message.DeliveryID, place channel.Place, since time.Time) (channel.Reconciliation, message.MessageID, error) {
	if !c.channels.has(id, channel.FeatureReconcile) {
		return channel.CannotTell, "", channel.ErrUnsupported
	}
	client, ok := c.channels.client(id)
	if !ok {
		return channel.CannotTell, "", fmt.Errorf("reconcile %s: the channel's worker is not running", delivery)
	}
	return client.Reconcile(ctx, delivery, place, since)
}

// Ready implements outbox.Deliverer.
func (c *courier) Ready(id string, account message.AccountID) bool {
	return c.channels.ready(id, account)
}

// Caps implements outbox.Deliverer.
func (c *courier) Caps(id string) (plugin.ChannelCaps, bool) {
	d, ok := c.channels.description(id)
	if !ok || d.Channel == nil {
		return plugin.ChannelCaps{}, false
	}
	return *d.Channel, true
}

// attachments keeps what clients send along with a message.
type attachments struct{ store *outbox.MediaStore }

// maxAttachment is the largest attachment of a chat message in bytes (spec: agent runtime).
const maxAttachment = 5_000_000

// Keep implements mediaKeeper.
func (a attachments) Keep(ctx context.Context, mime, _ string, data []byte) (string, error) {
	row, err := a.store.Put(ctx, strings.NewReader(string(data)), mime, maxAttachment)
	if err != nil {
		return "", fmt.Errorf("keep attachment: %w", err)
	}
	return a.store.Path(row), nil
}
