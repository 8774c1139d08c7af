package app

import (
	"context"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/health"
)

// channelStatus implements gateway.Channels.
type channelStatus struct {
	store    *config.Store
	workers  *workers
	channels *channels
	now      func() time.Time
}

// Provides implements gateway.Channels.
func (c *channelStatus) Provides(id string) bool {
	_, ok := c.store.Snapshot().ChannelBlock(id)
	return ok
}

// label is the name people know a channel by, empty where its worker never said one.
func (c *channelStatus) label(id string) string {
	d, _ := c.channels.description(id)
	return d.Label
}

// Status implements gateway.Channels: process and account states, merged with what the configuration says of each account.
func (c *channelStatus) Status(context.Context, protocol.ChannelsStatusParams) (protocol.ChannelsStatusResult, error) {
	s := c.store.Snapshot()
	views := c.workers.List()
	out := protocol.ChannelsStatusResult{
		TS: c.now().UnixMilli(), ChannelDetailLabels: map[string]string{}, ChannelSystemImages: map[string]string{},
		ChannelMeta: []protocol.ChannelUIMeta{}, ChannelAccounts: map[string][]protocol.ChannelAccountSnapshot{}, ChannelDefaultAccountID: map[string]string{},
	}
	out.Channels, out.ChannelOrder, out.ChannelLabels = health.Channels(views, c.label)
	for _, id := range out.ChannelOrder {
		block, ok := s.ChannelBlock(id)
		if !ok {
			continue
		}
		label := out.ChannelLabels[id]
		out.ChannelDetailLabels[id] = label
		out.ChannelMeta = append(out.ChannelMeta, protocol.ChannelUIMeta{ID: id, Label: label, DetailLabel: label})
		out.ChannelDefaultAccountID[id] = block.DefaultAccount
		out.ChannelAccounts[id] = []protocol.ChannelAccountSnapshot{}
		for _, a := range block.Accounts {
			out.ChannelAccounts[id] = append(out.ChannelAccounts[id], accountSnapshot(a, out.Channels[id]))
		}
	}
	return out, nil
}

func accountSnapshot(a config.Account, ch protocol.ChannelHealth) protocol.ChannelAccountSnapshot {
	snap, reported := ch.Accounts[a.ID]
	snap.AccountID, snap.Name, snap.Enabled, snap.TokenSource = a.ID, a.Name, &a.Enabled, a.TokenSource
	configured := a.Problem == "" && a.TokenSource != "none" || reported
	snap.Configured = &configured
	settings := channelSettings(a.JSON)
	snap.DMPolicy, snap.AllowFrom = settings.DMPolicy, settings.AllowFrom
	switch {
	case a.Problem != "":
		snap.LastError = a.Problem
	case !a.Enabled:
		snap.LastError = "disabled"
	case !configured:
		snap.LastError = "not configured"
	}
	return snap
}
