package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/worker"
)

// accountTimeout is the deadline of StartAccount and StopAccount (contract A2).
const accountTimeout = 5 * time.Second

// channels are the living channel workers with the states of their accounts.
type channels struct {
	log *slog.Logger

	mu   sync.Mutex // guards all below
	live map[string]*liveChannel
	caps map[string]plugin.Description // also of workers that are gone: the last one that ran
}

type liveChannel struct {
	life   uint64
	client *channel.Client
	states map[message.AccountID]plugin.AccountState
}

func newChannels(log *slog.Logger) *channels {
	return &channels{log: log, live: map[string]*liveChannel{}, caps: map[string]plugin.Description{}}
}

func (c *channels) running(h worker.Handle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.caps[h.ID] = h.Description
	l := c.live[h.ID]
	if l == nil {
		l = &liveChannel{states: map[message.AccountID]plugin.AccountState{}}
		c.live[h.ID] = l
	}
	l.life, l.client = h.Life, channel.NewClient(h.Client)
}

func (c *channels) gone(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, id)
}

// state notes an account's state and reports whether it can send now and could not before.
func (c *channels) state(id string, s plugin.AccountState) (becameReady bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.live[id]
	if l == nil {
		l = &liveChannel{states: map[message.AccountID]plugin.AccountState{}}
		c.live[id] = l
	}
	before := canSend(l.states[s.Account])
	l.states[s.Account] = s
	return canSend(s) && !before
}

// canSend is true for an account that is logged in and whose sending side is not known to be broken.
func canSend(s plugin.AccountState) bool {
	switch s.Phase {
	case plugin.AccountConnected:
		return true
	case plugin.AccountDegraded:
		return s.Send.Code == "" || s.Send.Code == "ok"
	}
	return false
}

func (c *channels) client(id string) (*channel.Client, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.live[id]; l != nil && l.client != nil {
		return l.client, true
	}
	return nil, false
}

func (c *channels) ready(id string, account message.AccountID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.live[id]
	return l != nil && l.client != nil && canSend(l.states[account])
}

func (c *channels) description(id string) (plugin.Description, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.caps[id]
	return d, ok
}

func (c *channels) has(id, feature string) bool {
	d, ok := c.description(id)
	return ok && d.Has(feature)
}

// startAccount asks a worker to connect one account.
func startAccount(ctx context.Context, c *channel.Client, a channel.AccountStart) error {
	ctx, cancel := context.WithTimeout(ctx, accountTimeout)
	defer cancel()
	if err := c.StartAccount(ctx, a); err != nil {
		return fmt.Errorf("start account %s: %w", a.Account, err)
	}
	return nil
}
