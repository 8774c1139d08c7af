package telegram

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// The Bot API's limits, in UTF-16 units after markup is taken off.
const (
	maxText    = 4096
	maxCaption = 1024
)

func units(s string) int { return len(utf16.Encode([]rune(s))) }

func setCommands(b *Bot, p Params) (any, *apiError) {
	b.commands = []any{}
	if err := p.Into("commands", &b.commands); err != nil {
		return nil, badRequest("can't parse commands")
	}
	return true, nil
}

// Commands lists the menu that the bot has set.
func (b *Bot) Commands() []any {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return slices.Clone(b.commands)
}

func getChat(b *Bot, p Params) (any, *apiError) {
	c, err := b.target(p)
	if err != nil {
		return nil, err
	}
	return c.object(), nil
}

// target finds the chat that a call is about.
func (b *Bot) target(p Params) (*chat, *apiError) {
	var c *chat
	if name, ok := strings.CutPrefix(p.String("chat_id"), "@"); ok {
		for _, have := range b.chats {
			if strings.EqualFold(have.Title, name) {
				c = have
			}
		}
	} else {
		c = b.chats[p.Int("chat_id")]
	}
	switch {
	case c == nil:
		return nil, badRequest("chat not found")
	case c.blocked:
		return nil, &apiError{code: http.StatusForbidden, text: "Forbidden: bot was blocked by the user"}
	}
	return c, nil
}

// place checks thread and reply of something that is sent.
func place(c *chat, p Params) (thread, replyTo int, err *apiError) {
	thread = int(p.Int("message_thread_id"))
	if thread != 0 && (thread == 1 || !c.hasTopic(thread)) {
		return 0, 0, badRequest("message thread not found")
	}
	var reply struct {
		MessageID                int  `json:"message_id"`
		AllowSendingWithoutReply bool `json:"allow_sending_without_reply"`
	}
	if e := p.Into("reply_parameters", &reply); e != nil {
		return 0, 0, badRequest("can't parse reply parameters")
	}
	if reply.MessageID != 0 {
		if _, ok := c.messages[reply.MessageID]; !ok {
			if !reply.AllowSendingWithoutReply {
				return 0, 0, badRequest("message to be replied not found")
			}
			reply.MessageID = 0
		}
	}
	return thread, reply.MessageID, nil
}

// text reads a text in its parse mode.
func text(p Params, key string) (plain string, entities []Entity, err *apiError) {
	raw := p.String(key)
	switch mode := p.String("parse_mode"); mode {
	case "":
		return strings.TrimSpace(raw), nil, nil
	case "HTML":
		return parseHTML(raw)
	default:
		return "", nil, badRequest("unsupported parse_mode")
	}
}

func sendMessage(b *Bot, p Params) (any, *apiError) {
	c, err := b.target(p)
	if err != nil {
		return nil, err
	}
	plain, entities, err := text(p, "text")
	if err != nil {
		return nil, err
	}
	switch {
	case plain == "":
		return nil, badRequest("message text is empty")
	case units(plain) > maxText:
		return nil, badRequest("message is too long")
	}
	var preview struct {
		IsDisabled bool `json:"is_disabled"`
	}
	if e := p.Into("link_preview_options", &preview); e != nil {
		return nil, badRequest("can't parse link preview options")
	}
	m := Sent{Text: plain, Entities: entities, Raw: p.String("text"), ParseMode: p.String("parse_mode"), NoPreview: preview.IsDisabled}
	return b.accept(c, p, "sendMessage", m, Object{"text": plain})
}

// sendMedia accepts a file by upload, or by the id of one that is known.
func sendMedia(kind string) handler {
	return func(b *Bot, p Params) (any, *apiError) {
		c, err := b.target(p)
		if err != nil {
			return nil, err
		}
		caption, entities, err := text(p, "caption")
		if err != nil {
			return nil, err
		}
		if units(caption) > maxCaption {
			return nil, badRequest("message caption is too long")
		}
		m := Sent{Text: caption, Entities: entities, Raw: p.String("caption"), ParseMode: p.String("parse_mode")}
		name := strings.TrimPrefix(p.String(kind), "attach://")
		up, uploaded := p.files[name]
		if !uploaded {
			up, uploaded = p.files[kind]
		}
		switch known, has := b.s.files[p.String(kind)]; {
		case uploaded:
			m.File, m.FileName, m.FileMIME = up.data, up.name, up.mime
		case has:
			m.File, m.FileName = known.data, known.path
		default:
			return nil, badRequest("wrong file identifier/HTTP URL specified")
		}
		if len(m.File) == 0 {
			return nil, badRequest("file must be non-empty")
		}
		method := "send" + strings.ReplaceAll(strings.ToUpper(kind[:1])+kind[1:], "_n", "N")
		return b.accept(c, p, method, m, Object{"caption": caption})
	}
}

func (b *Bot) accept(c *chat, p Params, method string, m Sent, content Object) (any, *apiError) {
	thread, replyTo, err := place(c, p)
	if err != nil {
		return nil, err
	}
	content["from"] = User{ID: b.ID, FirstName: "Fake", Username: b.Username, IsBot: true}.object()
	if thread != 0 {
		content["message_thread_id"] = thread
	}
	msg := c.put(content)
	m.Bot, m.Method, m.Chat, m.Thread, m.ReplyTo = b.ID, method, c.ID, thread, replyTo
	m.MessageID, m.Silent, m.At = msg["message_id"].(int), p.Bool("disable_notification"), time.Now()
	b.sent = append(b.sent, m)
	return msg, nil
}

func sendChatAction(b *Bot, p Params) (any, *apiError) {
	c, err := b.target(p)
	if err != nil {
		return nil, err
	}
	thread := int(p.Int("message_thread_id"))
	if thread > 1 && !c.hasTopic(thread) {
		return nil, badRequest("message thread not found")
	}
	b.actions = append(b.actions, Action{Chat: c.ID, Thread: thread, Action: p.String("action")})
	return true, nil
}

// own finds a message of the bot's that still stands.
func (b *Bot) own(chat int64, id int) *Sent {
	for i := range b.sent {
		if m := &b.sent[i]; m.Chat == chat && m.MessageID == id && !m.Deleted {
			return m
		}
	}
	return nil
}

func editMessageText(b *Bot, p Params) (any, *apiError) {
	c, err := b.target(p)
	if err != nil {
		return nil, err
	}
	plain, entities, err := text(p, "text")
	if err != nil {
		return nil, err
	}
	m := b.own(c.ID, int(p.Int("message_id")))
	switch {
	case m == nil:
		return nil, badRequest("message to edit not found")
	case plain == "":
		return nil, badRequest("message text is empty")
	case units(plain) > maxText:
		return nil, badRequest("message is too long")
	case m.Text == plain && slices.Equal(m.Entities, entities):
		return nil, badRequest("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	m.Text, m.Entities, m.Raw, m.ParseMode = plain, entities, p.String("text"), p.String("parse_mode")
	m.Edits++
	msg := c.messages[m.MessageID]
	msg["text"] = plain
	return msg, nil
}

func deleteMessage(b *Bot, p Params) (any, *apiError) {
	c, err := b.target(p)
	if err != nil {
		return nil, err
	}
	id := int(p.Int("message_id"))
	m := b.own(c.ID, id)
	if m == nil {
		return nil, badRequest("message to delete not found")
	}
	m.Deleted = true
	delete(c.messages, id)
	return true, nil
}

func setMessageReaction(b *Bot, p Params) (any, *apiError) {
	c, err := b.target(p)
	if err != nil {
		return nil, err
	}
	id := int(p.Int("message_id"))
	if _, ok := c.messages[id]; !ok {
		return nil, badRequest("message to react not found")
	}
	var list []struct {
		Type  string `json:"type"`
		Emoji string `json:"emoji"`
	}
	if e := p.Into("reaction", &list); e != nil {
		return nil, badRequest("can't parse reaction")
	}
	r := Reaction{Chat: c.ID, MessageID: id}
	for _, e := range list {
		if e.Emoji == "" || units(e.Emoji) > 8 {
			return nil, badRequest("REACTION_INVALID")
		}
		r.Emoji = e.Emoji
	}
	b.reactions = append(b.reactions, r)
	return true, nil
}
