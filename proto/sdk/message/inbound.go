package message

// Sender is the person, or bot, that wrote a message.
type Sender struct {
	ID       PersonID
	Name     string
	Username string
	// Tag is a second handle some networks have.
	Tag string
	// E164 is the phone number with its leading plus, where the network has one.
	E164  string
	IsBot bool
}

// Span is a formatted stretch of a plain text; Offset and Length count bytes of
// UTF-8 and never cut a character. Info is the URL of a link, the language of a
// code block, or the id of a person mentioned.
type Span struct {
	Kind   SpanKind
	Offset int
	Length int
	Info   string
}

// MediaRef points at bytes that the worker can fetch later. Opaque (at most
// MaxMediaRef bytes) must stay valid over a restart of the worker.
type MediaRef struct {
	Opaque []byte
	Kind   MediaKind
	MIME   string
	// Size in bytes; 0 where the network does not say.
	Size int64
	Name string
	// ExpiresMS is 0 where no end is known.
	ExpiresMS int64
}

// MaxMediaRef is the largest MediaRef.Opaque in bytes.
const MaxMediaRef = 4 << 10

// Quoted is the message that another one answers.
type Quoted struct {
	ID     MessageID
	Sender Sender
	Text   string
	// FromSelf is true when our own account wrote it.
	FromSelf bool
}

// Cursor is a named position in a network's event log. It is stored in the same
// transaction as the event that moved it.
type Cursor struct {
	Name  string
	Value string
}

// Inbound is one message that arrived from a network.
type Inbound struct {
	Account AccountID
	// EventKey is equal when the network redelivers, and different for every edit,
	// reaction and button press.
	EventKey         string
	Conversation     ConversationID
	Thread           ThreadID
	ChatKind         ChatKind
	ConversationName string
	Sender           Sender
	Text             string
	Entities         []Span
	ReplyTo          *Quoted
	Mentions         []PersonID
	// MentionsSelf is true when our own account is natively mentioned.
	MentionsSelf  bool
	Media         []MediaRef
	NetworkTimeMS int64
	Cursor        *Cursor
	ID            MessageID
	// ChannelData is JSON that only this channel understands, at most 16 KiB.
	ChannelData string
}

// InboundEdit says that a message was changed by its author.
type InboundEdit struct {
	// Message is the message as it now stands, under an EventKey of its own.
	Message    Inbound
	EditTimeMS int64
}

// InboundReaction says that somebody put a reaction on a message, or took it away.
type InboundReaction struct {
	Account       AccountID
	EventKey      string
	Conversation  ConversationID
	Thread        ThreadID
	ChatKind      ChatKind
	Sender        Sender
	ID            MessageID
	Emoji         string
	Removed       bool
	NetworkTimeMS int64
	Cursor        *Cursor
}
