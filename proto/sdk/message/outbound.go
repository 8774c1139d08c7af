package message

// Text is one text in the forms a renderer may choose from: Plain with Spans, or
// the Markdown they were made from.
type Text struct {
	Plain    string
	Spans    []Span
	Markdown string
}

// MediaMeta describes one file of an outbound message.
type MediaMeta struct {
	Kind MediaKind
	MIME string
	Name string
	// Size in bytes.
	Size int64
	// SHA256 of the bytes, lower-case hex.
	SHA256 string
}

// Outbound is what one Send puts on the network: one message, or one album.
type Outbound struct {
	// Delivery is the same on every attempt; the worker derives its network's own
	// idempotency key from it.
	Delivery     DeliveryID
	Account      AccountID
	Conversation ConversationID
	Thread       ThreadID
	// ReplyTo is the message this one answers; empty for none.
	ReplyTo     MessageID
	Text        Text
	Media       []MediaMeta
	Silent      bool
	LinkPreview bool
	// ChannelData is JSON that only this channel understands.
	ChannelData string
	// Attempt is 1 on the first.
	Attempt int
}

// SendResult is a worker's word on one send.
type SendResult struct {
	Outcome Outcome
	// ID is the network's id of the message, when Sent.
	ID MessageID
	// RetryAfterMS is how long the network asked us to wait, when NotSent; 0 = it did not say.
	RetryAfterMS int64
	// Code is stable and for machines; Text is for people. Neither holds a secret or the message.
	Code string
	Text string
}
