package telegram

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/mymmrac/telego"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// events turns a group of updates into what the supervisor is told; nothing for what
// means nothing here (joins, titles, pins, the bot's own messages). offset is what may be
// confirmed once they are stored.
func (a *account) events(group []telego.Update, offset int) []plugin.Event {
	cursor := &channel.Cursor{Name: cursorName, Value: strconv.Itoa(offset)}
	u := group[0]
	switch {
	case u.Message != nil:
		messages := make([]*telego.Message, len(group))
		for i := range group {
			messages[i] = group[i].Message
		}
		return inboundEvent(a.inbound(messages), cursor)
	case u.ChannelPost != nil:
		return inboundEvent(a.inbound([]*telego.Message{u.ChannelPost}), cursor)
	case u.EditedMessage != nil:
		return a.edit(u.EditedMessage, cursor)
	case u.EditedChannelPost != nil:
		return a.edit(u.EditedChannelPost, cursor)
	case u.CallbackQuery != nil:
		return a.press(u.CallbackQuery, cursor)
	case u.MessageReaction != nil:
		return a.reactions(u.UpdateID, u.MessageReaction, cursor)
	}
	return nil
}

func inboundEvent(m *channel.Inbound, cursor *channel.Cursor) []plugin.Event {
	if m == nil {
		return nil
	}
	m.Cursor = cursor
	return []plugin.Event{{Inbound: m}}
}

// extra is what only Telegram knows of a message; the supervisor passes it through.
type extra struct {
	IsForum    bool     `json:"isForum,omitempty"`
	IsQuote    bool     `json:"isQuote,omitempty"`
	MessageIDs []int    `json:"messageIds,omitempty"`
	Sticker    *sticker `json:"sticker,omitempty"`
	Press      string   `json:"callbackData,omitempty"`
}

type sticker struct {
	Emoji   string `json:"emoji,omitempty"`
	SetName string `json:"setName,omitempty"`
	FileID  string `json:"fileId"`
	Unique  string `json:"fileUniqueId"`
}

// inbound makes one message of a group; nil where there is nothing to read.
func (a *account) inbound(group []*telego.Message) *channel.Inbound {
	m, me := group[0], a.me()
	if m.From != nil && m.From.ID == me.ID {
		return nil
	}
	text, entities := joinText(group)
	var media []channel.MediaRef
	for _, one := range group {
		media = append(media, mediaRefs(one)...)
	}
	if text == "" && len(media) == 0 {
		return nil
	}
	prefix := forwarded(m)
	out := &channel.Inbound{
		Account: a.id, EventKey: fmt.Sprintf("m:%d:%d", m.Chat.ID, m.MessageID), Conversation: conversation(m.Chat), Thread: thread(m),
		ChatKind: chatKind(m.Chat), ConversationName: chatName(m.Chat), Sender: author(m), Text: prefix + text,
		Entities: spans(text, entities, len(prefix)), ReplyTo: quoted(m, me), Media: media, NetworkTimeMS: m.Date * 1000, ID: networkID(m.MessageID),
	}
	out.Mentions, out.MentionsSelf = mentions(text, entities, me)
	x := extra{IsForum: m.Chat.IsForum, IsQuote: m.Quote != nil && m.Quote.IsManual}
	if len(group) > 1 {
		for _, one := range group {
			x.MessageIDs = append(x.MessageIDs, one.MessageID)
		}
	}
	if s := m.Sticker; s != nil {
		x.Sticker = &sticker{Emoji: s.Emoji, SetName: s.SetName, FileID: s.FileID, Unique: s.FileUniqueID}
	}
	out.ChannelData = x.json()
	return out
}

func (x extra) json() string {
	b, err := json.Marshal(x)
	if err != nil {
		panic(err) // plain values
	}
	if string(b) == "{}" {
		return ""
	}
	return string(b)
}

func (a *account) edit(m *telego.Message, cursor *channel.Cursor) []plugin.Event {
	in := a.inbound([]*telego.Message{m})
	if in == nil {
		return nil
	}
	in.EventKey = fmt.Sprintf("e:%d:%d:%d", m.Chat.ID, m.MessageID, m.EditDate)
	in.Cursor = cursor
	return []plugin.Event{{Edit: &channel.InboundEdit{Message: *in, EditTimeMS: m.EditDate * 1000}}}
}

// press makes a message of a button press, from the one who pressed.
func (a *account) press(q *telego.CallbackQuery, cursor *channel.Cursor) []plugin.Event {
	if q.Message == nil || q.Data == "" {
		return nil
	}
	chat := q.Message.GetChat()
	in := &channel.Inbound{
		Account: a.id, EventKey: "cb:" + q.ID, Conversation: conversation(chat), ChatKind: chatKind(chat), ConversationName: chatName(chat),
		Sender: sender(&q.From), Text: "callback_data: " + q.Data, MentionsSelf: true, ID: networkID(q.Message.GetMessageID()),
		ChannelData: extra{IsForum: chat.IsForum, Press: q.Data}.json(),
	}
	if m, ok := q.Message.(*telego.Message); ok {
		in.Thread = thread(m)
		in.ReplyTo = &message.Quoted{ID: networkID(m.MessageID), Sender: author(m), FromSelf: m.From != nil && m.From.ID == a.me().ID}
		in.ReplyTo.Text, _ = body(m)
	}
	return inboundEvent(in, cursor)
}

// reactions tells what was added and what was taken away, each as an event of its own.
func (a *account) reactions(updateID int, r *telego.MessageReactionUpdated, cursor *channel.Cursor) []plugin.Event {
	who := sender(r.User)
	if r.User == nil && r.ActorChat != nil {
		who = channel.Sender{ID: channel.PersonID(strconv.FormatInt(r.ActorChat.ID, 10)), Name: chatName(*r.ActorChat), Username: r.ActorChat.Username}
	}
	if r.User != nil && r.User.ID == a.me().ID {
		return nil
	}
	was, is := emojis(r.OldReaction), emojis(r.NewReaction)
	var out []plugin.Event
	add := func(emoji string, removed bool) {
		ev := &channel.InboundReaction{
			Account: a.id, EventKey: fmt.Sprintf("r:%d:%d:%d:%d", r.Chat.ID, r.MessageID, updateID, len(out)), Conversation: conversation(r.Chat),
			ChatKind: chatKind(r.Chat), Sender: who, ID: networkID(r.MessageID), Emoji: emoji, Removed: removed, NetworkTimeMS: r.Date * 1000,
		}
		out = append(out, plugin.Event{Reaction: ev})
	}
	for _, e := range was {
		if !contains(is, e) {
			add(e, true)
		}
	}
	for _, e := range is {
		if !contains(was, e) {
			add(e, false)
		}
	}
	if len(out) > 0 {
		out[len(out)-1].Reaction.Cursor = cursor // only the last moves it: all are stored by then
	}
	return out
}

// emojis lists the reactions that are emoji; custom ones are pictures without a name.
func emojis(list []telego.ReactionType) []string {
	var out []string
	for _, r := range list {
		if e, ok := r.(*telego.ReactionTypeEmoji); ok {
			out = append(out, e.Emoji)
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}
