package telegram

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// ErrNotRunning says that an account was not started, or has no usable token.
var ErrNotRunning = errors.New("the account is not running")

// Adaptor is the contract, and nothing else. It is safe for concurrent use.
type Adaptor struct {
	opts Options

	// changing is held while accounts are started and stopped: one change at a time. It is
	// taken before mu.
	changing sync.Mutex
	attached chan struct{} // closed once line is set
	mu       sync.Mutex    // guards all below
	line     *channel.Line
	accounts map[channel.AccountID]*account
	draining bool
	inHand   int
	idle     chan struct{} // closed when draining and nothing is in hand
}

var (
	_ channel.Plugin        = (*Adaptor)(nil)
	_ channel.MediaFetcher  = (*Adaptor)(nil)
	_ channel.Typer         = (*Adaptor)(nil)
	_ channel.Reactor       = (*Adaptor)(nil)
	_ channel.Editor        = (*Adaptor)(nil)
	_ channel.Deleter       = (*Adaptor)(nil)
	_ channel.Resolver      = (*Adaptor)(nil)
	_ channel.GroupInformer = (*Adaptor)(nil)
	_ plugin.HealthReporter = (*Adaptor)(nil)
)

// New makes a worker without accounts; it starts nothing.
func New(o Options) *Adaptor {
	return &Adaptor{opts: o.withDefaults(), accounts: map[channel.AccountID]*account{}, attached: make(chan struct{}), idle: make(chan struct{})}
}

// Configure implements plugin.Base: it checks what all accounts share.
func (a *Adaptor) Configure(_ context.Context, c channel.Configuration) error {
	_, err := parseConfig(c.JSON)
	return err
}

// Attached implements plugin.Base.
func (a *Adaptor) Attached(line *channel.Line) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.line = line
	close(a.attached)
}

// StartAccount implements channel.Plugin. It waits for the line, which the supervisor
// opens at the same time.
func (a *Adaptor) StartAccount(ctx context.Context, s channel.AccountStart) error {
	cfg, err := parseConfig(s.Config)
	if err != nil {
		return err
	}
	select {
	case <-a.attached:
	case <-ctx.Done():
		return fmt.Errorf("the line to the supervisor is not open: %w", ctx.Err())
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	a.mu.Lock()
	line, old, draining := a.line, a.accounts[s.Account], a.draining
	a.mu.Unlock()
	switch {
	case draining:
		return errors.New("the worker is draining")
	case old != nil && old.revision >= s.Revision:
		return nil
	case old != nil:
		a.remove(old)
	}
	acc, err := newAccount(s, cfg, a.opts, line)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.accounts[s.Account] = acc
	a.mu.Unlock()
	acc.start()
	return nil
}

// StopAccount implements channel.Plugin.
func (a *Adaptor) StopAccount(_ context.Context, id channel.AccountID, revision uint64) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	a.mu.Lock()
	acc := a.accounts[id]
	a.mu.Unlock()
	// A stop that is older than the running start was overtaken by it.
	if acc != nil && (revision == 0 || revision >= acc.revision) {
		a.remove(acc)
	}
	return nil
}

func (a *Adaptor) remove(acc *account) {
	a.mu.Lock()
	delete(a.accounts, acc.id)
	a.mu.Unlock()
	acc.stop()
}

// running gives an account that can be used.
func (a *Adaptor) running(id channel.AccountID) (*account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc := a.accounts[id]
	if acc == nil || acc.client == nil {
		return nil, fmt.Errorf("%w: %s", ErrNotRunning, id)
	}
	return acc, nil
}

// use gives an account for a change on the network, which Drain waits for; done must be called.
func (a *Adaptor) use(id channel.AccountID) (acc *account, done func(), refusal message.SendResult) {
	notSent := func(code, text string) message.SendResult {
		return message.SendResult{Outcome: message.NotSent, Code: code, Text: text}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.draining {
		return nil, nil, notSent("draining", "the worker is about to end")
	}
	acc = a.accounts[id]
	switch {
	case acc == nil:
		return nil, nil, notSent("not_running", "the account is not running")
	case acc.client == nil:
		return nil, nil, notSent(codeNotConfigured, "the account has no usable token")
	}
	a.inHand++
	return acc, a.release, message.SendResult{}
}

func (a *Adaptor) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inHand--
	a.settle()
}

// settle is called with mu held.
func (a *Adaptor) settle() {
	if a.draining && a.inHand == 0 {
		select {
		case <-a.idle:
		default:
			close(a.idle)
		}
	}
}

// Drain implements plugin.Base.
func (a *Adaptor) Drain(ctx context.Context) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	a.mu.Lock()
	a.draining = true
	a.settle()
	all := make([]*account, 0, len(a.accounts))
	for _, acc := range a.accounts {
		all = append(all, acc)
	}
	a.mu.Unlock()
	for _, acc := range all {
		acc.cancel() // no new polls; their ends are waited for below
	}
	select {
	case <-a.idle:
	case <-ctx.Done():
		return fmt.Errorf("drain: sends in hand: %w", ctx.Err())
	}
	for _, acc := range all {
		select {
		case <-acc.done:
			a.remove(acc)
		case <-ctx.Done():
			return fmt.Errorf("drain: account %s: %w", acc.id, ctx.Err())
		}
	}
	return nil
}

// QueueDepths implements plugin.HealthReporter.
func (a *Adaptor) QueueDepths() map[string]int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return map[string]int64{"sends": int64(a.inHand), "accounts": int64(len(a.accounts))}
}
