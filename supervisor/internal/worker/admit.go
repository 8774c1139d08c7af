package worker

import (
	"errors"
	"fmt"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Bounds of one event, in bytes.
const (
	maxKey         = 512
	maxText        = 1 << 20
	maxChannelData = 16 << 10
	maxMedia       = 64 // refs, not bytes
)

// checkEvent refuses what no worker may report. It knows nothing of accounts and
// channels: that is the sink's.
func checkEvent(ev plugin.Event) error {
	switch {
	case ev.Inbound != nil:
		return checkInbound(*ev.Inbound)
	case ev.Edit != nil:
		return checkInbound(ev.Edit.Message)
	case ev.Reaction != nil:
		return checkKeys(ev.Reaction.Account, ev.Reaction.EventKey, ev.Reaction.Conversation)
	case ev.AccountState != nil, ev.Gap != nil, ev.Receipt != nil:
		if a := ev.Account(); a == "" || len(a) > maxKey {
			return errors.New("event without an account")
		}
		return nil
	}
	return errors.New("event without a body that is known here")
}

func checkKeys(a message.AccountID, key string, c message.ConversationID) error {
	for _, k := range []struct{ name, value string }{{"account", string(a)}, {"event key", key}, {"conversation", string(c)}} {
		if k.value == "" {
			return fmt.Errorf("event without its %s", k.name)
		}
		if len(k.value) > maxKey {
			return fmt.Errorf("event whose %s has %d bytes, more than %d", k.name, len(k.value), maxKey)
		}
	}
	return nil
}

func checkInbound(m message.Inbound) error {
	if err := checkKeys(m.Account, m.EventKey, m.Conversation); err != nil {
		return err
	}
	switch {
	case len(m.Text) > maxText:
		return fmt.Errorf("message of %d bytes, more than %d", len(m.Text), maxText)
	case len(m.ChannelData) > maxChannelData:
		return fmt.Errorf("channel data of %d bytes, more than %d", len(m.ChannelData), maxChannelData)
	case len(m.Media) > maxMedia:
		return fmt.Errorf("message with %d files, more than %d", len(m.Media), maxMedia)
	}
	for _, r := range m.Media {
		if len(r.Opaque) > message.MaxMediaRef {
			return fmt.Errorf("media reference of %d bytes, more than %d", len(r.Opaque), message.MaxMediaRef)
		}
	}
	return nil
}
