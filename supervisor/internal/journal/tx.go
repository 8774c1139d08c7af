package journal

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Tx is one transaction, or one function's share of a grouped one. Its methods may be
// used only by the function it was given to, from that goroutine.
type Tx struct {
	conn  *conn
	nowMS int64
	read  bool
	// fault is the first error of the database itself; it fails the transaction even where the function ignores it.
	fault      error
	onCommit   []func()
	onRollback []func()
}

// NowMS is the stamp of this transaction, unix milliseconds UTC.
func (tx *Tx) NowMS() int64 { return tx.nowMS }

// OnCommit calls f once the transaction is fsynced, on the writer's goroutine, in order,
// before any caller of Update returns. f must be quick and must not use the journal.
func (tx *Tx) OnCommit(f func()) { tx.onCommit = append(tx.onCommit, f) }

// OnRollback calls f once it is certain that the transaction stored nothing. Same rules as OnCommit.
func (tx *Tx) OnRollback(f func()) { tx.onRollback = append(tx.onRollback, f) }

func (tx *Tx) note(op string, err error) error {
	if err == nil {
		return nil
	}
	err = classify(err)
	if tx.fault == nil && Retryable(err) {
		tx.fault = err
	}
	return fmt.Errorf("%s: %w", op, err)
}

func (tx *Tx) exec(op, query string, args ...any) (sql.Result, error) {
	if tx.read {
		return nil, fmt.Errorf("%s: %w", op, errReadTx)
	}
	s, err := tx.conn.stmt(query)
	if err != nil {
		return nil, tx.note(op, err)
	}
	r, err := s.Exec(args...)
	return r, tx.note(op, err)
}

// change is exec where only the number of rows matters.
func (tx *Tx) change(op, query string, args ...any) (int64, error) {
	r, err := tx.exec(op, query, args...)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return n, tx.note(op, err)
}

// changeOne is change where a row must be there.
func (tx *Tx) changeOne(op, query string, args ...any) error {
	n, err := tx.change(op, query, args...)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: %w", op, ErrNotFound)
	}
	return err
}

// scanner is *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

func one[T any](tx *Tx, op string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	var zero T
	s, err := tx.conn.stmt(query)
	if err != nil {
		return zero, tx.note(op, err)
	}
	v, err := scan(s.QueryRow(args...))
	if noRows(err) {
		return zero, fmt.Errorf("%s: %w", op, ErrNotFound)
	}
	if err != nil {
		return zero, tx.note(op, err)
	}
	return v, nil
}

func all[T any](tx *Tx, op string, scan func(scanner) (T, error), query string, args ...any) (out []T, err error) {
	s, err := tx.conn.stmt(query)
	if err != nil {
		return nil, tx.note(op, err)
	}
	rows, err := s.Query(args...)
	if err != nil {
		return nil, tx.note(op, err)
	}
	defer func() { err = errors.Join(err, tx.note(op, rows.Close())) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, tx.note(op, err)
		}
		out = append(out, v)
	}
	return out, tx.note(op, rows.Err())
}

// column scans rows that have one column.
func column[T any](s scanner) (v T, err error) {
	err = s.Scan(&v)
	return v, err
}

// in makes "(?, ?, …)" for n values.
func in(n int) string {
	return "(" + strings.TrimSuffix(strings.Repeat("?,", n), ",") + ")"
}

func anys[T any](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}
