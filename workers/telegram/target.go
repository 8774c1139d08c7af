package telegram

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/mymmrac/telego"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// targetHint names what a person may type.
const targetHint = "a target is a numeric chat id, @username, a t.me link, or <chatId>:topic:<n>"

var (
	numericTarget = regexp.MustCompile(`^(-?\d+)(?::(?:topic:)?(\d+))?$`)
	namedTarget   = regexp.MustCompile(`^@?([A-Za-z][A-Za-z0-9_]{3,31})(?::(?:topic:)?(\d+))?$`)
	linkTarget    = regexp.MustCompile(`^(?:https?://)?(?:www\.)?(?:t\.me|telegram\.me|telegram\.dog)/([A-Za-z][A-Za-z0-9_]{3,31})(?:/(\d+))?/?$`)
)

// parseTarget reads what a person typed: a chat id or @name, and a topic.
func parseTarget(s string) (chat, topic string, err error) {
	t := strings.TrimSpace(s)
	for {
		name, rest, found := strings.Cut(t, ":")
		switch strings.ToLower(name) {
		case "telegram", "tg", "group":
			if found {
				t = strings.TrimSpace(rest)
				continue
			}
		}
		break
	}
	if m := numericTarget.FindStringSubmatch(t); m != nil {
		return m[1], m[2], nil
	}
	if m := linkTarget.FindStringSubmatch(t); m != nil {
		return "@" + m[1], "", nil // the number after the name is a message, not a topic
	}
	if m := namedTarget.FindStringSubmatch(t); m != nil {
		return "@" + m[1], m[2], nil
	}
	return "", "", fmt.Errorf("%q is no target of Telegram's: %s", s, targetHint)
}

// ResolveTarget implements channel.Resolver. Only names ask Telegram.
func (a *Adaptor) ResolveTarget(ctx context.Context, id channel.AccountID, target string) (channel.Target, error) {
	chat, topic, err := parseTarget(target)
	if err != nil {
		return channel.Target{}, err
	}
	t := channel.Target{Conversation: channel.ConversationID(chat), Thread: channel.ThreadID(topic), ChatKind: message.ChatDirect}
	if strings.HasPrefix(chat, "-") {
		t.ChatKind = message.ChatGroup
	}
	if !strings.HasPrefix(chat, "@") {
		return t, nil
	}
	acc, err := a.running(id)
	if err != nil {
		return channel.Target{}, err
	}
	c, err := acc.client.bot.GetChat(ctx, &telego.GetChatParams{ChatID: telego.ChatID{Username: chat}})
	if err != nil {
		return channel.Target{}, acc.redacted("resolve "+chat, err)
	}
	short := telego.Chat{ID: c.ID, Type: c.Type, Title: c.Title, FirstName: c.FirstName, LastName: c.LastName}
	t.Conversation, t.ChatKind, t.Name = conversation(short), chatKind(short), chatName(short)
	return t, nil
}

// GroupInfo implements channel.GroupInformer. Telegram shows a bot no list of members.
func (a *Adaptor) GroupInfo(ctx context.Context, id channel.AccountID, conversationID channel.ConversationID) (channel.Group, error) {
	acc, err := a.running(id)
	if err != nil {
		return channel.Group{}, err
	}
	p, err := placeOf(conversationID, "", false)
	if err != nil {
		return channel.Group{}, err
	}
	c, err := acc.client.bot.GetChat(ctx, &telego.GetChatParams{ChatID: p.chat})
	if err != nil {
		return channel.Group{}, acc.redacted("group info", err)
	}
	return channel.Group{Name: c.Title, Topic: c.Description}, nil
}
