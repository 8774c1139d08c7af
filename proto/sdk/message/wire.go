package message

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	messagev1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/message/v1"
)

// ToWire gives the protobuf form. It is for the SDK's adapters.
func (s Sender) ToWire() *messagev1.Sender {
	return &messagev1.Sender{Id: string(s.ID), Name: s.Name, Username: s.Username, Tag: s.Tag, E164: s.E164, IsBot: s.IsBot}
}

// SenderFromWire is the inverse of Sender.ToWire; nil gives the zero Sender.
func SenderFromWire(w *messagev1.Sender) Sender {
	return Sender{ID: PersonID(w.GetId()), Name: w.GetName(), Username: w.GetUsername(), Tag: w.GetTag(), E164: w.GetE164(), IsBot: w.GetIsBot()}
}

func spansToWire(spans []Span) []*messagev1.Span {
	if len(spans) == 0 {
		return nil
	}
	out := make([]*messagev1.Span, len(spans))
	for i, s := range spans {
		out[i] = &messagev1.Span{Kind: messagev1.SpanKind(s.Kind), Offset: uint32(max(s.Offset, 0)), Length: uint32(max(s.Length, 0)), Info: s.Info}
	}
	return out
}

func spansFromWire(w []*messagev1.Span) []Span {
	if len(w) == 0 {
		return nil
	}
	out := make([]Span, len(w))
	for i, s := range w {
		out[i] = Span{Kind: SpanKind(s.GetKind()), Offset: int(s.GetOffset()), Length: int(s.GetLength()), Info: s.GetInfo()}
	}
	return out
}

// ToWire gives the protobuf form. It is for the SDK's adapters.
func (t Text) ToWire() *messagev1.Text {
	return &messagev1.Text{Plain: t.Plain, Spans: spansToWire(t.Spans), Markdown: t.Markdown}
}

// TextFromWire is the inverse of Text.ToWire.
func TextFromWire(w *messagev1.Text) Text {
	return Text{Plain: w.GetPlain(), Spans: spansFromWire(w.GetSpans()), Markdown: w.GetMarkdown()}
}

// ToWire gives the protobuf form. It is for the SDK's adapters.
func (m MediaRef) ToWire() *messagev1.MediaRef {
	return &messagev1.MediaRef{Opaque: m.Opaque, Kind: messagev1.MediaKind(m.Kind), Mime: m.MIME, Size: m.Size, Name: m.Name, ExpiresAtMs: m.ExpiresMS}
}

// MediaRefFromWire is the inverse of MediaRef.ToWire.
func MediaRefFromWire(w *messagev1.MediaRef) MediaRef {
	return MediaRef{Opaque: w.GetOpaque(), Kind: MediaKind(w.GetKind()), MIME: w.GetMime(), Size: w.GetSize(), Name: w.GetName(), ExpiresMS: w.GetExpiresAtMs()}
}

// ToWire gives the protobuf form; nil stays nil. It is for the SDK's adapters.
func (c *Cursor) ToWire() *messagev1.Cursor {
	if c == nil {
		return nil
	}
	return &messagev1.Cursor{Name: c.Name, Value: c.Value}
}

// CursorFromWire is the inverse of Cursor.ToWire.
func CursorFromWire(w *messagev1.Cursor) *Cursor {
	if w == nil {
		return nil
	}
	return &Cursor{Name: w.GetName(), Value: w.GetValue()}
}

// ToWire gives the protobuf form. It is for the SDK's adapters.
func (m Inbound) ToWire() *messagev1.Inbound {
	w := &messagev1.Inbound{
		Account: string(m.Account), EventKey: m.EventKey, Conversation: string(m.Conversation), Thread: string(m.Thread),
		ChatKind: messagev1.ChatKind(m.ChatKind), ConversationName: m.ConversationName, Sender: m.Sender.ToWire(), Text: m.Text,
		Entities: spansToWire(m.Entities), MentionsSelf: m.MentionsSelf, NetworkTimeMs: m.NetworkTimeMS,
		Cursor: m.Cursor.ToWire(), NetworkId: string(m.ID), ChannelDataJson: m.ChannelData,
	}
	if q := m.ReplyTo; q != nil {
		w.ReplyTo = &messagev1.Quoted{NetworkId: string(q.ID), Sender: q.Sender.ToWire(), Text: q.Text, FromSelf: q.FromSelf}
	}
	for _, id := range m.Mentions {
		w.Mentions = append(w.Mentions, string(id))
	}
	for _, ref := range m.Media {
		w.Media = append(w.Media, ref.ToWire())
	}
	return w
}

// InboundFromWire is the inverse of Inbound.ToWire.
func InboundFromWire(w *messagev1.Inbound) Inbound {
	m := Inbound{
		Account: AccountID(w.GetAccount()), EventKey: w.GetEventKey(), Conversation: ConversationID(w.GetConversation()),
		Thread: ThreadID(w.GetThread()), ChatKind: ChatKind(w.GetChatKind()), ConversationName: w.GetConversationName(),
		Sender: SenderFromWire(w.GetSender()), Text: w.GetText(), Entities: spansFromWire(w.GetEntities()),
		MentionsSelf: w.GetMentionsSelf(), NetworkTimeMS: w.GetNetworkTimeMs(), Cursor: CursorFromWire(w.GetCursor()),
		ID: MessageID(w.GetNetworkId()), ChannelData: w.GetChannelDataJson(),
	}
	if q := w.GetReplyTo(); q != nil {
		m.ReplyTo = &Quoted{ID: MessageID(q.GetNetworkId()), Sender: SenderFromWire(q.GetSender()), Text: q.GetText(), FromSelf: q.GetFromSelf()}
	}
	for _, id := range w.GetMentions() {
		m.Mentions = append(m.Mentions, PersonID(id))
	}
	for _, ref := range w.GetMedia() {
		m.Media = append(m.Media, MediaRefFromWire(ref))
	}
	return m
}

// ToWire gives the protobuf form. It is for the SDK's adapters.
func (m InboundEdit) ToWire() *messagev1.InboundEdit {
	return &messagev1.InboundEdit{Message: m.Message.ToWire(), EditTimeMs: m.EditTimeMS}
}

// InboundEditFromWire is the inverse of InboundEdit.ToWire.
func InboundEditFromWire(w *messagev1.InboundEdit) InboundEdit {
	return InboundEdit{Message: InboundFromWire(w.GetMessage()), EditTimeMS: w.GetEditTimeMs()}
}

// ToWire gives the protobuf form. It is for the SDK's adapters.
func (m InboundReaction) ToWire() *messagev1.InboundReaction {
	return &messagev1.InboundReaction{
		Account: string(m.Account), EventKey: m.EventKey, Conversation: string(m.Conversation), Thread: string(m.Thread),
		ChatKind: messagev1.ChatKind(m.ChatKind), Sender: m.Sender.ToWire(), NetworkId: string(m.ID), Emoji: m.Emoji,
		Removed: m.Removed, NetworkTimeMs: m.NetworkTimeMS, Cursor: m.Cursor.ToWire(),
	}
}

// InboundReactionFromWire is the inverse of InboundReaction.ToWire.
func InboundReactionFromWire(w *messagev1.InboundReaction) InboundReaction {
	return InboundReaction{
		Account: AccountID(w.GetAccount()), EventKey: w.GetEventKey(), Conversation: ConversationID(w.GetConversation()),
		Thread: ThreadID(w.GetThread()), ChatKind: ChatKind(w.GetChatKind()), Sender: SenderFromWire(w.GetSender()),
		ID: MessageID(w.GetNetworkId()), Emoji: w.GetEmoji(), Removed: w.GetRemoved(), NetworkTimeMS: w.GetNetworkTimeMs(),
		Cursor: CursorFromWire(w.GetCursor()),
	}
}

// ToWire gives the protobuf form. It is for the SDK's adapters.
func (m Outbound) ToWire() *messagev1.OutboundMessage {
	w := &messagev1.OutboundMessage{
		DeliveryId: string(m.Delivery), Account: string(m.Account), Conversation: string(m.Conversation), Thread: string(m.Thread),
		ReplyTo: string(m.ReplyTo), Text: m.Text.ToWire(), Silent: m.Silent, LinkPreview: m.LinkPreview,
		ChannelDataJson: m.ChannelData, Attempt: uint32(max(m.Attempt, 0)),
	}
	for _, f := range m.Media {
		w.Media = append(w.Media, &messagev1.MediaMeta{Kind: messagev1.MediaKind(f.Kind), Mime: f.MIME, Name: f.Name, Size: f.Size, Sha256: f.SHA256})
	}
	return w
}

// OutboundFromWire is the inverse of Outbound.ToWire.
func OutboundFromWire(w *messagev1.OutboundMessage) Outbound {
	m := Outbound{
		Delivery: DeliveryID(w.GetDeliveryId()), Account: AccountID(w.GetAccount()), Conversation: ConversationID(w.GetConversation()),
		Thread: ThreadID(w.GetThread()), ReplyTo: MessageID(w.GetReplyTo()), Text: TextFromWire(w.GetText()), Silent: w.GetSilent(),
		LinkPreview: w.GetLinkPreview(), ChannelData: w.GetChannelDataJson(), Attempt: int(w.GetAttempt()),
	}
	for _, f := range w.GetMedia() {
		m.Media = append(m.Media, MediaMeta{Kind: MediaKind(f.GetKind()), MIME: f.GetMime(), Name: f.GetName(), Size: f.GetSize(), SHA256: f.GetSha256()})
	}
	return m
}

// ToWire gives the protobuf form. It is for the SDK's adapters.
func (r SendResult) ToWire() *messagev1.SendResult {
	return &messagev1.SendResult{Outcome: messagev1.Outcome(r.Outcome), NetworkId: string(r.ID), RetryAfterMs: r.RetryAfterMS, Code: r.Code, Text: r.Text}
}

// SendResultFromWire is the inverse of SendResult.ToWire; an outcome that is not
// known, or a missing result, is a refusal.
func SendResultFromWire(w *messagev1.SendResult) SendResult {
	return SendResult{Outcome: outcomeFromWire(w.GetOutcome()), ID: MessageID(w.GetNetworkId()), RetryAfterMS: w.GetRetryAfterMs(), Code: w.GetCode(), Text: w.GetText()}
}

// Marshal gives the stored form.
func (m Inbound) Marshal() ([]byte, error) { return proto.Marshal(m.ToWire()) }

// UnmarshalInbound reads what Inbound.Marshal wrote.
func UnmarshalInbound(b []byte) (Inbound, error) {
	var w messagev1.Inbound
	if err := proto.Unmarshal(b, &w); err != nil {
		return Inbound{}, fmt.Errorf("read stored message: %w", err)
	}
	return InboundFromWire(&w), nil
}

// Marshal gives the stored form.
func (m InboundEdit) Marshal() ([]byte, error) { return proto.Marshal(m.ToWire()) }

// UnmarshalInboundEdit reads what InboundEdit.Marshal wrote.
func UnmarshalInboundEdit(b []byte) (InboundEdit, error) {
	var w messagev1.InboundEdit
	if err := proto.Unmarshal(b, &w); err != nil {
		return InboundEdit{}, fmt.Errorf("read stored edit: %w", err)
	}
	return InboundEditFromWire(&w), nil
}

// Marshal gives the stored form.
func (m InboundReaction) Marshal() ([]byte, error) { return proto.Marshal(m.ToWire()) }

// UnmarshalInboundReaction reads what InboundReaction.Marshal wrote.
func UnmarshalInboundReaction(b []byte) (InboundReaction, error) {
	var w messagev1.InboundReaction
	if err := proto.Unmarshal(b, &w); err != nil {
		return InboundReaction{}, fmt.Errorf("read stored reaction: %w", err)
	}
	return InboundReactionFromWire(&w), nil
}

// Marshal gives the stored form.
func (m Outbound) Marshal() ([]byte, error) { return proto.Marshal(m.ToWire()) }

// UnmarshalOutbound reads what Outbound.Marshal wrote.
func UnmarshalOutbound(b []byte) (Outbound, error) {
	var w messagev1.OutboundMessage
	if err := proto.Unmarshal(b, &w); err != nil {
		return Outbound{}, fmt.Errorf("read stored outbound message: %w", err)
	}
	return OutboundFromWire(&w), nil
}
