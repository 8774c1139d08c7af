package message

import (
	messagev1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/message/v1"
)

// ChatKind tells how many people are in a conversation. The numbers are the wire's.
type ChatKind int32

// The kinds of chat.
const (
	ChatUnspecified ChatKind = 0
	ChatDirect      ChatKind = 1
	ChatGroup       ChatKind = 2
	ChatChannel     ChatKind = 3
)

// String gives the word that config, session keys and protocol v3 use.
func (k ChatKind) String() string {
	switch k {
	case ChatDirect:
		return "direct"
	case ChatGroup:
		return "group"
	case ChatChannel:
		return "channel"
	}
	return "unspecified"
}

// SpanKind names one kind of formatting. The numbers are the wire's.
type SpanKind int32

// The kinds of formatting.
const (
	SpanUnspecified SpanKind = 0
	SpanBold        SpanKind = 1
	SpanItalic      SpanKind = 2
	SpanStrike      SpanKind = 3
	SpanUnderline   SpanKind = 4
	SpanCode        SpanKind = 5
	SpanCodeBlock   SpanKind = 6
	SpanLink        SpanKind = 7
	SpanSpoiler     SpanKind = 8
	SpanQuote       SpanKind = 9
	SpanMention     SpanKind = 10
)

// MediaKind tells what a file is to the network. The numbers are the wire's.
type MediaKind int32

// The kinds of media.
const (
	MediaUnspecified MediaKind = 0
	MediaImage       MediaKind = 1
	MediaVideo       MediaKind = 2
	MediaAudio       MediaKind = 3
	MediaVoice       MediaKind = 4
	MediaDocument    MediaKind = 5
	MediaSticker     MediaKind = 6
	MediaAnimation   MediaKind = 7
)

// String gives the word used in placeholders such as <media:image>.
func (k MediaKind) String() string {
	switch k {
	case MediaImage:
		return "image"
	case MediaVideo, MediaAnimation:
		return "video"
	case MediaAudio, MediaVoice:
		return "audio"
	case MediaDocument:
		return "document"
	case MediaSticker:
		return "sticker"
	}
	return "attachment"
}

// Outcome is what became of a send. The numbers are the wire's.
type Outcome int32

// The outcomes. Unspecified counts as a permanent refusal.
const (
	OutcomeUnspecified Outcome = 0
	// Sent: the network took it.
	Sent Outcome = 1
	// Refused: the network will never take it.
	Refused Outcome = 2
	// NotSent: it certainly was not taken; trying again is safe.
	NotSent Outcome = 3
	// Unknown: it may have been taken; never try again blindly.
	Unknown Outcome = 4
)

// String gives the word that the outbox and the CLI show.
func (o Outcome) String() string {
	switch o {
	case Sent:
		return "sent"
	case NotSent:
		return "not sent"
	case Unknown:
		return "unknown"
	}
	return "refused"
}

func outcomeFromWire(o messagev1.Outcome) Outcome {
	switch Outcome(o) {
	case Sent, NotSent, Unknown:
		return Outcome(o)
	}
	return Refused
}
