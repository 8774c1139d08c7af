package inbox

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// errBehind says that an event was not tried because one before it could not be stored.
var errBehind = errors.New("an earlier event is not stored yet")

// line is the order of one account: what came and is not acknowledged.
type line struct {
	mu      sync.Mutex // guards all below; may be taken on the journal's writer
	waiting []*item    // in the order of Store
	flying  int        // how many of them the journal has
	blocked bool       // nothing is stored until resume
}

// item is one event on its way into the journal.
type item struct {
	entry entry
	ack   func(plugin.Ack)
	// Set by the transaction:
	row       journal.InboxRow
	duplicate bool
}

// Store takes an event over and answers it by ack once that is lasting: Stored or
// Duplicate, or RefusedEvent for what is malformed or over size. It never blocks. ack is called once, in
// order for one account; not at all when the process ends before, and then the network
// delivers again. An event without a row is observed at once, and answered Stored in its turn.
func (b *Inbox) Store(channel string, ev plugin.Event, ack func(plugin.Ack)) {
	it := &item{entry: b.read(channel, ev), ack: ack}
	if it.entry.rowless && b.cfg.Observe != nil {
		b.cfg.Observe(channel, ev)
	}
	l := b.line(lineKey{channel, ev.Account()})
	l.mu.Lock()
	defer l.mu.Unlock()
	if it.entry.rowless && len(l.waiting) == 0 {
		ack(plugin.Ack{Code: plugin.Stored})
		return
	}
	l.waiting = append(l.waiting, it)
	if !l.blocked {
		b.submit(l, it)
	}
}

func (b *Inbox) line(key lineKey) *line {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lines[key]
	if l == nil {
		l = &line{}
		b.lines[key] = l
	}
	return l
}

// submit is called with l.mu held. The journal runs what it is given in order, and tells
// the outcome of one group before it begins the next: so an item that fails blocks the line
// before any item behind it can be stored.
func (b *Inbox) submit(l *line, it *item) {
	l.flying++
	b.cfg.DB.Submit(func(tx *journal.Tx) error {
		l.mu.Lock()
		blocked := l.blocked
		l.mu.Unlock()
		if blocked {
			return errBehind
		}
		err := it.store(tx)
		if err != nil {
			l.mu.Lock()
			l.blocked = true
			l.mu.Unlock()
		}
		return err
	}, func(err error) { b.settle(l, it, err) })
}

// store is T1.
func (it *item) store(tx *journal.Tx) error {
	e := &it.entry
	if e.rowless {
		return nil
	}
	if e.refusal == "" {
		id, inserted, err := tx.InsertInbox(e.row)
		if err != nil {
			return err
		}
		it.duplicate = !inserted
		it.row = e.row
		it.row.ID, it.row.ReceivedMS, it.row.State = id, tx.NowMS(), journal.InboxNew
	}
	// The cursor of a duplicate was stored with the first copy, and may have moved on since.
	if e.cursor != nil && !it.duplicate {
		return tx.PutCursor(*e.cursor)
	}
	return nil
}

// settle runs on the journal's writer, or in Store when the journal is closed.
func (b *Inbox) settle(l *line, it *item, err error) {
	if errors.Is(err, journal.ErrClosed) {
		// Store holds l.mu, and nothing can be stored any more: the event stays without an answer.
		return
	}
	l.mu.Lock()
	l.flying--
	if err != nil {
		l.blocked = true
		l.mu.Unlock()
		if !errors.Is(err, errBehind) && !journal.Retryable(err) {
			b.log.Error("event cannot be stored", slog.String("channel", it.entry.row.Channel), slog.Any("error", err))
		}
		poke(b.failed)
		return
	}
	l.waiting = l.waiting[1:]
	l.mu.Unlock()
	b.answer(it)
}

func (b *Inbox) answer(it *item) {
	switch {
	case it.entry.rowless:
		it.ack(plugin.Ack{Code: plugin.Stored})
	case it.entry.refusal != "":
		b.counts.refused.Add(1)
		b.log.Warn("event refused", slog.String("channel", it.entry.row.Channel), slog.String("reason", it.entry.refusal))
		it.ack(plugin.Ack{Code: plugin.RefusedEvent, Reason: it.entry.refusal})
	case it.duplicate:
		b.counts.duplicate.Add(1)
		it.ack(plugin.Ack{Code: plugin.Duplicate})
	default:
		b.counts.stored.Add(1)
		it.ack(plugin.Ack{Code: plugin.Stored})
		if b.cfg.Notify != nil {
			b.mu.Lock()
			b.news = append(b.news, it.row)
			b.mu.Unlock()
			poke(b.wake)
		}
	}
}

// resume tries all blocked lines again, from their first event on.
func (b *Inbox) resume() {
	b.mu.Lock()
	lines := make([]*line, 0, len(b.lines))
	for _, l := range b.lines {
		lines = append(lines, l)
	}
	b.mu.Unlock()
	for _, l := range lines {
		l.mu.Lock()
		switch {
		case l.blocked && l.flying > 0:
			poke(b.failed) // the journal still has some of them
		case l.blocked:
			l.blocked = false
			for _, it := range l.waiting {
				b.submit(l, it)
			}
		}
		l.mu.Unlock()
	}
}
