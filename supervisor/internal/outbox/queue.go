package outbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

type accountKey struct {
	channel string
	account message.AccountID
}

type conversationKey struct {
	accountKey
	conversation message.ConversationID
}

// account is what one account has to send. Guarded by Outbox.mu, as all in this file.
type account struct {
	key           accountKey
	conversations map[message.ConversationID]*conversation
	flying        int // conversations that are busy
	nextAt        time.Time
}

// conversation is one order of deliveries.
type conversation struct {
	rows    []*delivery // by Seq
	busy    bool        // a goroutine has the first of rows
	claimed bool        // a transaction is storing a delivery as attempting
	nextAt  time.Time
}

// delivery is a live row. While its conversation is busy only the goroutine that has it
// changes it, under Outbox.mu, and may read it without.
type delivery struct {
	row journal.OutboxRow // Body only where it is at hand
	// claimed: stored as attempting, but no Send was made yet.
	claimed bool
	// dropping: an operator takes it out.
	dropping bool
	asks     int // Reconciles that got no answer
	// pausedUntil is set when the journal refused a change of it.
	pausedUntil time.Time
}

// inDoubt reports whether an attempt may have been accepted.
func (d *delivery) inDoubt() bool { return !d.claimed && d.row.DoubtMS != 0 }

func (d *delivery) key() conversationKey {
	return conversationKey{accountKey{d.row.Channel, d.row.Account}, d.row.Conversation}
}

func (o *Outbox) account(key accountKey) *account {
	a := o.accounts[key]
	if a == nil {
		a = &account{key: key, conversations: map[message.ConversationID]*conversation{}}
		o.accounts[key] = a
	}
	return a
}

func (a *account) conversation(id message.ConversationID) *conversation {
	c := a.conversations[id]
	if c == nil {
		c = &conversation{}
		a.conversations[id] = c
	}
	return c
}

// add puts a delivery into its place; one that is known stays as it is.
func (o *Outbox) add(d *delivery) {
	key := d.key()
	c := o.account(key.accountKey).conversation(key.conversation)
	if d.claimed {
		c.claimed = false
	}
	if o.rows[d.row.DeliveryID] != nil {
		return
	}
	o.rows[d.row.DeliveryID] = d
	at, _ := slices.BinarySearchFunc(c.rows, d.row.Seq, func(d *delivery, seq int64) int { return cmp.Compare(d.row.Seq, seq) })
	c.rows = slices.Insert(c.rows, at, d)
}

func (o *Outbox) remove(id message.DeliveryID) {
	d := o.rows[id]
	if d == nil {
		return
	}
	delete(o.rows, id)
	key := d.key()
	c := o.account(key.accountKey).conversation(key.conversation)
	c.rows = slices.DeleteFunc(c.rows, func(other *delivery) bool { return other == d })
}

// load reads what a former life left.
func (o *Outbox) load(ctx context.Context) error {
	var rows []journal.OutboxRow
	err := o.cfg.DB.View(ctx, func(tx *journal.Tx) (err error) {
		rows, err = tx.ListLiveOutbox()
		return err
	})
	if err != nil {
		return fmt.Errorf("read outbox: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range rows {
		o.add(&delivery{row: r})
	}
	return nil
}

// pick is the first delivery of a conversation, chosen to be worked on.
type pick struct {
	a *account
	c *conversation
	d *delivery
}

// hold keeps account and conversation from sending again before the network's pace allows.
func (p pick) hold(now time.Time, pace plugin.Pacing) {
	for at, ms := range map[*time.Time]int64{&p.a.nextAt: pace.PerAccountMS, &p.c.nextAt: pace.PerConversationMS} {
		if t := now.Add(time.Duration(ms) * time.Millisecond); t.After(*at) {
			*at = t
		}
	}
}

// dispatch expires what is over its time, starts all that is due and returns when it
// must look again; false = not before it is woken.
func (o *Outbox) dispatch(ctx context.Context) (next time.Time, ok bool) {
	now := o.cfg.Clock.Now()
	later := func(t time.Time) {
		if !ok || t.Before(next) {
			next, ok = t, true
		}
	}
	switch soonest, err := o.expire(ctx, now); {
	case err != nil:
		later(now.Add(storePause))
	case !soonest.IsZero():
		later(soonest)
	}
	for _, key := range o.waitingAccounts() {
		ready := o.cfg.Deliverer.Ready(key.channel, key.account)
		caps, _ := o.cfg.Deliverer.Caps(key.channel)
		o.mu.Lock()
		a := o.account(key)
		for _, p := range a.heads() {
			due := o.due(p, now, ready)
			switch {
			case due.After(now):
				later(due)
			case a.flying >= perAccount: // the end of one of them looks again
			default:
				if ready {
					p.hold(now, caps.Pacing)
				}
				p.c.busy = true
				a.flying++
				o.wg.Go(func() { o.work(ctx, p) })
			}
		}
		a.forgetIdle(now)
		o.mu.Unlock()
	}
	return next, ok
}

// due says when the first delivery of a conversation can be worked on.
func (o *Outbox) due(p pick, now time.Time, ready bool) time.Time {
	expired := p.d.row.ExpiresMS <= now.UnixMilli()
	switch {
	case p.d.pausedUntil.After(now):
		return p.d.pausedUntil
	case p.d.dropping:
		return now.Add(idlePoll)
	case expired:
		return now // in doubt, else it would be gone: settled, with the worker's word or without
	case p.d.claimed && !ready:
		return now // put back in line
	case !ready:
		return now.Add(idlePoll)
	}
	due := time.UnixMilli(p.d.row.NotBeforeMS)
	for _, t := range []time.Time{p.c.nextAt, p.a.nextAt} {
		if t.After(due) {
			due = t
		}
	}
	return due
}

func (o *Outbox) waitingAccounts() []accountKey {
	o.mu.Lock()
	defer o.mu.Unlock()
	var keys []accountKey
	for key, a := range o.accounts {
		if len(a.conversations) > 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

// heads are the deliveries that come first in conversations that nobody works on, the oldest first.
func (a *account) heads() []pick {
	var out []pick
	for _, c := range a.conversations {
		if !c.busy && len(c.rows) > 0 {
			out = append(out, pick{a, c, c.rows[0]})
		}
	}
	slices.SortFunc(out, func(x, y pick) int {
		return cmp.Or(cmp.Compare(x.d.row.CreatedMS, y.d.row.CreatedMS), cmp.Compare(x.d.row.DeliveryID, y.d.row.DeliveryID))
	})
	return out
}

// forgetIdle drops conversations that have nothing to send and whose pace is kept.
func (a *account) forgetIdle(now time.Time) {
	for id, c := range a.conversations {
		if !c.busy && !c.claimed && len(c.rows) == 0 && !now.Before(c.nextAt) {
			delete(a.conversations, id)
		}
	}
}

// expire ends what is over its time and was certainly never accepted, and returns when
// the next may be over; zero = none.
func (o *Outbox) expire(ctx context.Context, now time.Time) (soonest time.Time, err error) {
	var over []journal.OutboxRow
	o.mu.Lock()
	for _, a := range o.accounts {
		for _, c := range a.conversations {
			for i, d := range c.rows {
				if (i == 0 && c.busy) || d.dropping {
					continue
				}
				at := time.UnixMilli(d.row.ExpiresMS)
				switch {
				case at.After(now):
					if soonest.IsZero() || at.Before(soonest) {
						soonest = at
					}
				case d.row.State == journal.OutboxQueued && !d.inDoubt():
					r := d.row
					r.State, r.Cause = journal.OutboxExpired, "expired"
					over = append(over, r)
				}
			}
		}
	}
	o.mu.Unlock()
	if len(over) == 0 {
		return soonest, nil
	}
	err = o.cfg.DB.Update(ctx, func(tx *journal.Tx) error {
		for i, r := range over {
			err := tx.UpdateOutbox(r, journal.OutboxQueued)
			if isOver(err) { // dropped by somebody: its own end is told
				over[i], err = tx.GetOutbox(r.DeliveryID)
			}
			if err != nil && !isOver(err) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return soonest, err
	}
	for _, r := range over {
		o.ended(r)
	}
	o.log.Warn("deliveries expired unsent", "count", len(over))
	return soonest, nil
}
