package telegram

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

// Object is a JSON object of the Bot API.
type Object = map[string]any

// Bot is one token's side of the server: its chats, what waits for it, what it sent.
type Bot struct {
	// ID and Username are what getMe answers.
	ID       int64
	Username string
	// Token is the one it was made for.
	Token string

	s        *Server
	commands []any

	// All below is guarded by s.mu.
	chats      map[int64]*chat
	updates    []Object // not confirmed yet, in order of update_id
	nextUpdate int64
	confirmed  int64 // all update ids up to it are
	poll       int   // number of the poll that holds the bot; a newer one ends it
	handedOut  map[int64]int
	sent       []Sent
	actions    []Action
	reactions  []Reaction
	webhook    string
}

// chat is a conversation that the bot can write to.
type chat struct {
	Chat
	messages map[int]Object
	next     int
	blocked  bool
}

// Chat describes a conversation. A positive ID is a person's; groups are negative.
type Chat struct {
	ID    int64
	Type  string // private, group, supergroup, channel; empty = by ID
	Title string
	// Forum makes a supergroup with topics; Topics are those that exist beside General.
	Forum  bool
	Topics []int
}

// User is a person, or another bot.
type User struct {
	ID        int64
	FirstName string
	LastName  string
	Username  string
	IsBot     bool
}

func (u User) object() Object {
	o := Object{"id": u.ID, "is_bot": u.IsBot, "first_name": u.FirstName}
	if u.LastName != "" {
		o["last_name"] = u.LastName
	}
	if u.Username != "" {
		o["username"] = u.Username
	}
	return o
}

func newBot(s *Server, token string) *Bot {
	id, _, _ := strings.Cut(token, ":")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("fake telegram: token %q is malformed", token))
	}
	return &Bot{ID: n, Username: "fake_" + id + "_bot", Token: token, s: s, chats: map[int64]*chat{}, nextUpdate: 1000, handedOut: map[int64]int{}}
}

func (b *Bot) self() Object {
	return Object{
		"id": b.ID, "is_bot": true, "first_name": "Fake", "username": b.Username, "can_join_groups": true,
		"can_read_all_group_messages": true, "supports_inline_queries": false,
	}
}

// SetWebhook pretends that the bot was used with a webhook before: polls get 409 until it is deleted.
func (b *Bot) SetWebhook(url string) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.webhook = url
}

// AddChat makes a conversation known, or changes it.
func (b *Bot) AddChat(c Chat) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.chat(c.ID).Chat = withType(c)
}

// Block makes a chat refuse the bot with 403, or with false take it back.
func (b *Bot) Block(chat int64, blocked bool) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.chat(chat).blocked = blocked
}

func withType(c Chat) Chat {
	switch {
	case c.Type != "":
	case c.ID > 0:
		c.Type = "private"
	case c.Forum || c.ID < -1_000_000_000_000:
		c.Type = "supergroup"
	default:
		c.Type = "group"
	}
	if c.Title == "" && c.ID < 0 {
		c.Title = fmt.Sprintf("Group %d", -c.ID)
	}
	return c
}

// chat is called with mu held; it makes the chat when it is new.
func (b *Bot) chat(id int64) *chat {
	c := b.chats[id]
	if c == nil {
		c = &chat{Chat: withType(Chat{ID: id}), messages: map[int]Object{}, next: 1}
		b.chats[id] = c
	}
	return c
}

func (c *chat) object() Object {
	o := Object{"id": c.ID, "type": c.Type}
	if c.Title != "" {
		o["title"] = c.Title
	}
	if c.Forum {
		o["is_forum"] = true
	}
	return o
}

func (c *chat) hasTopic(id int) bool {
	for _, t := range c.Topics {
		if t == id {
			return true
		}
	}
	return false
}

// put stores a message and gives it its id. Called with mu held.
func (c *chat) put(m Object) Object {
	if _, has := m["message_id"]; !has {
		m["message_id"] = c.next
	}
	id := m["message_id"].(int)
	c.next = max(c.next, id) + 1
	m["chat"] = c.object()
	if _, has := m["date"]; !has {
		m["date"] = time.Now().Unix()
	}
	c.messages[id] = m
	return maps.Clone(m)
}
