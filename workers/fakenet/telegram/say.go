package telegram

import (
	"context"
	"fmt"
	"maps"
)

// Posted names a message that a person wrote, and the update that tells the bot of it.
type Posted struct {
	Chat      int64
	MessageID int
	UpdateID  int64
}

// Say lets a person write a text; to the bot itself where chat is the person's id.
func (b *Bot) Say(chat int64, from User, text string) Posted {
	return b.Post(chat, from, Object{"text": text})
}

// Post lets a person write a message with the given fields (text, photo, document,
// entities, reply_to_message, message_thread_id …).
func (b *Bot) Post(chat int64, from User, fields Object) Posted {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	m := maps.Clone(fields)
	if from.FirstName == "" {
		from.FirstName = fmt.Sprintf("User %d", from.ID)
	}
	m["from"] = from.object()
	c := b.chat(chat)
	m = c.put(m)
	return Posted{Chat: chat, MessageID: m["message_id"].(int), UpdateID: b.push(Object{"message": m})}
}

// Edit lets a person change a message; fields are laid over the old ones.
func (b *Bot) Edit(p Posted, fields Object) Posted {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	c := b.chat(p.Chat)
	m := maps.Clone(c.messages[p.MessageID])
	if m == nil {
		m = Object{}
	}
	date, _ := m["edit_date"].(int64)
	if sent, ok := m["date"].(int64); ok {
		date = max(date, sent)
	}
	m["edit_date"] = date + 1
	maps.Copy(m, fields)
	c.messages[p.MessageID] = m
	return Posted{Chat: p.Chat, MessageID: p.MessageID, UpdateID: b.push(Object{"edited_message": maps.Clone(m)})}
}

// React lets a person change their reaction to a message from one emoji to another;
// empty = none.
func (b *Bot) React(chat int64, messageID int, from User, was, is string) int64 {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	list := func(e string) []any {
		if e == "" {
			return []any{}
		}
		return []any{Object{"type": "emoji", "emoji": e}}
	}
	return b.push(Object{"message_reaction": Object{
		"chat": b.chat(chat).object(), "message_id": messageID, "user": from.object(), "date": 1, "old_reaction": list(was), "new_reaction": list(is),
	}})
}

// Press lets a person press a button under one of the bot's messages.
func (b *Bot) Press(chat int64, messageID int, from User, data string) int64 {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	m := maps.Clone(b.chat(chat).messages[messageID])
	return b.push(Object{"callback_query": Object{
		"id": fmt.Sprintf("press-%d", b.nextUpdate), "from": from.object(), "message": m, "chat_instance": "1", "data": data,
	}})
}

// Push queues an update as it is, but for its update_id.
func (b *Bot) Push(update Object) int64 {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return b.push(maps.Clone(update))
}

// push is called with mu held.
func (b *Bot) push(u Object) int64 {
	id := b.nextUpdate
	b.nextUpdate++
	u["update_id"] = id
	b.updates = append(b.updates, u)
	b.s.wake()
	return id
}

// Confirmed tells whether the bot has confirmed an update.
func (b *Bot) Confirmed(updateID int64) bool {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return b.confirmed >= updateID
}

// AwaitConfirmed blocks until the bot has confirmed an update.
func (b *Bot) AwaitConfirmed(ctx context.Context, updateID int64) error {
	return b.s.await(ctx, fmt.Sprintf("confirmation of update %d", updateID), func() bool { return b.confirmed >= updateID })
}

// HandedOut tells how often an update was given to the bot.
func (b *Bot) HandedOut(updateID int64) int {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return b.handedOut[updateID]
}

// AwaitHandedOut blocks until an update was given to the bot at least n times.
func (b *Bot) AwaitHandedOut(ctx context.Context, updateID int64, n int) error {
	return b.s.await(ctx, fmt.Sprintf("hand-out of update %d", updateID), func() bool { return b.handedOut[updateID] >= n })
}

// AwaitPoll blocks until the bot has polled.
func (b *Bot) AwaitPoll(ctx context.Context) error {
	return b.s.await(ctx, "a poll", func() bool { return b.poll > 0 })
}

// Say speaks to the one bot of a test, which has Token.
func (s *Server) Say(chat int64, from User, text string) Posted {
	return s.Bot(Token).Say(chat, from, text)
}
