package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/mymmrac/telego"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Send implements channel.Plugin.
func (a *Adaptor) Send(ctx context.Context, m channel.Outbound, media channel.MediaSource) channel.SendResult {
	acc, done, refusal := a.use(m.Account)
	if acc == nil {
		return refusal
	}
	defer done()
	return acc.send(ctx, m, media)
}

// messageOf reads which message a change is about.
func messageOf(r channel.MessageRef) (place, int, error) {
	p, err := placeOf(r.Conversation, "", false)
	if err != nil {
		return p, 0, err
	}
	id, err := strconv.Atoi(string(r.ID))
	if err != nil || id <= 0 {
		return p, 0, fmt.Errorf("%q is no message of Telegram's", r.ID)
	}
	return p, id, nil
}

// change makes one change to a message.
func (a *Adaptor) change(ref channel.MessageRef, f func(*account, place, int) error) channel.SendResult {
	p, id, err := messageOf(ref)
	if err != nil {
		return refuse("bad_target", err.Error())
	}
	acc, done, refusal := a.use(ref.Account)
	if acc == nil {
		return refusal
	}
	defer done()
	return acc.outcome(ref.ID, f(acc, p, id))
}

// Edit implements channel.Editor. A text that is there already counts as changed.
func (a *Adaptor) Edit(ctx context.Context, ref channel.MessageRef, text channel.Text, channelData string) channel.SendResult {
	var d data
	if channelData != "" && json.Unmarshal([]byte(channelData), &d) != nil {
		return refuse("bad_channel_data", "the channel data is not what Telegram's worker reads")
	}
	r := a.change(ref, func(acc *account, p place, id int) error {
		call := func(text, mode string) error {
			_, err := acc.client.bot.EditMessageText(ctx, &telego.EditMessageTextParams{ChatID: p.chat, MessageID: id, Text: text, ParseMode: mode, ReplyMarkup: d.keyboard()})
			return err
		}
		err := call(renderHTML(text), telego.ModeHTML)
		if err != nil && isMarkupError(err) {
			err = call(text.Plain, "")
		}
		return err
	})
	if r.Outcome == message.Refused && r.Code == "not_modified" {
		return sentResult(ref.ID)
	}
	return r
}

// Delete implements channel.Deleter. A message that is gone counts as taken back.
func (a *Adaptor) Delete(ctx context.Context, ref channel.MessageRef) channel.SendResult {
	r := a.change(ref, func(acc *account, p place, id int) error {
		return acc.client.bot.DeleteMessage(ctx, &telego.DeleteMessageParams{ChatID: p.chat, MessageID: id})
	})
	if r.Outcome == message.Refused && r.Code == "message_not_found" {
		return sentResult(ref.ID)
	}
	return r
}

// React implements channel.Reactor. A bot has one reaction per message: to take away
// any is to take away that one.
func (a *Adaptor) React(ctx context.Context, ref channel.MessageRef, emoji string, remove bool) channel.SendResult {
	if remove && emoji == "" {
		return refuse("bad_reaction", "an emoji is needed")
	}
	return a.change(ref, func(acc *account, p place, id int) error {
		params := &telego.SetMessageReactionParams{ChatID: p.chat, MessageID: id}
		if !remove && emoji != "" {
			params.Reaction = []telego.ReactionType{&telego.ReactionTypeEmoji{Type: telego.ReactionEmoji, Emoji: emoji}}
		}
		return acc.client.bot.SetMessageReaction(ctx, params)
	})
}

// Typing implements channel.Typer. Telegram takes the sign down by itself.
func (a *Adaptor) Typing(ctx context.Context, p channel.Place, active bool) error {
	if !active {
		return nil
	}
	acc, err := a.running(p.Account)
	if err != nil {
		return err
	}
	to, err := placeOf(p.Conversation, p.Thread, true)
	if err != nil {
		return err
	}
	err = acc.client.bot.SendChatAction(ctx, &telego.SendChatActionParams{ChatID: to.chat, MessageThreadID: to.thread, Action: telego.ChatActionTyping})
	return acc.redacted("typing", err)
}

// redacted wraps an error for the supervisor, without the token.
func (a *account) redacted(op string, err error) error {
	if err == nil {
		return nil
	}
	return errors.New(op + ": " + redact(a.cfg.BotToken, err.Error()))
}
