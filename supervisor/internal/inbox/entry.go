package inbox

import (
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// entry is what an event means for the journal.
type entry struct {
	row    journal.InboxRow
	cursor *journal.CursorRow
	// refusal is a code; empty = the event is stored.
	refusal string
	rowless bool
}

// Reasons of a refusal.
const (
	reasonUnknown   = "unknown_event"
	reasonIdentity  = "malformed: event key, account and conversation must be given and at most 1024 bytes long"
	reasonCursor    = "malformed: a cursor needs a name"
	reasonMediaRef  = "over_size: a media reference holds at most 4096 bytes"
	reasonBody      = "over_size: an event holds at most 262144 bytes"
	reasonMalformed = "malformed: it cannot be written down"
)

// read turns an event into its row. It looks at form and size only.
func (b *Inbox) read(channel string, ev plugin.Event) entry {
	e := entry{row: journal.InboxRow{Channel: channel}}
	var cursor *message.Cursor
	var media []message.MediaRef
	var marshal func() ([]byte, error)
	switch {
	case ev.Inbound != nil:
		m := ev.Inbound
		e.row.Kind, cursor, media, marshal = journal.InboxMessage, m.Cursor, m.Media, m.Marshal
		e.place(m.Account, m.EventKey, m.Conversation, m.Thread, m.NetworkTimeMS)
	case ev.Edit != nil:
		m := &ev.Edit.Message
		e.row.Kind, cursor, media, marshal = journal.InboxEdit, m.Cursor, m.Media, ev.Edit.Marshal
		e.place(m.Account, m.EventKey, m.Conversation, m.Thread, m.NetworkTimeMS)
	case ev.Reaction != nil:
		m := ev.Reaction
		e.row.Kind, cursor, marshal = journal.InboxReaction, m.Cursor, m.Marshal
		e.place(m.Account, m.EventKey, m.Conversation, m.Thread, m.NetworkTimeMS)
	case ev.AccountState != nil, ev.Gap != nil, ev.Receipt != nil:
		e.rowless = true
		return e
	default:
		e.refusal = reasonUnknown
		return e
	}
	if !within(e.row.EventKey) || !within(string(e.row.Account)) || !within(string(e.row.Conversation)) || len(e.row.Thread) > MaxKey {
		e.refusal = reasonIdentity
		return e
	}
	if cursor != nil {
		if cursor.Name == "" {
			e.refusal = reasonCursor
			return e
		}
		e.cursor = &journal.CursorRow{Channel: channel, Account: string(e.row.Account), Name: cursor.Name, Value: cursor.Value}
	}
	for _, ref := range media {
		if len(ref.Opaque) > message.MaxMediaRef {
			e.refusal = reasonMediaRef
			return e
		}
	}
	body, err := marshal()
	switch {
	case err != nil:
		e.refusal = reasonMalformed
	case len(body) > MaxBody:
		e.refusal = reasonBody
	default:
		e.row.Body = body
	}
	return e
}

func (e *entry) place(account message.AccountID, key string, conversation message.ConversationID, thread message.ThreadID, networkMS int64) {
	e.row.Account, e.row.EventKey, e.row.Conversation, e.row.Thread, e.row.NetworkMS = account, key, conversation, thread, networkMS
}

func within(s string) bool { return s != "" && len(s) <= MaxKey }
