package journal

import "fmt"

// Keys of meta that the journal itself keeps. Other packages prefix theirs with their name and a dot.
const (
	MetaSchema     = "schema"
	MetaWrittenBy  = "written_by"
	MetaInstanceID = "instance_id"
	MetaCleanStop  = "clean_stop"
)

// GetMeta reads one value; ErrNotFound where there is none.
func (tx *Tx) GetMeta(key string) (string, error) {
	return one(tx, "get meta "+key, column[string], "SELECT value FROM meta WHERE key = ?", key)
}

// SetMeta writes one value.
func (tx *Tx) SetMeta(key, value string) error {
	_, err := tx.exec("set meta "+key, "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}

// CursorRow is a position in a network's event log.
type CursorRow struct {
	Channel, Account, Name, Value string
}

// PutCursor stores a position, in the same transaction as the event that moved it.
func (tx *Tx) PutCursor(c CursorRow) error {
	_, err := tx.exec("put cursor", `INSERT INTO cursor (channel, account, name, value) VALUES (?, ?, ?, ?)
		ON CONFLICT (channel, account, name) DO UPDATE SET value = excluded.value`, c.Channel, c.Account, c.Name, c.Value)
	return err
}

// ListCursors gives the positions of one account, by name.
func (tx *Tx) ListCursors(channel, account string) ([]CursorRow, error) {
	return all(tx, "list cursors", func(s scanner) (c CursorRow, err error) {
		err = s.Scan(&c.Channel, &c.Account, &c.Name, &c.Value)
		return c, err
	}, "SELECT channel, account, name, value FROM cursor WHERE channel = ? AND account = ? ORDER BY name", channel, account)
}

// FireSlot notes that a schedule fired for a slot; first is false when it had done so before.
func (tx *Tx) FireSlot(jobID string, slotMS int64, runID string) (first bool, err error) {
	n, err := tx.change("fire "+jobID, "INSERT INTO fired (job_id, slot_ms, run_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", jobID, slotMS, runID)
	return n > 0, err
}

// SweepFired forgets slots before a time and returns how many.
func (tx *Tx) SweepFired(beforeMS int64) (int64, error) {
	return tx.change("sweep fired", "DELETE FROM fired WHERE slot_ms < ?", beforeMS)
}

// SystemEventRow is a line that the next turn of a session is told.
type SystemEventRow struct {
	ID         int64
	SessionKey string
	Text       string
	AtMS       int64
}

// AddSystemEvent queues a line for a session and returns its id.
func (tx *Tx) AddSystemEvent(sessionKey, text string) (int64, error) {
	r, err := tx.exec("add system event", "INSERT INTO system_event (session_key, text, at_ms) VALUES (?, ?, ?)", sessionKey, text, tx.nowMS)
	if err != nil {
		return 0, err
	}
	id, err := r.LastInsertId()
	return id, tx.note("add system event", err)
}

// ListSystemEvents gives what waits for a session, oldest first.
func (tx *Tx) ListSystemEvents(sessionKey string) ([]SystemEventRow, error) {
	return all(tx, "list system events", func(s scanner) (e SystemEventRow, err error) {
		err = s.Scan(&e.ID, &e.SessionKey, &e.Text, &e.AtMS)
		return e, err
	}, "SELECT id, session_key, text, at_ms FROM system_event WHERE session_key = ? ORDER BY id", sessionKey)
}

// TakeSystemEvents gives what waits for a session, oldest first, and removes it.
func (tx *Tx) TakeSystemEvents(sessionKey string) ([]SystemEventRow, error) {
	events, err := tx.ListSystemEvents(sessionKey)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	_, err = tx.exec("take system events", "DELETE FROM system_event WHERE session_key = ? AND id <= ?", sessionKey, events[len(events)-1].ID)
	if err != nil {
		return nil, fmt.Errorf("take system events: %w", err)
	}
	return events, nil
}
