package health

import (
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// ChannelsStatus builds the result of channels.status from the channel
// workers, at nowMS. label may be nil.
func ChannelsStatus(workers []protocol.WorkerView, label func(string) string, nowMS int64) protocol.ChannelsStatusResult {
	r := protocol.ChannelsStatusResult{
		TS:                      nowMS,
		ChannelDetailLabels:     map[string]string{},
		ChannelSystemImages:     map[string]string{},
		ChannelMeta:             []protocol.ChannelUIMeta{},
		ChannelAccounts:         map[string][]protocol.ChannelAccountSnapshot{},
		ChannelDefaultAccountID: map[string]string{},
	}
	r.Channels, r.ChannelOrder, r.ChannelLabels = Channels(workers, label)
	for _, id := range r.ChannelOrder {
		text := r.ChannelLabels[id]
		r.ChannelDetailLabels[id] = text
		r.ChannelMeta = append(r.ChannelMeta, protocol.ChannelUIMeta{ID: id, Label: text, DetailLabel: text})
		ch := r.Channels[id]
		accounts := make([]protocol.ChannelAccountSnapshot, 0, len(ch.Accounts))
		for _, a := range ch.Accounts {
			accounts = append(accounts, a)
		}
		slices.SortFunc(accounts, func(x, y protocol.ChannelAccountSnapshot) int { return strings.Compare(x.AccountID, y.AccountID) })
		r.ChannelAccounts[id] = accounts
		if ch.AccountID != "" {
			r.ChannelDefaultAccountID[id] = ch.AccountID
		}
	}
	return r
}

// Summary says in one line per worker how it is, for status.
func Summary(workers []protocol.WorkerView, label func(string) string) []string {
	lines := []string{}
	for _, w := range workers {
		if w.Kind != KindChannel {
			continue
		}
		name := w.ID
		if label != nil {
			if text := label(w.ID); text != "" {
				name = text
			}
		}
		lines = append(lines, name+": "+word(w))
		for _, a := range w.Accounts {
			line := "  - " + a.ID + ": " + a.Phase
			if a.Text != "" {
				line += " (" + a.Text + ")"
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func word(w protocol.WorkerView) string {
	switch {
	case w.State == protocol.WorkerStopped && w.Desired == "off":
		return "stopped by the operator"
	case w.Condition != nil && w.Condition.Text != "":
		return w.State + " (" + w.Condition.Text + ")"
	}
	return w.State
}
