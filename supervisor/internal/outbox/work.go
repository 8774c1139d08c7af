package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// isOver says that a row was ended, or forgotten, by somebody else.
func isOver(err error) bool {
	return errors.Is(err, journal.ErrConflict) || errors.Is(err, journal.ErrNotFound)
}

// work takes one step with the first delivery of a conversation.
func (o *Outbox) work(ctx context.Context, p pick) {
	defer func() {
		o.mu.Lock()
		p.c.busy = false
		p.a.flying--
		o.mu.Unlock()
		o.Wake()
	}()
	d := p.d
	ready := o.ready(d)
	switch {
	case o.expired(d) && d.inDoubt():
		o.lastWord(ctx, d, ready)
	case o.expired(d):
		o.end(ctx, d, journal.OutboxExpired, "", "expired")
	case d.claimed && !ready:
		o.unclaim(ctx, d)
	case !ready: // it was a moment ago
	case d.inDoubt() && !o.nameHolds(d):
		o.ask(ctx, d)
	default:
		o.attempt(ctx, p)
	}
}

// pace puts off what comes next, counted from the Send that is made now.
func (o *Outbox) pace(p pick) {
	caps, _ := o.cfg.Deliverer.Caps(p.a.key.channel)
	now := o.cfg.Clock.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	p.hold(now, caps.Pacing)
}

func (o *Outbox) ready(d *delivery) bool { return o.cfg.Deliverer.Ready(d.row.Channel, d.row.Account) }

func (o *Outbox) expired(d *delivery) bool { return d.row.ExpiresMS <= clock.Millis(o.cfg.Clock) }

// nameHolds reports whether the network still knows the name that the doubtful attempt
// gave to the message, so that the same name again cannot make a second one.
func (o *Outbox) nameHolds(d *delivery) bool {
	caps, ok := o.cfg.Deliverer.Caps(d.row.Channel)
	if !ok || caps.IdempotentSend != plugin.IdempotentNamed {
		return false
	}
	return caps.IdempotentWindowMS == 0 || clock.Millis(o.cfg.Clock) < d.row.DoubtMS+caps.IdempotentWindowMS
}

// unclaim puts a delivery back in line whose worker went away before its Send.
func (o *Outbox) unclaim(ctx context.Context, d *delivery) {
	r := d.row
	r.State, r.Attempts, r.DoubtMS = journal.OutboxQueued, 0, 0
	if o.store(ctx, r, journal.OutboxAttempting) {
		o.set(d, r)
	}
}

// set changes a delivery that the caller has in hand; others only look, under the lock.
func (o *Outbox) set(d *delivery, r journal.OutboxRow) {
	o.mu.Lock()
	d.row, d.claimed = r, false
	o.mu.Unlock()
}

// lastWord settles a delivery in doubt whose time is over.
func (o *Outbox) lastWord(ctx context.Context, d *delivery, ready bool) {
	if ready && d.asks < maxAsks {
		o.ask(ctx, d)
		return
	}
	o.end(ctx, d, journal.OutboxUnknown, "", "expired_in_doubt: it may have been sent, and its time is over")
}

// attempt makes one Send: T6, the Send, T7.
func (o *Outbox) attempt(ctx context.Context, p pick) {
	d := p.d
	doubted := d.inDoubt()
	r := d.row
	if !d.claimed {
		r.State, r.Attempts = journal.OutboxAttempting, r.Attempts+1
		if r.DoubtMS == 0 {
			r.DoubtMS = clock.Millis(o.cfg.Clock)
		}
		if !o.store(ctx, r, journal.OutboxQueued, journal.OutboxAttempting) {
			return
		}
	}
	o.set(d, r)
	m, err := o.message(ctx, d)
	var files []channel.MediaFile
	if err == nil {
		files, err = o.files(ctx, m)
	}
	if err != nil {
		if ctx.Err() == nil {
			o.settle(ctx, d, doubted, message.SendResult{Outcome: message.Refused, Code: "unreadable", Text: err.Error()})
		}
		return
	}
	sendCtx, cancel := context.WithTimeout(ctx, deadline(m))
	defer cancel()
	o.pace(p)
	result := o.cfg.Deliverer.Send(sendCtx, d.row.Channel, m, files)
	if ctx.Err() != nil && result.Outcome == message.Unknown {
		return // we stop: the row stays attempting, and the next life settles the doubt
	}
	o.settle(ctx, d, doubted, result)
}

func deadline(m message.Outbound) time.Duration {
	var size int64
	for _, f := range m.Media {
		size += f.Size
	}
	return sendDeadline + time.Duration(size/sendRate)*time.Second
}

// message gives what is to be sent.
func (o *Outbox) message(ctx context.Context, d *delivery) (m message.Outbound, err error) {
	body := d.row.Body
	if body == nil {
		row, err := o.Get(ctx, d.row.DeliveryID)
		if err != nil {
			return m, err
		}
		body = row.Body
	}
	m, err = message.UnmarshalOutbound(body)
	m.Attempt = d.row.Attempts
	return m, err
}

func (o *Outbox) files(ctx context.Context, m message.Outbound) ([]channel.MediaFile, error) {
	files := make([]channel.MediaFile, 0, len(m.Media))
	for _, meta := range m.Media {
		if o.cfg.Media == nil {
			return nil, fmt.Errorf("media %s: there is no media store", meta.SHA256)
		}
		f, err := o.cfg.Media.file(ctx, meta)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// settle is T7: what becomes of a delivery after a Send. doubted says that an earlier
// attempt may have been accepted too.
func (o *Outbox) settle(ctx context.Context, d *delivery, doubted bool, result message.SendResult) {
	cause := reason(result.Code, result.Text)
	switch result.Outcome {
	case message.Sent:
		o.end(ctx, d, journal.OutboxSent, result.ID, "")
	case message.NotSent:
		o.requeue(ctx, d, doubted, result, cause)
	case message.Unknown:
		r := d.row
		r.Cause = cause
		o.set(d, r)
		if o.nameHolds(d) {
			o.requeue(ctx, d, true, message.SendResult{}, cause)
			return
		}
		o.ask(ctx, d)
	default:
		if doubted {
			o.ask(ctx, d)
			return
		}
		o.end(ctx, d, journal.OutboxRefused, "", cause)
	}
}

// requeue puts a delivery back at its place in line, to be tried again when its time comes.
func (o *Outbox) requeue(ctx context.Context, d *delivery, doubted bool, result message.SendResult, cause string) {
	r := d.row
	r.State, r.Cause = journal.OutboxQueued, cause
	if !doubted {
		r.DoubtMS = 0
	}
	now := clock.Millis(o.cfg.Clock)
	switch {
	case result.RetryAfterMS > 0: // the network puts us off: no attempt
		r.Attempts = max(r.Attempts-1, 0)
		r.NotBeforeMS = now + result.RetryAfterMS
	case !o.ready(d): // nobody was there: no attempt either
		r.Attempts = max(r.Attempts-1, 0)
		r.NotBeforeMS = now
	default:
		r.NotBeforeMS = now + o.cfg.Retry(r.Channel).delay(r.Attempts, o.cfg.Jitter).Milliseconds()
	}
	if o.store(ctx, r, journal.OutboxAttempting, journal.OutboxQueued) {
		o.set(d, r)
	}
}

// ask has the worker find out what became of a doubtful attempt.
func (o *Outbox) ask(ctx context.Context, d *delivery) {
	if !o.ready(d) && !o.expired(d) {
		return // asked once the account is ready again; the row stays in doubt
	}
	m, err := o.message(ctx, d)
	if ctx.Err() != nil {
		return
	}
	place := channel.Place{Account: d.row.Account, Conversation: d.row.Conversation, Thread: m.Thread}
	var found channel.Reconciliation
	var id message.MessageID
	if err == nil {
		askCtx, cancel := context.WithTimeout(ctx, askDeadline)
		found, id, err = o.cfg.Deliverer.Reconcile(askCtx, d.row.Channel, d.row.DeliveryID, place, time.UnixMilli(d.row.DoubtMS))
		cancel()
	}
	switch {
	case ctx.Err() != nil:
	case err != nil && !errors.Is(err, channel.ErrUnsupported) && d.asks+1 < maxAsks && !o.expired(d):
		d.asks++
		r := d.row
		r.NotBeforeMS = clock.Millis(o.cfg.Clock) + o.cfg.Retry(r.Channel).delay(d.asks, o.cfg.Jitter).Milliseconds()
		o.set(d, r)
	case err == nil && found == channel.Found:
		o.end(ctx, d, journal.OutboxSent, id, "")
	case err == nil && found == channel.Absent && !o.expired(d):
		d.asks = 0
		o.requeue(ctx, d, false, message.SendResult{}, "absent: the network does not have it")
	case err == nil && found == channel.Absent:
		o.end(ctx, d, journal.OutboxExpired, "", "expired")
	default:
		cause := d.row.Cause
		if cause == "" {
			cause = "interrupted: it may have been sent"
		}
		o.end(ctx, d, journal.OutboxUnknown, "", cause)
	}
}

// end stores a delivery's end and lets the next of its conversation begin.
func (o *Outbox) end(ctx context.Context, d *delivery, state journal.OutboxState, id message.MessageID, cause string) {
	r := d.row
	r.State, r.NetworkID, r.Cause = state, id, cause
	if state != journal.OutboxUnknown {
		r.DoubtMS = 0
	}
	if !o.store(ctx, r, journal.OutboxAttempting, journal.OutboxQueued) {
		return
	}
	if state != journal.OutboxSent {
		o.log.Warn("delivery ended without being sent", slog.String("delivery", string(r.DeliveryID)), slog.String("channel", r.Channel),
			slog.String("account", string(r.Account)), slog.String("state", string(state)), slog.String("cause", cause))
	}
	o.ended(r)
}

// ended takes a delivery whose end is stored out of memory and tells those who wait.
func (o *Outbox) ended(r journal.OutboxRow) {
	r.Body = nil
	o.mu.Lock()
	if d := o.rows[r.DeliveryID]; d != nil && d.row.Seq == r.Seq { // else an operator has put it in line again
		o.remove(r.DeliveryID)
	}
	waiters := o.waiters[r.DeliveryID]
	delete(o.waiters, r.DeliveryID)
	o.mu.Unlock()
	for _, w := range waiters {
		w <- r // has room
	}
	o.cfg.Observe(r)
}

// store writes a change of a delivery that the caller has in hand, and keeps at it while
// the disk fails. False: the delivery was ended by somebody else, or we stop; nothing was changed.
func (o *Outbox) store(ctx context.Context, r journal.OutboxRow, from ...journal.OutboxState) bool {
	for {
		err := o.cfg.DB.Update(context.WithoutCancel(ctx), func(tx *journal.Tx) error { return tx.UpdateOutbox(r, from...) })
		switch {
		case err == nil:
			if !r.State.Final() {
				told := r
				told.Body = nil
				o.cfg.Observe(told)
			}
			return true
		case isOver(err):
			if now, getErr := o.Get(ctx, r.DeliveryID); getErr == nil {
				r = now
			}
			o.ended(r)
			return false
		case !journal.Retryable(err):
			o.pause(r.DeliveryID)
			if !errors.Is(err, journal.ErrClosed) {
				o.log.Error("delivery cannot be stored", slog.String("delivery", string(r.DeliveryID)), slog.Any("error", err))
			}
			return false
		}
		pause := o.cfg.Clock.NewTimer(storePause)
		select {
		case <-pause.C():
		case <-ctx.Done():
			pause.Stop()
			return false
		}
	}
}

// pause keeps a delivery that cannot be stored from being tried without end.
func (o *Outbox) pause(id message.DeliveryID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d := o.rows[id]; d != nil {
		d.pausedUntil = o.cfg.Clock.Now().Add(storePause)
	}
}

func reason(code, text string) string {
	switch {
	case code == "":
		return text
	case text == "":
		return code
	}
	return code + ": " + text
}
