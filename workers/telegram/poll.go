package telegram

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/mymmrac/telego"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

const (
	// maxBatch is the most updates of one poll.
	maxBatch = 100
	// renumberAfter is how long a bot may be idle before Telegram may number its updates
	// anew, with room to spare (it says a week): from then on polls name no offset.
	renumberAfter = 48 * time.Hour
	// pressTimeout bounds the answer to a button press.
	pressTimeout = 10 * time.Second
)

func cursorOf(cursors []channel.Cursor) int {
	for _, c := range cursors {
		if n, err := strconv.Atoi(c.Value); err == nil && c.Name == cursorName {
			return n
		}
	}
	return 0
}

// poller walks through a bot's updates. The offset, which confirms what is below it,
// moves only when the supervisor has answered for everything below it.
type poller struct {
	account *account
	// start is the stored cursor. The first poll names no offset, for Telegram knows better
	// what is not confirmed; updates just below the cursor are known to be stored.
	start  int
	offset int
	proven bool
	last   time.Time
}

// poll makes one poll and hands over what it brought.
func (p *poller) poll(ctx context.Context) error {
	a := p.account
	timeout := int(a.opts.PollTimeout.Round(time.Second) / time.Second)
	if !p.proven {
		timeout = 0 // the first answer is the proof that receiving works: it must not take half a minute
	}
	if p.offset > 0 && time.Since(p.last) > renumberAfter {
		p.offset, p.start = 0, 0
	}
	got, next, err := p.fetch(ctx, timeout)
	if err != nil {
		return err
	}
	p.proven = true
	if len(got) > 0 || next > 0 {
		a.report.received()
		p.last = time.Now()
	}
	for {
		wait := unsettled(got, time.Now(), a.opts)
		if wait == 0 || len(got) >= maxBatch {
			break
		}
		// The rest of an album, or of a long text, is still to come. The same updates are
		// fetched again with it: nothing is kept here that is not stored.
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
		before := len(got)
		if got, next, err = p.fetch(ctx, 0); err != nil {
			return err
		}
		if len(got) == before {
			break
		}
	}
	if err := p.handOver(ctx, got); err != nil {
		return err
	}
	p.offset = max(p.offset, next)
	return nil
}

func (p *poller) fetch(ctx context.Context, timeout int) ([]telego.Update, int, error) {
	a := p.account
	ctx, cancel := context.WithTimeout(ctx, time.Duration(timeout)*time.Second+a.opts.PollMargin)
	defer cancel()
	got, odd, next, err := a.client.updates(ctx, p.offset, timeout)
	if err != nil {
		return nil, 0, err
	}
	if odd > 0 {
		a.report.log.Warn("updates that are not understood are left out", "count", odd)
	}
	got = slices.DeleteFunc(got, func(u telego.Update) bool { return u.UpdateID < p.start && u.UpdateID >= p.start-maxBatch })
	return got, next, nil
}

// handOver reports everything in order and waits until all of it is answered for.
func (p *poller) handOver(ctx context.Context, updates []telego.Update) error {
	a := p.account
	var presses sync.WaitGroup
	defer presses.Wait()
	var pending []*plugin.Pending
	groups := gather(updates)
	offsets := offsetsAfter(groups)
	for i, g := range groups {
		if q := g[0].CallbackQuery; q != nil {
			presses.Go(func() { p.answerPress(ctx, q.ID) })
		}
		for _, ev := range a.events(g, offsets[i]) {
			sent, err := a.line.Report(ctx, ev)
			if err != nil {
				return fmt.Errorf("report: %w", err)
			}
			pending = append(pending, sent)
		}
	}
	for _, sent := range pending {
		ack, err := sent.Wait(ctx)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if ack.Code == plugin.RefusedEvent {
			a.report.log.Warn("the supervisor refused an event", "reason", ack.Reason)
		}
	}
	return nil
}

// answerPress stops the button's spinner. Best effort.
func (p *poller) answerPress(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, pressTimeout)
	defer cancel()
	if err := p.account.client.bot.AnswerCallbackQuery(ctx, &telego.AnswerCallbackQueryParams{CallbackQueryID: id}); err != nil {
		p.account.report.log.Debug("a button press was not answered", "error", redact(p.account.cfg.BotToken, err.Error()))
	}
}
