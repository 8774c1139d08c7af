package journal

import (
	"encoding/json"
)

// SessionRow is one entry of the session index.
type SessionRow struct {
	SessionKey string
	AgentID    string
	SessionID  string
	// Entry is the whole JSON object.
	Entry     json.RawMessage
	UpdatedMS int64
}

const sessionColumns = "session_key, agent_id, session_id, entry, updated_ms"

func scanSession(s scanner) (r SessionRow, err error) {
	var entry string
	err = s.Scan(&r.SessionKey, &r.AgentID, &r.SessionID, &entry, &r.UpdatedMS)
	r.Entry = json.RawMessage(entry)
	return r, err
}

// GetSession reads one entry; ErrNotFound. Package session is the way to it for others.
func (tx *Tx) GetSession(key string) (SessionRow, error) {
	return one(tx, "get session "+key, scanSession, "SELECT "+sessionColumns+" FROM session WHERE session_key = ?", key)
}

// PutSession writes one entry.
func (tx *Tx) PutSession(r SessionRow) error {
	_, err := tx.exec("put session "+r.SessionKey, "INSERT INTO session ("+sessionColumns+`) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (session_key) DO UPDATE SET agent_id = excluded.agent_id, session_id = excluded.session_id, entry = excluded.entry, updated_ms = excluded.updated_ms`,
		r.SessionKey, r.AgentID, r.SessionID, string(r.Entry), r.UpdatedMS)
	return err
}

// ListSessions gives the entries of an agent, or of all for "", by key.
func (tx *Tx) ListSessions(agentID string) ([]SessionRow, error) {
	return all(tx, "list sessions", scanSession, "SELECT "+sessionColumns+" FROM session WHERE ?1 = '' OR agent_id = ?1 ORDER BY session_key", agentID)
}

// DeleteSession removes one entry and reports whether it was there.
func (tx *Tx) DeleteSession(key string) (bool, error) {
	n, err := tx.change("delete session "+key, "DELETE FROM session WHERE session_key = ?", key)
	return n > 0, err
}

// IdemRow remembers the answer to a call that a client may repeat.
type IdemRow struct {
	Method, Key string
	Caller      string
	// ParamsHash tells a repetition from another call under the same key.
	ParamsHash string
	Answer     []byte
	ExpiresMS  int64
}

// GetIdem reads what is remembered and not expired; ErrNotFound.
func (tx *Tx) GetIdem(method, key string) (IdemRow, error) {
	return one(tx, "get idempotency row", func(s scanner) (r IdemRow, err error) {
		err = s.Scan(&r.Method, &r.Key, &r.Caller, &r.ParamsHash, &r.Answer, &r.ExpiresMS)
		return r, err
	}, "SELECT method, key, caller, params_hash, answer, expires_ms FROM idem WHERE method = ? AND key = ? AND expires_ms > ?", method, key, tx.nowMS)
}

// PutIdem remembers, or replaces what was remembered.
func (tx *Tx) PutIdem(r IdemRow) error {
	_, err := tx.exec("put idempotency row", `INSERT INTO idem (method, key, caller, params_hash, answer, expires_ms) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (method, key) DO UPDATE SET caller = excluded.caller, params_hash = excluded.params_hash, answer = excluded.answer, expires_ms = excluded.expires_ms`,
		r.Method, r.Key, r.Caller, r.ParamsHash, r.Answer, r.ExpiresMS)
	return err
}

// SweepIdem forgets what expired and returns how many.
func (tx *Tx) SweepIdem() (int64, error) {
	return tx.change("sweep idempotency rows", "DELETE FROM idem WHERE expires_ms <= ?", tx.nowMS)
}
