package telegram

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/mymmrac/telego"
	ta "github.com/mymmrac/telego/telegoapi"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// refuse is a refusal of our own, before anything was sent.
func refuse(code, text string) message.SendResult {
	return message.SendResult{Outcome: message.Refused, Code: code, Text: text}
}

// place is where a message goes, in Telegram's terms.
type place struct {
	chat   telego.ChatID
	thread int
}

// placeOf reads a conversation and a thread. typing names the General topic, all else leaves it out: the API wants it so.
func placeOf(c channel.ConversationID, t channel.ThreadID, typing bool) (place, error) {
	var p place
	switch id, err := strconv.ParseInt(string(c), 10, 64); {
	case err == nil && id != 0:
		p.chat.ID = id
	case strings.HasPrefix(string(c), "@") && len(c) > 1:
		p.chat.Username = string(c)
	default:
		return p, fmt.Errorf("%q is no chat of Telegram's; %s", c, targetHint)
	}
	if t == "" || t == generalTopic && !typing && p.chat.ID < 0 {
		return p, nil
	}
	n, err := strconv.Atoi(string(t))
	if err != nil || n <= 0 {
		return p, fmt.Errorf("%q is no topic of Telegram's", t)
	}
	p.thread = n
	return p, nil
}

// data is what a sender may ask for that only Telegram knows.
type data struct {
	Buttons     [][]button `json:"buttons"`
	AsVideoNote bool       `json:"asVideoNote"`
}

type button struct {
	Text         string `json:"text"`
	CallbackData string `json:"callback_data"`
	URL          string `json:"url"`
}

func (d data) markup() telego.ReplyMarkup {
	if k := d.keyboard(); k != nil {
		return k
	}
	return nil
}

func (d data) keyboard() *telego.InlineKeyboardMarkup {
	if len(d.Buttons) == 0 {
		return nil
	}
	k := &telego.InlineKeyboardMarkup{}
	for _, row := range d.Buttons {
		var out []telego.InlineKeyboardButton
		for _, b := range row {
			out = append(out, telego.InlineKeyboardButton{Text: b.Text, CallbackData: b.CallbackData, URL: b.URL})
		}
		k.InlineKeyboard = append(k.InlineKeyboard, out)
	}
	return k
}

// outgoing is one send, read and checked.
type outgoing struct {
	place
	data
	m       channel.Outbound
	reply   *telego.ReplyParameters
	preview *telego.LinkPreviewOptions
	uploads []*upload
}

// send puts one message on the network; see channel.Plugin.
func (a *account) send(ctx context.Context, m channel.Outbound, media channel.MediaSource) message.SendResult {
	o, refusal := a.prepare(m, media)
	if refusal != nil {
		return *refusal
	}
	id, err := a.perform(ctx, o, telego.ModeHTML)
	if err != nil && isMarkupError(err) && len(o.uploads) == 0 {
		// The one repetition that a worker may make: the rendering was refused, nothing was sent.
		a.report.log.Warn("formatting was refused: sending plain text", "delivery", string(m.Delivery))
		id, err = a.perform(ctx, o, "")
	}
	return a.outcome(id, err)
}

// outcome reads a call's end and notes what it says of the account.
func (a *account) outcome(id channel.MessageID, err error) message.SendResult {
	if err == nil {
		a.report.sent()
		return sentResult(id)
	}
	f := classify(err)
	a.report.sendFailed(f, a.cfg.BotToken)
	return f.result(a.cfg.BotToken)
}

func isMarkupError(err error) bool {
	var e *ta.Error
	return errors.As(err, &e) && e.ErrorCode == 400 && strings.Contains(e.Description, "can't parse entities")
}

func (a *account) prepare(m channel.Outbound, media channel.MediaSource) (*outgoing, *message.SendResult) {
	o := &outgoing{m: m}
	fail := func(code, text string) (*outgoing, *message.SendResult) {
		r := refuse(code, text)
		return nil, &r
	}
	var err error
	if o.place, err = placeOf(m.Conversation, m.Thread, false); err != nil {
		return fail("bad_target", err.Error())
	}
	if m.ChannelData != "" {
		if err := json.Unmarshal([]byte(m.ChannelData), &o.data); err != nil {
			return fail("bad_channel_data", "the channel data is not what Telegram's worker reads")
		}
	}
	if m.ReplyTo != "" {
		n, err := strconv.Atoi(string(m.ReplyTo))
		if err != nil {
			return fail("bad_reply", fmt.Sprintf("%q is no message of Telegram's", m.ReplyTo))
		}
		o.reply = &telego.ReplyParameters{MessageID: n, AllowSendingWithoutReply: true}
	}
	if !m.LinkPreview || a.cfg.LinkPreview != nil && !*a.cfg.LinkPreview {
		o.preview = &telego.LinkPreviewOptions{IsDisabled: true}
	}
	for i, meta := range m.Media {
		o.uploads = append(o.uploads, &upload{source: media, meta: meta, index: i, name: fileName(i, meta)})
	}
	if limit := a.cfg.mediaMax(); len(o.uploads) > 0 {
		for _, u := range o.uploads {
			if u.meta.Size > limit {
				return fail("too_large", fmt.Sprintf("the file has %d bytes, the limit is %d (mediaMaxMb)", u.meta.Size, limit))
			}
		}
	}
	return o, nil
}

// fileName is the name people see; unique within a send.
func fileName(i int, m channel.MediaMeta) string {
	name := path.Base(strings.ReplaceAll(m.Name, `\`, "/"))
	if m.Name == "" || name == "." || name == "/" {
		_, sub, _ := strings.Cut(m.MIME, "/")
		name = "file" + strconv.Itoa(i+1)
		if ext := map[string]string{"jpeg": ".jpg", "png": ".png", "gif": ".gif", "webp": ".webp", "mp4": ".mp4", "mpeg": ".mp3", "ogg": ".ogg", "pdf": ".pdf"}[sub]; ext != "" {
			name += ext
		}
	}
	if i > 0 {
		name = strconv.Itoa(i+1) + "-" + name
	}
	return name
}

// perform makes the one call of a send.
func (a *account) perform(ctx context.Context, o *outgoing, mode string) (channel.MessageID, error) {
	text := o.m.Text.Plain
	if mode == telego.ModeHTML {
		text = renderHTML(o.m.Text)
	}
	switch len(o.uploads) {
	case 0:
		return idOf(a.client.bot.SendMessage(ctx, &telego.SendMessageParams{
			ChatID: o.chat, MessageThreadID: o.thread, Text: text, ParseMode: mode, LinkPreviewOptions: o.preview,
			DisableNotification: o.m.Silent, ReplyParameters: o.reply, ReplyMarkup: o.markup(),
		}))
	case 1:
		if text == "" {
			mode = ""
		}
		return a.sendFile(ctx, o, text, mode)
	}
	return a.sendAlbum(ctx, o, text, mode)
}

// idOf reads the answer of a send. One that was taken and whose id is not understood is sent all the same.
func idOf(m *telego.Message, err error) (channel.MessageID, error) {
	if err != nil {
		return "", err
	}
	if m == nil || m.MessageID == 0 {
		return "unknown", nil
	}
	return networkID(m.MessageID), nil
}

func (a *account) sendFile(ctx context.Context, o *outgoing, caption, mode string) (channel.MessageID, error) {
	u, bot := o.uploads[0], a.client.bot
	f := u.input()
	switch kind := u.meta.Kind; {
	case o.AsVideoNote && kind == message.MediaVideo:
		return idOf(bot.SendVideoNote(ctx, &telego.SendVideoNoteParams{ChatID: o.chat, MessageThreadID: o.thread, VideoNote: f, DisableNotification: o.m.Silent, ReplyParameters: o.reply, ReplyMarkup: o.markup()}))
	case kind == message.MediaAnimation, kind == message.MediaImage && u.meta.MIME == "image/gif":
		return idOf(bot.SendAnimation(ctx, &telego.SendAnimationParams{ChatID: o.chat, MessageThreadID: o.thread, Animation: f, Caption: caption, ParseMode: mode, DisableNotification: o.m.Silent, ReplyParameters: o.reply, ReplyMarkup: o.markup()}))
	case kind == message.MediaImage:
		return idOf(bot.SendPhoto(ctx, &telego.SendPhotoParams{ChatID: o.chat, MessageThreadID: o.thread, Photo: f, Caption: caption, ParseMode: mode, DisableNotification: o.m.Silent, ReplyParameters: o.reply, ReplyMarkup: o.markup()}))
	case kind == message.MediaVideo:
		return idOf(bot.SendVideo(ctx, &telego.SendVideoParams{ChatID: o.chat, MessageThreadID: o.thread, Video: f, Caption: caption, ParseMode: mode, DisableNotification: o.m.Silent, ReplyParameters: o.reply, ReplyMarkup: o.markup()}))
	case kind == message.MediaVoice:
		return idOf(bot.SendVoice(ctx, &telego.SendVoiceParams{ChatID: o.chat, MessageThreadID: o.thread, Voice: f, Caption: caption, ParseMode: mode, DisableNotification: o.m.Silent, ReplyParameters: o.reply, ReplyMarkup: o.markup()}))
	case kind == message.MediaAudio:
		return idOf(bot.SendAudio(ctx, &telego.SendAudioParams{ChatID: o.chat, MessageThreadID: o.thread, Audio: f, Caption: caption, ParseMode: mode, DisableNotification: o.m.Silent, ReplyParameters: o.reply, ReplyMarkup: o.markup()}))
	case kind == message.MediaSticker:
		return idOf(bot.SendSticker(ctx, &telego.SendStickerParams{ChatID: o.chat, MessageThreadID: o.thread, Sticker: f, DisableNotification: o.m.Silent, ReplyParameters: o.reply, ReplyMarkup: o.markup()}))
	}
	return idOf(bot.SendDocument(ctx, &telego.SendDocumentParams{ChatID: o.chat, MessageThreadID: o.thread, Document: f, Caption: caption, ParseMode: mode, DisableNotification: o.m.Silent, ReplyParameters: o.reply, ReplyMarkup: o.markup()}))
}

// sendAlbum sends up to ten files as one album. Telegram mixes photos with videos, and
// nothing else; what cannot be shown so goes as documents.
func (a *account) sendAlbum(ctx context.Context, o *outgoing, caption, mode string) (channel.MessageID, error) {
	visual, audio := true, true
	for _, u := range o.uploads {
		visual = visual && (u.meta.Kind == message.MediaImage || u.meta.Kind == message.MediaVideo)
		audio = audio && u.meta.Kind == message.MediaAudio
	}
	var items []telego.InputMedia
	for i, u := range o.uploads {
		text, m := "", ""
		if i == 0 && caption != "" {
			text, m = caption, mode
		}
		switch {
		case visual && u.meta.Kind == message.MediaImage:
			items = append(items, &telego.InputMediaPhoto{Type: telego.MediaTypePhoto, Media: u.input(), Caption: text, ParseMode: m})
		case visual:
			items = append(items, &telego.InputMediaVideo{Type: telego.MediaTypeVideo, Media: u.input(), Caption: text, ParseMode: m})
		case audio:
			items = append(items, &telego.InputMediaAudio{Type: telego.MediaTypeAudio, Media: u.input(), Caption: text, ParseMode: m})
		default:
			items = append(items, &telego.InputMediaDocument{Type: telego.MediaTypeDocument, Media: u.input(), Caption: text, ParseMode: m})
		}
	}
	sent, err := a.client.bot.SendMediaGroup(ctx, &telego.SendMediaGroupParams{ChatID: o.chat, MessageThreadID: o.thread, Media: items, DisableNotification: o.m.Silent, ReplyParameters: o.reply})
	if err != nil {
		return "", err
	}
	if len(sent) == 0 {
		return "unknown", nil
	}
	return cmp.Or(networkID(sent[0].MessageID), "unknown"), nil
}
