// Package outbox sends what is stored, in order, and never twice after doubt.
//
// Outbox owns every delivery from its insertion, inside the transaction that made it, to its
// end: sent, refused, unknown, expired or dropped. An attempt is stored before it is made; what
// came of it is stored before the next of the same conversation begins; a delivery that may have
// been accepted is tried again only under the same id on a network that knows ids, else the
// worker is asked, else it is unknown: shown, not repeated, and in nobody's way.
//
// Order: deliveries of one conversation go one after the other; there is none across conversations.
// Nothing is attempted, or counted, while the account is not ready. Pacing, retries and expiry are
// the outbox's alone: workers never retry.
//
// Concurrency: all methods may be called from any goroutine. Sends run in goroutines that
// Run waits for, a bounded number at once. The Deliverer's Ready and Caps are asked often, also on the
// journal's writer, and must answer at once. The package never renders, chunks or chooses a target.
package outbox

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

const (
	// Lifetime is how long a delivery waits to be sent before it expires.
	Lifetime = 30 * time.Minute
	// sendDeadline bounds one Send, plus the time that its media takes at sendRate bytes a second.
	sendDeadline = 30 * time.Second
	sendRate     = 64 << 10
	// askDeadline bounds one Reconcile, maxAsks how often a worker that fails to answer is asked.
	askDeadline = 10 * time.Second
	maxAsks     = 3
	// perAccount is how many conversations of one account are sent to at once.
	perAccount = 16
	// drainTime is how long Sends in hand may go on after Run was told to stop.
	drainTime = 10 * time.Second
	// idlePoll is how often an account that has something to send is asked anew whether it is ready,
	// in case nobody says so; storePause is the wait before the journal is tried again.
	idlePoll   = time.Second
	storePause = time.Second
	sweepEvery = time.Hour
	keepFinal  = 7 * 24 * time.Hour
	keepDoubt  = 30 * 24 * time.Hour
)

// Deliverer is the way to the workers.
type Deliverer interface {
	// Send puts one message on the network and says truthfully what became of it. Where no
	// worker could be asked it is message.NotSent.
	Send(ctx context.Context, channel string, m message.Outbound, media []channel.MediaFile) message.SendResult
	// Reconcile asks what became of an earlier Send; channel.ErrUnsupported where the channel cannot say.
	Reconcile(ctx context.Context, channel string, delivery message.DeliveryID, place channel.Place, since time.Time) (channel.Reconciliation, message.MessageID, error)
	// Ready reports whether a Send to the account has a chance now: its worker runs and it is connected.
	Ready(channel string, account message.AccountID) bool
	// Caps of a channel; false while they are not known.
	Caps(channel string) (plugin.ChannelCaps, bool)
}

// Config is what New needs; DB and Deliverer are required.
type Config struct {
	DB        *journal.DB
	Deliverer Deliverer
	// Media opens the files of deliveries; nil = none has any.
	Media *MediaStore
	Clock clock.Clock
	Log   *slog.Logger
	// Retry gives a channel's rules for trying again; nil = DefaultRetry for all.
	Retry func(channel string) Retry
	// Lifetime overrides the constant; 0 = the constant.
	Lifetime time.Duration
	// Observe is told each stored change of a delivery, without Body, after it is on disk. It must not block; nil = nobody.
	Observe func(journal.OutboxRow)
	// Jitter gives numbers in [0, 1) for retries; nil = random.
	Jitter func() float64
}

// Outbox sends deliveries.
type Outbox struct {
	cfg  Config
	log  *slog.Logger
	wake chan struct{} // capacity 1
	wg   sync.WaitGroup

	mu       sync.Mutex // guards all below; never held while the journal or the Deliverer is called
	running  bool
	accounts map[accountKey]*account
	rows     map[message.DeliveryID]*delivery
	waiters  map[message.DeliveryID][]chan journal.OutboxRow
}

// New makes an Outbox; nothing is sent before Run.
func New(cfg Config) *Outbox {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Retry == nil {
		cfg.Retry = func(string) Retry { return DefaultRetry() }
	}
	if cfg.Lifetime <= 0 {
		cfg.Lifetime = Lifetime
	}
	if cfg.Observe == nil {
		cfg.Observe = func(journal.OutboxRow) {}
	}
	return &Outbox{cfg: cfg, log: cfg.Log, wake: make(chan struct{}, 1), accounts: map[accountKey]*account{},
		rows: map[message.DeliveryID]*delivery{}, waiters: map[message.DeliveryID][]chan journal.OutboxRow{}}
}

// Wake looks for something to send now.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// AccountReady says that an account became ready: what waits for it goes out at once.
func (o *Outbox) AccountReady(string, message.AccountID) { o.Wake() }

// WorkerGone says that a channel's worker died. Its Sends in hand end by themselves, as
// unknown; deliveries that were claimed for a Send not yet made go back in line.
func (o *Outbox) WorkerGone(string) { o.Wake() }

// Run sends until ctx ends; Sends in hand then have ten seconds to finish, and stay in
// doubt if they do not. The error is that of the first reading of the journal.
func (o *Outbox) Run(ctx context.Context) error {
	if err := o.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop before it began
		}
		return err
	}
	sending, cutSends := context.WithCancel(context.WithoutCancel(ctx))
	defer cutSends()
	o.setRunning(true)
	defer o.setRunning(false)
	timer, sweep := o.cfg.Clock.NewTimer(sweepEvery), o.cfg.Clock.NewTimer(sweepEvery)
	defer timer.Stop()
	defer sweep.Stop()
	for {
		timer.Stop()
		if next, ok := o.dispatch(sending); ok {
			timer.Reset(next.Sub(o.cfg.Clock.Now()))
		}
		select {
		case <-ctx.Done():
			o.setRunning(false)
			o.drain(ctx, cutSends)
			return nil
		case <-o.wake:
		case <-timer.C():
		case <-sweep.C():
			o.sweep(ctx)
			sweep.Reset(sweepEvery)
		}
	}
}

func (o *Outbox) setRunning(v bool) {
	o.mu.Lock()
	o.running = v
	o.mu.Unlock()
}

func (o *Outbox) drain(ctx context.Context, cutSends func()) {
	done := make(chan struct{})
	go func() {
		o.wg.Wait()
		close(done)
	}()
	limit := o.cfg.Clock.NewTimer(drainTime)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C():
		cutSends()
		<-done
	}
	// What was claimed and never sent is not in doubt; the next life must not think so.
	for _, d := range o.claimedRows() {
		o.unclaim(ctx, d)
	}
}

func (o *Outbox) claimedRows() (out []*delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range o.rows {
		if d.claimed {
			out = append(out, d)
		}
	}
	return out
}

// sweep forgets what is over for long enough.
func (o *Outbox) sweep(ctx context.Context) {
	now := o.cfg.Clock.Now()
	err := o.cfg.DB.Update(ctx, func(tx *journal.Tx) error {
		const batch = 10_000
		if _, err := tx.SweepOutbox(now.Add(-keepFinal).UnixMilli(), batch, journal.OutboxSent, journal.OutboxRefused, journal.OutboxExpired, journal.OutboxDropped); err != nil {
			return err
		}
		_, err := tx.SweepOutbox(now.Add(-keepDoubt).UnixMilli(), batch, journal.OutboxUnknown)
		return err
	})
	if err == nil && o.cfg.Media != nil {
		err = o.cfg.Media.Sweep(ctx)
	}
	if err != nil && ctx.Err() == nil {
		o.log.Warn("old deliveries stay", slog.Any("error", err))
	}
}
