package journal

import (
	"fmt"
	"strings"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// OutboxState is where a delivery stands.
type OutboxState string

// The states of a delivery. All but queued and attempting are final, until an operator decides otherwise.
const (
	OutboxQueued     OutboxState = "queued"
	OutboxAttempting OutboxState = "attempting" // a Send is, or was, under way
	OutboxSent       OutboxState = "sent"
	OutboxRefused    OutboxState = "refused" // by the network, for good
	OutboxUnknown    OutboxState = "unknown" // it may have been sent; shown, never sent again by itself
	OutboxExpired    OutboxState = "expired"
	OutboxDropped    OutboxState = "dropped"
)

// Final reports whether nothing more happens to a delivery by itself.
func (s OutboxState) Final() bool { return s != OutboxQueued && s != OutboxAttempting }

// OutboxRow is one delivery: one message, or album, to one conversation.
type OutboxRow struct {
	DeliveryID message.DeliveryID
	// RunID, Part and Chunk are unique and make the DeliveryID.
	RunID string
	Part  string
	Chunk int

	Channel      string
	Account      message.AccountID
	Conversation message.ConversationID
	// Seq orders the rows of one conversation; InsertOutbox gives it.
	Seq int64
	// Body is a marshalled message.Outbound.
	Body []byte
	// Media are the SHA-256 of its files, in order.
	Media []string
	State OutboxState
	// Attempts counts those since the row was queued by somebody, without the ones that a network only put off.
	Attempts    int
	NotBeforeMS int64
	ExpiresMS   int64
	// DoubtMS is when the first attempt was made that may have been accepted; 0 = none is open.
	DoubtMS   int64
	NetworkID message.MessageID
	// Cause is a code, and a text behind a colon where there is one.
	Cause                string
	CreatedMS, UpdatedMS int64
}

const outboxColumns = `delivery_id, run_id, part, chunk, channel, account, conversation, seq, body, media, state, attempts, not_before_ms,
	expires_ms, doubt_ms, network_id, cause, created_ms, updated_ms`

func scanOutbox(s scanner) (r OutboxRow, err error) {
	var media string
	err = s.Scan(&r.DeliveryID, &r.RunID, &r.Part, &r.Chunk, &r.Channel, &r.Account, &r.Conversation, &r.Seq, &r.Body, &media, &r.State,
		&r.Attempts, &r.NotBeforeMS, &r.ExpiresMS, &r.DoubtMS, &r.NetworkID, &r.Cause, &r.CreatedMS, &r.UpdatedMS)
	if media != "" {
		r.Media = strings.Split(media, " ")
	}
	return r, err
}

// InsertOutbox stores a delivery at the end of its conversation and returns its Seq.
// State and CreatedMS default to queued and the present. Where (run, part, chunk) is known nothing changes
// and inserted is false: a replayed transaction is harmless. Package outbox is the way to it for others.
func (tx *Tx) InsertOutbox(r OutboxRow) (seq int64, inserted bool, err error) {
	if r.State == "" {
		r.State = OutboxQueued
	}
	if r.CreatedMS == 0 {
		r.CreatedMS = tx.nowMS
	}
	op := "insert delivery " + string(r.DeliveryID)
	if seq, err = tx.nextSeq(op, r.Channel, r.Account, r.Conversation); err != nil {
		return 0, false, err
	}
	n, err := tx.change(op, "INSERT INTO outbox ("+outboxColumns+") VALUES "+in(19)+" ON CONFLICT DO NOTHING",
		r.DeliveryID, r.RunID, r.Part, r.Chunk, r.Channel, r.Account, r.Conversation, seq, r.Body, strings.Join(r.Media, " "), r.State,
		r.Attempts, r.NotBeforeMS, r.ExpiresMS, r.DoubtMS, r.NetworkID, r.Cause, r.CreatedMS, tx.nowMS)
	return seq, n > 0, err
}

func (tx *Tx) nextSeq(op, channel string, account message.AccountID, conversation message.ConversationID) (int64, error) {
	return one(tx, op, column[int64], "SELECT coalesce(max(seq), 0) + 1 FROM outbox WHERE channel = ? AND account = ? AND conversation = ?",
		channel, account, conversation)
}

// GetOutbox reads one delivery; ErrNotFound.
func (tx *Tx) GetOutbox(id message.DeliveryID) (OutboxRow, error) {
	return one(tx, "get delivery "+string(id), scanOutbox, "SELECT "+outboxColumns+" FROM outbox WHERE delivery_id = ?", id)
}

// UpdateOutbox writes what changes in the life of a delivery: State, Attempts,
// NotBeforeMS, ExpiresMS, DoubtMS, NetworkID and Cause, if it is in one of the states from; else ErrConflict.
func (tx *Tx) UpdateOutbox(r OutboxRow, from ...OutboxState) error {
	op := fmt.Sprintf("set delivery %s %s", r.DeliveryID, r.State)
	args := []any{r.State, r.Attempts, r.NotBeforeMS, r.ExpiresMS, r.DoubtMS, r.NetworkID, r.Cause, tx.nowMS, r.DeliveryID}
	n, err := tx.change(op, `UPDATE outbox SET state = ?, attempts = ?, not_before_ms = ?, expires_ms = ?, doubt_ms = ?, network_id = ?, cause = ?,
		updated_ms = ? WHERE delivery_id = ? AND state IN `+in(len(from)), append(args, anys(from)...)...)
	if err == nil && n == 0 {
		err = tx.absentOrConflict(op, "SELECT count(*) FROM outbox WHERE delivery_id = ?", r.DeliveryID)
	}
	return err
}

// MoveOutboxToEnd gives a delivery the last place of its conversation, and returns its new Seq.
func (tx *Tx) MoveOutboxToEnd(id message.DeliveryID) (int64, error) {
	op := "move delivery " + string(id)
	r, err := tx.GetOutbox(id)
	if err != nil {
		return 0, err
	}
	seq, err := tx.nextSeq(op, r.Channel, r.Account, r.Conversation)
	if err != nil {
		return 0, err
	}
	return seq, tx.changeOne(op, "UPDATE outbox SET seq = ? WHERE delivery_id = ?", seq, id)
}

// ListLiveOutbox gives all queued and attempting deliveries in the order of their
// conversations, without Body.
func (tx *Tx) ListLiveOutbox() ([]OutboxRow, error) {
	return all(tx, "list live deliveries", scanOutbox, "SELECT "+strings.Replace(outboxColumns, "body", "NULL", 1)+
		" FROM outbox WHERE state IN ('queued', 'attempting') ORDER BY channel, account, conversation, seq")
}

// NextPerConversation gives the one delivery of each conversation that must be settled
// before any other of it: the live one with the lowest Seq.
func (tx *Tx) NextPerConversation() ([]OutboxRow, error) {
	return all(tx, "list next deliveries", scanOutbox, "SELECT "+outboxColumns+` FROM outbox o WHERE state IN ('queued', 'attempting')
		AND seq = (SELECT min(seq) FROM outbox i WHERE i.channel = o.channel AND i.account = o.account AND i.conversation = o.conversation
			AND i.state IN ('queued', 'attempting')) ORDER BY channel, account, conversation`)
}

// OutboxFilter chooses deliveries; an empty field matches all.
type OutboxFilter struct {
	States       []OutboxState
	Channel      string
	Account      message.AccountID
	Conversation message.ConversationID
	RunID        string
	// Limit is the most to return, newest first; 0 = 200.
	Limit int
}

// ListOutbox gives deliveries, newest first.
func (tx *Tx) ListOutbox(f OutboxFilter) ([]OutboxRow, error) {
	where, args := []string{"1"}, []any(nil)
	add := func(column string, value string) {
		if value != "" {
			where, args = append(where, column+" = ?"), append(args, value)
		}
	}
	add("channel", f.Channel)
	add("account", string(f.Account))
	add("conversation", string(f.Conversation))
	add("run_id", f.RunID)
	if len(f.States) > 0 {
		where, args = append(where, "state IN "+in(len(f.States))), append(args, anys(f.States)...)
	}
	if f.Limit <= 0 {
		f.Limit = 200
	}
	return all(tx, "list deliveries", scanOutbox, "SELECT "+outboxColumns+" FROM outbox WHERE "+strings.Join(where, " AND ")+
		" ORDER BY created_ms DESC, rowid DESC LIMIT ?", append(args, f.Limit)...)
}

// CountOutbox counts deliveries by state.
func (tx *Tx) CountOutbox() (map[OutboxState]int64, error) {
	return countBy[OutboxState](tx, "count deliveries", "SELECT state, count(*) FROM outbox GROUP BY state")
}

// DropOutboxOfAccount drops the queued deliveries of an account of which no attempt is in
// doubt, and returns their ids.
func (tx *Tx) DropOutboxOfAccount(channel string, account message.AccountID, cause string) ([]message.DeliveryID, error) {
	return all(tx, "drop deliveries of account", column[message.DeliveryID], `UPDATE outbox SET state = 'dropped', cause = ?, updated_ms = ?
		WHERE channel = ? AND account = ? AND state = 'queued' AND doubt_ms = 0 RETURNING delivery_id`, cause, tx.nowMS, channel, account)
}

// SweepOutbox forgets at most limit deliveries in one of the states that have not changed since a time, and returns how many.
func (tx *Tx) SweepOutbox(beforeMS int64, limit int, states ...OutboxState) (int64, error) {
	args := append(anys(states), beforeMS, limit)
	return tx.change("sweep deliveries", "DELETE FROM outbox WHERE rowid IN (SELECT rowid FROM outbox WHERE state IN "+in(len(states))+
		" AND updated_ms < ? LIMIT ?)", args...)
}

// MediaRow is one stored file.
type MediaRow struct {
	SHA256 string
	// Path is relative to the media directory.
	Path       string
	MIME       string
	Size       int64
	LastUsedMS int64
}

const mediaColumns = "sha256, path, mime, size, last_used_ms"

func scanMedia(s scanner) (m MediaRow, err error) {
	err = s.Scan(&m.SHA256, &m.Path, &m.MIME, &m.Size, &m.LastUsedMS)
	return m, err
}

// PutMedia notes a file, or that it is used again; LastUsedMS is the present.
func (tx *Tx) PutMedia(m MediaRow) error {
	_, err := tx.exec("put media", "INSERT INTO media ("+mediaColumns+") VALUES (?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET last_used_ms = excluded.last_used_ms",
		m.SHA256, m.Path, m.MIME, m.Size, tx.nowMS)
	return err
}

// GetMedia reads one file's row; ErrNotFound.
func (tx *Tx) GetMedia(sha256 string) (MediaRow, error) {
	return one(tx, "get media "+sha256, scanMedia, "SELECT "+mediaColumns+" FROM media WHERE sha256 = ?", sha256)
}

// SweepMedia forgets files that nothing has used since a time and no live delivery holds, and returns their rows.
func (tx *Tx) SweepMedia(beforeMS int64) ([]MediaRow, error) {
	return all(tx, "sweep media", scanMedia, "DELETE FROM media WHERE last_used_ms < ? AND NOT EXISTS (SELECT 1 FROM outbox"+
		" WHERE state IN ('queued', 'attempting', 'unknown') AND instr(outbox.media, media.sha256)) RETURNING "+mediaColumns, beforeMS)
}
