package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// ErrBusy says that a delivery is being sent at this moment.
var ErrBusy = errors.New("the delivery is being sent")

// Await waits until a delivery has ended and returns it, without Body. The error is
// journal.ErrNotFound, or that of ctx: then the delivery stays, and goes on.
func (o *Outbox) Await(ctx context.Context, id message.DeliveryID) (journal.OutboxRow, error) {
	done := make(chan journal.OutboxRow, 1)
	o.mu.Lock()
	o.waiters[id] = append(o.waiters[id], done)
	o.mu.Unlock()
	defer o.unwait(id, done)
	row, err := o.Get(ctx, id)
	if err != nil || row.State.Final() {
		row.Body = nil
		return row, err
	}
	select {
	case row = <-done:
		return row, nil
	case <-ctx.Done():
		return row, fmt.Errorf("await delivery %s: %w", id, ctx.Err())
	}
}

func (o *Outbox) unwait(id message.DeliveryID, done chan journal.OutboxRow) {
	o.mu.Lock()
	defer o.mu.Unlock()
	left := slices.DeleteFunc(o.waiters[id], func(c chan journal.OutboxRow) bool { return c == done })
	if len(left) == 0 {
		delete(o.waiters, id)
		return
	}
	o.waiters[id] = left
}

// Get reads one delivery; journal.ErrNotFound.
func (o *Outbox) Get(ctx context.Context, id message.DeliveryID) (row journal.OutboxRow, err error) {
	err = o.cfg.DB.View(ctx, func(tx *journal.Tx) error {
		row, err = tx.GetOutbox(id)
		return err
	})
	return row, err
}

// List gives deliveries, newest first.
func (o *Outbox) List(ctx context.Context, f journal.OutboxFilter) (rows []journal.OutboxRow, err error) {
	err = o.cfg.DB.View(ctx, func(tx *journal.Tx) error {
		rows, err = tx.ListOutbox(f)
		return err
	})
	return rows, err
}

// Count counts deliveries by state.
func (o *Outbox) Count(ctx context.Context) (counts map[journal.OutboxState]int64, err error) {
	err = o.cfg.DB.View(ctx, func(tx *journal.Tx) error {
		counts, err = tx.CountOutbox()
		return err
	})
	return counts, err
}

// Retry is an operator's decision to send again what was not sent, or may not have been:
// the delivery goes to the end of its conversation with a new lifetime. journal.ErrConflict when it is sent or still waits.
func (o *Outbox) Retry(ctx context.Context, id message.DeliveryID) error {
	return o.cfg.DB.Update(ctx, func(tx *journal.Tx) error {
		r, err := tx.GetOutbox(id)
		if err != nil {
			return err
		}
		if r.Seq, err = tx.MoveOutboxToEnd(id); err != nil {
			return err
		}
		r.State, r.Attempts, r.NotBeforeMS, r.DoubtMS, r.Cause = journal.OutboxQueued, 0, 0, 0, ""
		r.ExpiresMS = tx.NowMS() + o.cfg.Lifetime.Milliseconds()
		if err := tx.UpdateOutbox(r, journal.OutboxRefused, journal.OutboxUnknown, journal.OutboxExpired, journal.OutboxDropped); err != nil {
			return err
		}
		tx.OnCommit(func() {
			r.Body = nil
			o.mu.Lock()
			o.remove(id) // its end may be stored and not yet seen
			o.add(&delivery{row: r})
			o.mu.Unlock()
			o.Wake()
			o.cfg.Observe(r)
		})
		return nil
	})
}

// Drop is an operator's decision that a delivery is not to be sent, or, for an unknown
// one, that it is no longer to be shown. ErrBusy while it is being sent; journal.ErrConflict when it has ended.
func (o *Outbox) Drop(ctx context.Context, id message.DeliveryID) error {
	if !o.setDropping(id) {
		return fmt.Errorf("drop delivery %s: %w", id, ErrBusy)
	}
	var dropped journal.OutboxRow
	err := o.cfg.DB.Update(ctx, func(tx *journal.Tx) error {
		r, err := tx.GetOutbox(id)
		if err != nil {
			return err
		}
		r.State, r.Cause = journal.OutboxDropped, "operator"
		dropped = r
		return tx.UpdateOutbox(r, journal.OutboxQueued, journal.OutboxAttempting, journal.OutboxUnknown)
	})
	if err != nil {
		o.mu.Lock()
		if d := o.rows[id]; d != nil {
			d.dropping = false
		}
		o.mu.Unlock()
		return err
	}
	o.ended(dropped)
	o.Wake()
	return nil
}

// setDropping keeps a delivery from being worked on; false when it is already.
func (o *Outbox) setDropping(id message.DeliveryID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.rows[id]
	if d == nil {
		return true
	}
	key := d.key()
	c := o.account(key.accountKey).conversation(key.conversation)
	if c.busy && c.rows[0] == d {
		return false
	}
	d.dropping = true
	return true
}

// DropAccount drops, inside the caller's transaction, what waits for an account that is no
// longer configured. What is in doubt is kept, and becomes unknown.
func (o *Outbox) DropAccount(tx *journal.Tx, channel string, account message.AccountID, cause string) (int, error) {
	ids, err := tx.DropOutboxOfAccount(channel, account, cause)
	if err != nil {
		return 0, err
	}
	tx.OnCommit(func() {
		for _, id := range ids {
			o.mu.Lock()
			d := o.rows[id]
			var r journal.OutboxRow
			if d != nil {
				r = d.row
			}
			o.mu.Unlock()
			if d != nil {
				r.State, r.Cause = journal.OutboxDropped, cause
				o.ended(r)
			}
		}
	})
	return len(ids), nil
}
