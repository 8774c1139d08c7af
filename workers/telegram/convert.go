package telegram

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mymmrac/telego"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// generalTopic is the thread of a forum's messages that are in no other one.
const generalTopic = "1"

func sender(u *telego.User) channel.Sender {
	if u == nil {
		return channel.Sender{}
	}
	return channel.Sender{
		ID: channel.PersonID(strconv.FormatInt(u.ID, 10)), Name: strings.TrimSpace(u.FirstName + " " + u.LastName), Username: u.Username, IsBot: u.IsBot,
	}
}

// author is who wrote a message: a person, or the chat that a person writes for.
func author(m *telego.Message) channel.Sender {
	if c := m.SenderChat; c != nil {
		return channel.Sender{ID: channel.PersonID(strconv.FormatInt(c.ID, 10)), Name: chatName(*c), Username: c.Username}
	}
	return sender(m.From)
}

func chatName(c telego.Chat) string {
	return cmp.Or(c.Title, strings.TrimSpace(c.FirstName+" "+c.LastName))
}

func chatKind(c telego.Chat) message.ChatKind {
	switch c.Type {
	case telego.ChatTypePrivate:
		return message.ChatDirect
	case telego.ChatTypeChannel:
		return message.ChatChannel
	}
	return message.ChatGroup
}

func conversation(c telego.Chat) channel.ConversationID {
	return channel.ConversationID(strconv.FormatInt(c.ID, 10))
}

// thread is the topic of a message. Only forums and direct chats have topics; the
// thread id that other groups put on replies means nothing.
func thread(m *telego.Message) channel.ThreadID {
	switch {
	case m.Chat.IsForum && m.MessageThreadID != 0 && m.IsTopicMessage:
		return channel.ThreadID(strconv.Itoa(m.MessageThreadID))
	case m.Chat.IsForum:
		return generalTopic
	case m.Chat.Type == telego.ChatTypePrivate && m.MessageThreadID != 0:
		return channel.ThreadID(strconv.Itoa(m.MessageThreadID))
	}
	return ""
}

func networkID(id int) channel.MessageID { return channel.MessageID(strconv.Itoa(id)) }

// body is a message's text with its formatting: what was written, or the caption, or
// words for what has none.
func body(m *telego.Message) (string, []telego.MessageEntity) {
	text, entities := m.Text, m.Entities
	if text == "" {
		text, entities = m.Caption, m.CaptionEntities
	}
	var extra string
	switch {
	case m.Venue != nil:
		extra = fmt.Sprintf("📍 %s — %s (%s)", m.Venue.Title, m.Venue.Address, position(m.Venue.Location))
	case m.Location != nil && m.Location.LivePeriod > 0:
		extra = "🛰 Live location: " + position(*m.Location)
	case m.Location != nil:
		extra = "📍 " + position(*m.Location)
	case m.Contact != nil:
		name := strings.TrimSpace(m.Contact.FirstName + " " + m.Contact.LastName)
		extra = fmt.Sprintf("<contact: %s, %s>", name, m.Contact.PhoneNumber)
	case m.Dice != nil:
		extra = fmt.Sprintf("%s %d", m.Dice.Emoji, m.Dice.Value)
	}
	switch {
	case extra == "":
		return text, entities
	case text == "":
		return extra, nil
	}
	return text + "\n" + extra, entities
}

func position(l telego.Location) string {
	s := fmt.Sprintf("%.6f, %.6f", l.Latitude, l.Longitude)
	if l.HorizontalAccuracy > 0 {
		s += fmt.Sprintf(" ±%dm", int(l.HorizontalAccuracy+0.5))
	}
	return s
}

// forwarded is the line that tells where a message comes from; empty = it is no forward.
func forwarded(m *telego.Message) string {
	if m.ForwardOrigin == nil {
		return ""
	}
	name := "unknown"
	switch o := m.ForwardOrigin.(type) {
	case *telego.MessageOriginUser:
		s := sender(&o.SenderUser)
		name = s.Name
		if s.Username != "" {
			name += " (@" + s.Username + ")"
		}
	case *telego.MessageOriginHiddenUser:
		name = o.SenderUserName
	case *telego.MessageOriginChat:
		name = chatName(o.SenderChat)
	case *telego.MessageOriginChannel:
		name = chatName(o.Chat)
	}
	at := time.Unix(m.ForwardOrigin.OriginalDate(), 0).UTC().Format("2006-01-02T15:04:05.000Z")
	return "[Forwarded from " + name + " at " + at + "]\n"
}

var spanKinds = map[string]message.SpanKind{
	telego.EntityTypeBold: message.SpanBold, telego.EntityTypeItalic: message.SpanItalic, telego.EntityTypeUnderline: message.SpanUnderline,
	telego.EntityTypeStrikethrough: message.SpanStrike, telego.EntityTypeSpoiler: message.SpanSpoiler, telego.EntityTypeCode: message.SpanCode,
	telego.EntityTypePre: message.SpanCodeBlock, telego.EntityTypeTextLink: message.SpanLink, telego.EntityTypeBlockquote: message.SpanQuote,
	"expandable_blockquote": message.SpanQuote, telego.EntityTypeMention: message.SpanMention, telego.EntityTypeTextMention: message.SpanMention,
}

// spans turns entities, which count UTF-16 units, into spans, which count bytes. shift
// is how many bytes stand before the text.
func spans(text string, entities []telego.MessageEntity, shift int) []message.Span {
	var out []message.Span
	for _, e := range entities {
		kind := spanKinds[e.Type]
		start, end := byteOffset(text, e.Offset), byteOffset(text, e.Offset+e.Length)
		if kind == message.SpanUnspecified || end <= start {
			continue
		}
		s := message.Span{Kind: kind, Offset: shift + start, Length: end - start}
		switch e.Type {
		case telego.EntityTypeTextLink:
			s.Info = e.URL
		case telego.EntityTypePre:
			s.Info = e.Language
		case telego.EntityTypeMention:
			s.Info = text[start:end]
		case telego.EntityTypeTextMention:
			if e.User != nil {
				s.Info = strconv.FormatInt(e.User.ID, 10)
			}
		}
		out = append(out, s)
	}
	return out
}

// byteOffset finds the byte that a count of UTF-16 units points at.
func byteOffset(s string, units int) int {
	n := 0
	for i, r := range s {
		if n >= units {
			return i
		}
		if n++; r >= 0x10000 {
			n++
		}
	}
	return len(s)
}

// mentions lists who is natively mentioned, and whether the bot is.
func mentions(text string, entities []telego.MessageEntity, me telego.User) (people []channel.PersonID, self bool) {
	for _, e := range entities {
		part := text[byteOffset(text, e.Offset):byteOffset(text, e.Offset+e.Length)]
		switch e.Type {
		case telego.EntityTypeMention:
			if me.Username != "" && strings.EqualFold(part, "@"+me.Username) {
				self = true
				continue
			}
			people = append(people, channel.PersonID(part))
		case telego.EntityTypeTextMention:
			switch {
			case e.User == nil:
			case e.User.ID == me.ID:
				self = true
			default:
				people = append(people, channel.PersonID(strconv.FormatInt(e.User.ID, 10)))
			}
		case telego.EntityTypeBotCommand:
			if _, bot, addressed := strings.Cut(part, "@"); addressed && me.Username != "" && strings.EqualFold(bot, me.Username) {
				self = true
			}
		}
	}
	slices.Sort(people)
	return slices.Compact(people), self
}

// quoted is the message that m answers.
func quoted(m *telego.Message, me telego.User) *message.Quoted {
	r := m.ReplyToMessage
	if r == nil {
		if m.Quote == nil {
			return nil
		}
		return &message.Quoted{Text: m.Quote.Text}
	}
	if r.ForumTopicCreated != nil {
		return nil // in a topic, every message that answers nothing "answers" the topic's first
	}
	q := &message.Quoted{ID: networkID(r.MessageID), Sender: author(r), FromSelf: r.From != nil && r.From.ID == me.ID}
	q.Text, _ = body(r)
	if q.Text == "" {
		if refs := mediaRefs(r); len(refs) > 0 {
			q.Text = "<media:" + refs[0].Kind.String() + ">"
		}
	}
	if m.Quote != nil {
		q.Text = m.Quote.Text
	}
	return q
}

// joinText puts a group's texts together: fragments without anything between them.
func joinText(group []*telego.Message) (string, []telego.MessageEntity) {
	text, entities := body(group[0])
	for _, m := range group[1:] {
		t, more := body(m)
		units := 0
		for _, r := range text {
			if units++; r >= 0x10000 {
				units++
			}
		}
		if t != "" && text != "" && m.MediaGroupID != "" {
			text += "\n"
			units++
		}
		for _, e := range more {
			e.Offset += units
			entities = append(slices.Clip(entities), e)
		}
		text += t
	}
	if !utf8.ValidString(text) {
		return strings.ToValidUTF8(text, "\uFFFD"), nil
	}
	return text, entities
}
