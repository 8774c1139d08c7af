package telegram

import (
	"bytes"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Telegram's limits for bots.
const (
	// chunkLimit is below the API's hard limit of 4096.
	chunkLimit   = 4000
	captionLimit = 1024
	// sendGapMS keeps an account below 30 messages a second.
	sendGapMS = 35
)

// Describe implements plugin.Base.
func (a *Adaptor) Describe() channel.Description {
	media := make([]plugin.MediaCap, 0, 7)
	for _, k := range []message.MediaKind{
		message.MediaImage, message.MediaVideo, message.MediaAudio, message.MediaVoice, message.MediaDocument, message.MediaSticker, message.MediaAnimation,
	} {
		media = append(media, plugin.MediaCap{Kind: k, MaxIn: defaultMediaMaxMB << 20, MaxOut: defaultMediaMaxMB << 20})
	}
	return channel.Description{
		ID: "telegram", Label: "Telegram", Version: a.opts.Version, ConfigSchema: bytes.Clone(schema),
		SensitivePaths: []string{"botToken", "webhookSecret", "proxy", "accounts.*.botToken", "accounts.*.webhookSecret", "accounts.*.proxy"},
		Channel: &channel.Caps{
			ChatKinds: []message.ChatKind{message.ChatDirect, message.ChatGroup, message.ChatChannel},
			TextLimit: plugin.TextLimit{N: chunkLimit, Unit: plugin.LengthUTF16, CaptionN: captionLimit},
			Spans: []message.SpanKind{
				message.SpanBold, message.SpanItalic, message.SpanStrike, message.SpanUnderline, message.SpanCode, message.SpanCodeBlock,
				message.SpanLink, message.SpanSpoiler, message.SpanMention,
			},
			Media: media, Pacing: plugin.Pacing{PerAccountMS: sendGapMS}, IdempotentSend: plugin.IdempotentNone,
		},
	}
}
