package outbox

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strconv"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// Entry is one delivery to insert: one message, or album, that fits the network's limits.
type Entry struct {
	// RunID, Part and Chunk name it: inserted again it is the same delivery.
	RunID string
	Part  string
	Chunk int

	Channel string
	// Message is what to send; Insert fills in Delivery. Its Media are files of the MediaStore.
	Message message.Outbound
	// Lifetime overrides the outbox's; 0 = the outbox's.
	Lifetime time.Duration
}

// DeliveryID is the name of a delivery: the first 24 base32 characters of the SHA-256
// over run, part and chunk.
func DeliveryID(runID, part string, chunk int) message.DeliveryID {
	// Lengths keep apart what would read the same when joined.
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%d:%s%d", len(runID), runID, len(part), part, chunk))
	return message.DeliveryID(base32.StdEncoding.EncodeToString(sum[:15]))
}

// Part is the name of the n-th part of an answer, from 1.
func Part(n int) string { return strconv.Itoa(n) }

// Insert stores deliveries inside the caller's transaction, in the order given, and
// returns their ids. They are sent once that is on disk. One that is known already is left as it is.
// The first of an idle conversation whose account is ready is stored as attempting at once,
// which saves a transaction.
func (o *Outbox) Insert(tx *journal.Tx, entries ...Entry) ([]message.DeliveryID, error) {
	ids := make([]message.DeliveryID, 0, len(entries))
	for _, e := range entries {
		id := DeliveryID(e.RunID, e.Part, e.Chunk)
		if err := o.insert(tx, id, e); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (o *Outbox) insert(tx *journal.Tx, id message.DeliveryID, e Entry) error {
	e.Message.Delivery = id
	if e.Lifetime <= 0 {
		e.Lifetime = o.cfg.Lifetime
	}
	body, err := e.Message.Marshal()
	if err != nil {
		return fmt.Errorf("insert delivery %s: %w", id, err)
	}
	row := journal.OutboxRow{
		DeliveryID: id, RunID: e.RunID, Part: e.Part, Chunk: e.Chunk, Channel: e.Channel, Account: e.Message.Account,
		Conversation: e.Message.Conversation, Body: body, State: journal.OutboxQueued,
		CreatedMS: tx.NowMS(), ExpiresMS: tx.NowMS() + e.Lifetime.Milliseconds(),
	}
	for _, m := range e.Message.Media {
		row.Media = append(row.Media, m.SHA256)
	}
	key := conversationKey{accountKey{e.Channel, e.Message.Account}, e.Message.Conversation}
	claimed := o.claim(key)
	if claimed {
		row.State, row.Attempts, row.DoubtMS = journal.OutboxAttempting, 1, tx.NowMS()
	}
	seq, inserted, err := tx.InsertOutbox(row)
	if claimed && (err != nil || !inserted) {
		o.release(key)
	}
	if err != nil || !inserted {
		return err
	}
	row.Seq = seq
	tx.OnCommit(func() {
		o.mu.Lock()
		o.add(&delivery{row: row, claimed: claimed})
		o.mu.Unlock()
		o.Wake()
		told := row
		told.Body = nil
		o.cfg.Observe(told)
	})
	if claimed {
		tx.OnRollback(func() { o.release(key) })
	}
	return nil
}

// claim takes an idle conversation whose account can send now, so that its next delivery may be stored as attempting.
func (o *Outbox) claim(key conversationKey) bool {
	if !o.cfg.Deliverer.Ready(key.channel, key.account) {
		return false
	}
	now := o.cfg.Clock.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.account(key.accountKey)
	c := a.conversation(key.conversation)
	if !o.running || c.busy || c.claimed || len(c.rows) > 0 || now.Before(c.nextAt) || now.Before(a.nextAt) || a.flying >= perAccount {
		return false
	}
	c.claimed = true
	return true
}

func (o *Outbox) release(key conversationKey) {
	o.mu.Lock()
	o.account(key.accountKey).conversation(key.conversation).claimed = false
	o.mu.Unlock()
}
