// Package chat holds the nouns of a conversation with a model: messages, their
// blocks and token counts, in the JSON form that transcripts keep. It is plain
// data; values are safe to share as long as nobody changes them.
package chat

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Roles of a message.
const (
	RoleUser       = "user"
	RoleAssistant  = "assistant"
	RoleToolResult = "toolResult"
)

// Types of a block.
const (
	BlockText     = "text"
	BlockThinking = "thinking"
	BlockImage    = "image"
	BlockToolCall = "toolCall"
)

// Reasons for which a model's message ended.
const (
	StopEnd     = "stop"
	StopLength  = "length"
	StopToolUse = "toolUse"
	StopError   = "error"
	StopAborted = "aborted"
)

// Block is one piece of a message. Type says which fields count.
type Block struct {
	Type string `json:"type"`
	// Text of a text block. It may be empty, so it is encoded by MarshalJSON.
	Text string `json:"text,omitempty"`
	// Thinking of a thinking block, and the signature some providers need to see again.
	Thinking          string `json:"thinking,omitempty"`
	ThinkingSignature string `json:"thinkingSignature,omitempty"`
	// Redacted says that the thought itself is hidden in the signature.
	Redacted bool `json:"redacted,omitempty"`
	// Data is base64 of an image block.
	Data     string `json:"data,omitempty"`
	MimeType string `json:"mimeType,omitempty"`
	// ID, Name and Arguments (a JSON object) of a toolCall block.
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
}

// MarshalJSON keeps the text key of a text block also where the text is empty:
// readers of transcripts take it for given.
func (b Block) MarshalJSON() ([]byte, error) {
	if b.Type == BlockText {
		return json.Marshal(struct {
			Type string `json:"type"`
			Text string `json:"text"`
		}{b.Type, b.Text})
	}
	type plain Block
	return json.Marshal(plain(b))
}

// Text returns a text block.
func Text(s string) Block { return Block{Type: BlockText, Text: s} }

// Blocks is the content of a message. A bare JSON string is read as one text block.
type Blocks []Block

// UnmarshalJSON reads a list of blocks or a string.
func (b *Blocks) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return fmt.Errorf("read message text: %w", err)
		}
		*b = Blocks{Text(s)}
		return nil
	}
	var list []Block
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("read message blocks: %w", err)
	}
	*b = list
	return nil
}

// MarshalJSON writes an empty list, never null.
func (b Blocks) MarshalJSON() ([]byte, error) {
	if b == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]Block(b))
}

// Text joins the text blocks.
func (b Blocks) Text() string {
	var sb strings.Builder
	for _, x := range b {
		if x.Type == BlockText {
			sb.WriteString(x.Text)
		}
	}
	return sb.String()
}

// Cost is in US dollars.
type Cost struct {
	Input      float64 `json:"input"`
	Output     float64 `json:"output"`
	CacheRead  float64 `json:"cacheRead"`
	CacheWrite float64 `json:"cacheWrite"`
	Total      float64 `json:"total"`
}

// Usage counts the tokens of one model call.
type Usage struct {
	Input       int64 `json:"input"`
	Output      int64 `json:"output"`
	CacheRead   int64 `json:"cacheRead"`
	CacheWrite  int64 `json:"cacheWrite"`
	TotalTokens int64 `json:"totalTokens"`
	Cost        Cost  `json:"cost"`
}

// Add returns the sum of u and v.
func (u Usage) Add(v Usage) Usage {
	return Usage{
		Input: u.Input + v.Input, Output: u.Output + v.Output,
		CacheRead: u.CacheRead + v.CacheRead, CacheWrite: u.CacheWrite + v.CacheWrite,
		TotalTokens: u.TotalTokens + v.TotalTokens,
		Cost: Cost{
			Input: u.Cost.Input + v.Cost.Input, Output: u.Cost.Output + v.Cost.Output,
			CacheRead: u.Cost.CacheRead + v.Cost.CacheRead, CacheWrite: u.Cost.CacheWrite + v.Cost.CacheWrite,
			Total: u.Cost.Total + v.Cost.Total,
		},
	}
}

// Message is one message as a transcript keeps it. Which fields are set depends on the role.
type Message struct {
	Role    string `json:"role"`
	Content Blocks `json:"content"`

	// Of a toolResult.
	ToolCallID string          `json:"toolCallId,omitempty"`
	ToolName   string          `json:"toolName,omitempty"`
	Details    json.RawMessage `json:"details,omitempty"`
	IsError    *bool           `json:"isError,omitempty"`

	// Of an assistant.
	API          string `json:"api,omitempty"`
	Provider     string `json:"provider,omitempty"`
	Model        string `json:"model,omitempty"`
	Usage        *Usage `json:"usage,omitempty"`
	StopReason   string `json:"stopReason,omitempty"`
	ErrorMessage string `json:"errorMessage,omitempty"`

	// Unix milliseconds.
	Timestamp int64 `json:"timestamp"`
}

// ToolCalls returns the toolCall blocks in order.
func (m *Message) ToolCalls() []Block {
	var calls []Block
	for _, b := range m.Content {
		if b.Type == BlockToolCall {
			calls = append(calls, b)
		}
	}
	return calls
}

// Failed reports whether a toolResult is an error.
func (m *Message) Failed() bool { return m.IsError != nil && *m.IsError }
