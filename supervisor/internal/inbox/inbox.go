// Package inbox takes events of the networks over: stored first, acknowledged then.
//
// Inbox owns step T1 of a message's way: the row and the network's cursor in one
// transaction, the acknowledgement only after it is fsynced, and the knowledge of what came before,
// so that a redelivery is handled once. It never looks at access, sessions or commands: whoever is
// notified does.
//
// Order: the events of one account are stored, acknowledged and notified in the order of
// Store. While the journal cannot be written nothing is acknowledged; what came waits in memory, at most
// a worker's window of it, and is stored in order once the disk allows. A loss of that memory
// loses nothing, for the network delivers again what was not acknowledged.
//
// Concurrency: all methods may be called from any goroutine. Acknowledgements come on the
// journal's writer and must not block; notifications come from the one goroutine that Run waits for.
package inbox

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

const (
	// MaxBody is the largest marshalled event in bytes; a larger one is refused.
	MaxBody = 256 << 10
	// MaxKey is the largest event key, account or conversation id in bytes.
	MaxKey = 1 << 10
	// Memory is how long a redelivery is known for one.
	Memory = 7 * 24 * time.Hour

	retryEvery = 500 * time.Millisecond
	sweepEvery = time.Hour
	sweepBatch = 1000
)

// Config is what New needs.
type Config struct {
	DB    *journal.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Notify is told of each stored row, in the order of ids for one account. It may take
	// its time, but holds up all later rows; nil = nobody.
	Notify func(row journal.InboxRow)
	// Observe is told, at once, of each event that has no row: account state, receipt, gap.
	// Called by Store; must not block; nil = nobody.
	Observe func(channel string, ev plugin.Event)
	// Memory overrides how long redeliveries are known; 0 = the constant.
	Memory time.Duration
}

// Inbox stores what arrives.
type Inbox struct {
	cfg    Config
	log    *slog.Logger
	counts counters

	mu     sync.Mutex // guards lines and news; never held while the journal is called
	lines  map[lineKey]*line
	news   []journal.InboxRow // stored, not notified
	wake   chan struct{}      // capacity 1: news came
	failed chan struct{}      // capacity 1: a line is blocked
}

type lineKey struct {
	channel string
	account message.AccountID
}

type counters struct {
	stored, duplicate, refused atomic.Int64
}

// Counts says what became of the events since the start.
type Counts struct {
	Stored, Duplicate, Refused int64
}

// New makes an Inbox; rows are stored from the first Store on, and notified once Run runs.
func New(cfg Config) *Inbox {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Memory <= 0 {
		cfg.Memory = Memory
	}
	return &Inbox{cfg: cfg, log: cfg.Log, lines: map[lineKey]*line{}, wake: make(chan struct{}, 1), failed: make(chan struct{}, 1)}
}

// Counts of all channels.
func (b *Inbox) Counts() Counts {
	return Counts{Stored: b.counts.stored.Load(), Duplicate: b.counts.duplicate.Load(), Refused: b.counts.refused.Load()}
}

// Pending gives the rows that were stored and not looked at, by id. It is for the start,
// before any worker is attached; later rows are notified.
func (b *Inbox) Pending(ctx context.Context) (rows []journal.InboxRow, err error) {
	err = b.cfg.DB.View(ctx, func(tx *journal.Tx) error {
		rows, err = tx.ListInbox(journal.InboxNew)
		return err
	})
	return rows, err
}

// Run notifies, stores again what the disk did not take, and forgets what is old enough,
// until ctx ends; the error is then nil.
func (b *Inbox) Run(ctx context.Context) error {
	retry, sweep := b.cfg.Clock.NewTimer(retryEvery), b.cfg.Clock.NewTimer(sweepEvery)
	retry.Stop()
	defer retry.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.wake:
			b.notify(ctx)
		case <-b.failed:
			retry.Reset(retryEvery)
		case <-retry.C():
			b.resume()
		case <-sweep.C():
			if _, err := b.Sweep(ctx); err != nil && ctx.Err() == nil {
				b.log.Warn("old inbox rows stay", slog.Any("error", err))
			}
			sweep.Reset(sweepEvery)
		}
	}
}

// Sweep forgets rows that are over and older than the memory, and returns how many.
func (b *Inbox) Sweep(ctx context.Context) (total int64, err error) {
	before := b.cfg.Clock.Now().Add(-b.cfg.Memory).UnixMilli()
	for {
		var n int64
		err := b.cfg.DB.Update(ctx, func(tx *journal.Tx) (err error) {
			n, err = tx.SweepInbox(before, sweepBatch)
			return err
		})
		total += n
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}

func (b *Inbox) notify(ctx context.Context) {
	b.mu.Lock()
	rows := b.news
	b.news = nil
	b.mu.Unlock()
	for _, row := range rows {
		if ctx.Err() != nil {
			return // still new in the journal: Pending has them at the next start
		}
		b.cfg.Notify(row)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
