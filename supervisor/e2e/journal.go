package e2e

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver of the journal's file
)

// OutboxRow is what an operator may know of a message that is to be sent.
type OutboxRow struct {
	Delivery, Run, Part, State, Cause string
	Attempts                          int
}

// query reads the journal, beside the supervisor that writes it or after it.
func (e *Env) query(each func(*sql.Rows) error, text string, args ...any) error {
	file := filepath.Join(e.State, "supervisor", "journal.db")
	dsn := (&url.URL{Scheme: "file", Opaque: file, RawQuery: "mode=ro&_pragma=busy_timeout(5000)"}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(e.t.Context(), text, args...)
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := each(rows); err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
	}
	return rows.Err()
}

// Outbox lists the outbox rows of a Telegram chat, in order.
func (e *Env) Outbox(chat int64) ([]OutboxRow, error) {
	var list []OutboxRow
	err := e.query(func(rows *sql.Rows) error {
		var r OutboxRow
		if err := rows.Scan(&r.Delivery, &r.Run, &r.Part, &r.State, &r.Cause, &r.Attempts); err != nil {
			return err
		}
		list = append(list, r)
		return nil
	}, `SELECT delivery_id, run_id, part, state, cause, attempts FROM outbox WHERE channel = 'telegram' AND conversation = ? ORDER BY seq`, fmt.Sprint(chat))
	return list, err
}

// unsettled says what of a chat's messages is still under way: rows of inbox, run or outbox that are not at their end.
func (e *Env) unsettled(chat int64) error {
	var open []string
	add := func(rows *sql.Rows) error {
		var what, state string
		if err := rows.Scan(&what, &state); err != nil {
			return err
		}
		open = append(open, what+" is "+state)
		return nil
	}
	conversation := fmt.Sprint(chat)
	err := e.query(add, `
		SELECT 'inbox ' || event_key, state FROM inbox
		  WHERE channel = 'telegram' AND conversation = ?1 AND state NOT IN ('done', 'denied', 'dropped', 'parked', 'context')
		UNION ALL
		SELECT 'run ' || run_id, state FROM run
		  WHERE state IN ('queued', 'running') AND run_id IN (SELECT run_id FROM inbox WHERE channel = 'telegram' AND conversation = ?1)
		UNION ALL
		SELECT 'outbox ' || delivery_id, state FROM outbox
		  WHERE channel = 'telegram' AND conversation = ?1 AND state IN ('queued', 'attempting')`, conversation)
	if err != nil {
		return err
	}
	if len(open) > 0 {
		return fmt.Errorf("chat %d: %s", chat, strings.Join(open, "; "))
	}
	return nil
}

// inboxCount counts the stored messages of a chat.
func (e *Env) inboxCount(chat int64) (n int, err error) {
	err = e.query(func(rows *sql.Rows) error { return rows.Scan(&n) },
		`SELECT count(*) FROM inbox WHERE channel = 'telegram' AND conversation = ?`, fmt.Sprint(chat))
	return n, err
}

// AwaitSettled waits until nothing of these chats is under way any more: each message of
// the given number is stored, its run at an end, and every row of the outbox too.
func (e *Env) AwaitSettled(messages int, chats ...int64) {
	e.t.Helper()
	e.Await("everything to be settled", patience, func() error {
		for _, chat := range chats {
			n, err := e.inboxCount(chat)
			if err != nil {
				return err
			}
			if n < messages {
				return fmt.Errorf("chat %d: %d of %d messages are stored", chat, n, messages)
			}
			if err := e.unsettled(chat); err != nil {
				return err
			}
		}
		return nil
	})
}

// Transcripts is the text of all transcripts of the agent main.
func (e *Env) Transcripts() string {
	e.t.Helper()
	files, err := filepath.Glob(filepath.Join(e.State, "agents", "main", "sessions", "*.jsonl"))
	if err != nil {
		e.t.Fatal(err)
	}
	var b strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			e.t.Fatal(err)
		}
		b.Write(data)
	}
	return b.String()
}
