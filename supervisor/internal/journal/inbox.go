package journal

import (
	"fmt"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// InboxState is where an inbox row stands.
type InboxState string

// The states of an inbox row. Done, denied and dropped rows have lost their body; they are kept to know a redelivery.
const (
	InboxNew     InboxState = "new"     // stored, not looked at
	InboxHeld    InboxState = "held"    // waits for more of the same sender
	InboxContext InboxState = "context" // history of a group, read by a later run
	InboxQueued  InboxState = "queued"  // waits for its session's lane
	InboxRunning InboxState = "running" // is in a run
	InboxDone    InboxState = "done"
	InboxDenied  InboxState = "denied" // by the access rules
	InboxParked  InboxState = "parked" // its run was given up
	InboxDropped InboxState = "dropped"
)

// InboxKind tells what body holds.
type InboxKind string

// The kinds of inbox row: what message.Unmarshal… reads the body.
const (
	InboxMessage  InboxKind = "message"
	InboxEdit     InboxKind = "edit"
	InboxReaction InboxKind = "reaction"
)

// InboxRow is one event of a network that was taken over.
type InboxRow struct {
	ID           int64
	Channel      string
	Account      message.AccountID
	EventKey     string
	Kind         InboxKind
	Conversation message.ConversationID
	Thread       message.ThreadID
	ReceivedMS   int64
	NetworkMS    int64
	// Body is the marshalled message; nil once done, denied or dropped.
	Body  []byte
	State InboxState
	// RunID is set once the row is in a run.
	RunID string
	// Cause says why it was denied, parked or dropped.
	Cause string
}

const inboxColumns = "id, channel, account, event_key, kind, conversation, thread, received_ms, network_ms, body, state, run_id, cause"

func scanInbox(s scanner) (r InboxRow, err error) {
	err = s.Scan(&r.ID, &r.Channel, &r.Account, &r.EventKey, &r.Kind, &r.Conversation, &r.Thread, &r.ReceivedMS, &r.NetworkMS,
		&r.Body, &r.State, &r.RunID, &r.Cause)
	return r, err
}

// InsertInbox stores a row that is not known by (channel, account, event key), and
// returns its id. ReceivedMS and State default to the present and to new. Where it is known nothing
// changes and inserted is false.
func (tx *Tx) InsertInbox(r InboxRow) (id int64, inserted bool, err error) {
	if r.ReceivedMS == 0 {
		r.ReceivedMS = tx.nowMS
	}
	if r.State == "" {
		r.State = InboxNew
	}
	const op = "insert inbox row"
	res, err := tx.exec(op, `INSERT INTO inbox (channel, account, event_key, kind, conversation, thread, received_ms, network_ms, body, state, run_id, cause)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel, account, event_key) DO NOTHING`,
		r.Channel, r.Account, r.EventKey, r.Kind, r.Conversation, r.Thread, r.ReceivedMS, r.NetworkMS, r.Body, r.State, r.RunID, r.Cause)
	if err != nil {
		return 0, false, err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return 0, false, tx.note(op, err)
	}
	id, err = res.LastInsertId()
	return id, true, tx.note(op, err)
}

// GetInbox reads one row; ErrNotFound.
func (tx *Tx) GetInbox(id int64) (InboxRow, error) {
	return one(tx, fmt.Sprintf("get inbox row %d", id), scanInbox, "SELECT "+inboxColumns+" FROM inbox WHERE id = ?", id)
}

// ListInbox gives all rows in any of the states, by id.
func (tx *Tx) ListInbox(states ...InboxState) ([]InboxRow, error) {
	if len(states) == 0 {
		return nil, nil
	}
	return all(tx, "list inbox", scanInbox, "SELECT "+inboxColumns+" FROM inbox WHERE state IN "+in(len(states))+" ORDER BY id", anys(states)...)
}

// ListInboxOfRun gives the rows that are in a run, by id.
func (tx *Tx) ListInboxOfRun(runID string) ([]InboxRow, error) {
	if runID == "" {
		return nil, nil
	}
	return all(tx, "list inbox of run", scanInbox, "SELECT "+inboxColumns+" FROM inbox WHERE run_id = ? ORDER BY id", runID)
}

// ListInboxOfConversation gives the last limit rows of one conversation that are in a
// state other than done, denied and dropped, oldest first. thread is compared as it is: rows of other threads are left out.
func (tx *Tx) ListInboxOfConversation(channel string, account message.AccountID, conversation message.ConversationID, thread message.ThreadID, state InboxState, limit int) ([]InboxRow, error) {
	return all(tx, "list inbox of conversation", scanInbox, "SELECT * FROM (SELECT "+inboxColumns+` FROM inbox
		WHERE channel = ? AND account = ? AND conversation = ? AND thread = ? AND state = ? AND state NOT IN ('done', 'denied', 'dropped')
		ORDER BY id DESC LIMIT ?) ORDER BY id`, channel, account, conversation, thread, state, limit)
}

// SetInboxState moves rows. runID and cause are written where they are not empty. Done,
// denied and dropped rows lose their body. ErrNotFound when one of the ids is not there.
func (tx *Tx) SetInboxState(ids []int64, state InboxState, runID, cause string) error {
	for _, id := range ids {
		err := tx.changeOne(fmt.Sprintf("set inbox row %d %s", id, state), `UPDATE inbox SET state = ?1,
			run_id = CASE WHEN ?2 = '' THEN run_id ELSE ?2 END, cause = CASE WHEN ?3 = '' THEN cause ELSE ?3 END,
			body = CASE WHEN ?1 IN ('done', 'denied', 'dropped') THEN NULL ELSE body END WHERE id = ?4`, state, runID, cause, id)
		if err != nil {
			return err
		}
	}
	return nil
}

// CountInbox counts rows by state.
func (tx *Tx) CountInbox() (map[InboxState]int64, error) {
	return countBy[InboxState](tx, "count inbox", "SELECT state, count(*) FROM inbox GROUP BY state")
}

// SweepInbox forgets at most limit rows that were received before a time and are done,
// denied, dropped or mere context, and returns how many. A redelivery of a forgotten row would be taken for a new event.
func (tx *Tx) SweepInbox(beforeMS int64, limit int) (int64, error) {
	return tx.change("sweep inbox", `DELETE FROM inbox WHERE id IN (SELECT id FROM inbox
		WHERE received_ms < ? AND state IN ('done', 'denied', 'dropped', 'context') LIMIT ?)`, beforeMS, limit)
}

// DropInboxOfAccount drops what no run has begun with of an account, and returns how many rows.
func (tx *Tx) DropInboxOfAccount(channel string, account message.AccountID, cause string) (int64, error) {
	return tx.change("drop inbox of account", `UPDATE inbox SET state = 'dropped', cause = ?, body = NULL
		WHERE channel = ? AND account = ? AND state IN ('new', 'held', 'context', 'queued')`, cause, channel, account)
}

func countBy[K ~string](tx *Tx, op, query string) (map[K]int64, error) {
	type count struct {
		key K
		n   int64
	}
	counts, err := all(tx, op, func(s scanner) (c count, err error) {
		err = s.Scan(&c.key, &c.n)
		return c, err
	}, query)
	out := make(map[K]int64, len(counts))
	for _, c := range counts {
		out[c.key] = c.n
	}
	return out, err
}
