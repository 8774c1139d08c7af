package protocol

import "encoding/json"

// ChatState is where a run stands, as a chat event tells it.
type ChatState string

// Chat states. Delta carries the whole text so far; the others end the run.
const (
	ChatDelta   ChatState = "delta"
	ChatFinal   ChatState = "final"
	ChatAborted ChatState = "aborted"
	ChatError   ChatState = "error"
)

// ChatEvent is the payload of the chat event.
type ChatEvent struct {
	RunID        string          `json:"runId"`
	SessionKey   string          `json:"sessionKey"`
	Seq          int64           `json:"seq"`
	State        ChatState       `json:"state"`
	Message      json.RawMessage `json:"message,omitempty"`
	ErrorMessage string          `json:"errorMessage,omitempty"`
	Usage        json.RawMessage `json:"usage,omitempty"`
	StopReason   string          `json:"stopReason,omitempty"`
}

// ChatMessage is the message of a chat event that holds text alone.
type ChatMessage struct {
	Role       string        `json:"role"`
	Content    []ContentText `json:"content"`
	Timestamp  int64         `json:"timestamp"`
	StopReason string        `json:"stopReason,omitempty"`
	API        string        `json:"api,omitempty"`
	Provider   string        `json:"provider,omitempty"`
	Model      string        `json:"model,omitempty"`
}

// ContentText is a text block of a message. Type is "text".
type ContentText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Text makes the one-block content of a message.
func Text(s string) []ContentText { return []ContentText{{Type: "text", Text: s}} }

// ChatSendParams are the parameters of chat.send.
type ChatSendParams struct {
	SessionKey     string            `json:"sessionKey"`
	Message        string            `json:"message"`
	Thinking       string            `json:"thinking,omitempty"`
	Deliver        *bool             `json:"deliver,omitempty"`
	Attachments    []json.RawMessage `json:"attachments,omitempty"`
	TimeoutMS      *int64            `json:"timeoutMs,omitempty"`
	IdempotencyKey string            `json:"idempotencyKey"`
}

// Attachment is an element of attachments. Content is base64, with or
// without a data URL in front.
type Attachment struct {
	Type     string `json:"type,omitempty"`
	MimeType string `json:"mimeType,omitempty"`
	FileName string `json:"fileName,omitempty"`
	Content  string `json:"content,omitempty"`
}

// ChatStatus is how chat.send was taken.
type ChatStatus string

// Statuses of chat.send.
const (
	ChatStarted  ChatStatus = "started"
	ChatInFlight ChatStatus = "in_flight"
	ChatOK       ChatStatus = "ok"
)

// ChatSendResult is the result of chat.send, unless the message was a stop
// word: then it is a ChatAbortResult.
type ChatSendResult struct {
	RunID  string     `json:"runId"`
	Status ChatStatus `json:"status"`
}

// ChatHistoryParams are the parameters of chat.history. Limit is the number
// of newest messages, 200 where it is zero.
type ChatHistoryParams struct {
	SessionKey string `json:"sessionKey"`
	Limit      int    `json:"limit,omitempty"`
}

// ChatHistoryResult is the result of chat.history. SessionID is empty for a
// session that does not exist.
type ChatHistoryResult struct {
	SessionKey    string            `json:"sessionKey"`
	SessionID     string            `json:"sessionId,omitempty"`
	Messages      []json.RawMessage `json:"messages"`
	ThinkingLevel string            `json:"thinkingLevel"`
	VerboseLevel  string            `json:"verboseLevel,omitempty"`
}

// ChatAbortParams are the parameters of chat.abort. Without RunID all runs of
// the session are meant.
type ChatAbortParams struct {
	SessionKey string `json:"sessionKey"`
	RunID      string `json:"runId,omitempty"`
}

// ChatAbortResult is the result of chat.abort.
type ChatAbortResult struct {
	OK      bool     `json:"ok"`
	Aborted bool     `json:"aborted"`
	RunIDs  []string `json:"runIds"`
}

// ChatInjectParams are the parameters of chat.inject.
type ChatInjectParams struct {
	SessionKey string `json:"sessionKey"`
	Message    string `json:"message"`
	Label      string `json:"label,omitempty"`
}

// ChatInjectResult is the result of chat.inject.
type ChatInjectResult struct {
	OK        bool   `json:"ok"`
	MessageID string `json:"messageId"`
}
