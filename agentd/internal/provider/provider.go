// Package provider is the line to the models: one request in the nouns of a
// conversation, a stream of what the model says, one answer at the end.
//
// A provider makes exactly one attempt per call and never retries; retries and
// failover belong to the turn. Implementations are safe for concurrent use.
package provider

import (
	"context"
	"encoding/json"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
)

// Dialects of model servers, as in models.providers.<id>.api.
const (
	APICompletions = "openai-completions"
	APIMessages    = "anthropic-messages"
	APIDemo        = "demo"
)

// Endpoint is where a model is served, and how to talk to it.
type Endpoint struct {
	// Provider is the name under which the config knows it.
	Provider string
	API      string
	BaseURL  string
	// Key is the credential; it never appears in an error or a log line.
	Key     string
	Headers map[string]string
	// MaxTokensField is "max_tokens" or "max_completion_tokens" ("" = the latter).
	MaxTokensField string
	// NoStreamUsage says that the server refuses stream_options.
	NoStreamUsage bool
	// NoStore leaves the request key "store" out.
	NoStore bool
}

// Tool is what a model is told of a tool.
type Tool struct {
	Name        string
	Description string
	// Schema is the JSON Schema of the arguments.
	Schema json.RawMessage
}

// CacheRetention is for how long a server is asked to keep a prompt; "" = the
// dialect's usual way. Dialects that know nothing of it ignore it.
type CacheRetention string

// Values of CacheRetention: not at all, five minutes, an hour.
const (
	CacheNone  CacheRetention = "none"
	CacheShort CacheRetention = "short"
	CacheLong  CacheRetention = "long"
)

// Request is one model call.
type Request struct {
	Endpoint Endpoint
	Model    string
	System   string
	Messages []chat.Message
	Tools    []Tool
	// MaxTokens bounds the answer; 0 = the server's own bound.
	MaxTokens   int64
	Temperature *float64
	// Thinking is a level that the model is known to take; "" or "off" = none.
	Thinking string
	Cache    CacheRetention
}

// EventKind tells what an Event carries.
type EventKind int

// Kinds of stream events.
const (
	TextDelta EventKind = iota + 1
	ThinkingDelta
	ToolCallStart
	ToolCallDelta
	ToolCallEnd
)

// Event is one thing that a streaming model did.
type Event struct {
	Kind EventKind
	// Delta of a text, a thought or a tool call's arguments.
	Delta string
	// ID and Name of a tool call; Arguments when it ended.
	ID, Name  string
	Arguments json.RawMessage
}

// Answer is a model's whole message.
type Answer struct {
	Content    chat.Blocks
	StopReason string
	// Usage has no cost; prices are the catalogue's.
	Usage chat.Usage
}

// Provider talks one dialect.
type Provider interface {
	// Stream makes one model call. It calls emit for each event, in order, from the
	// calling goroutine; an error of emit ends the call. On a failure the error is an
	// *Error, or ctx's cause where ctx ended, and the answer holds what had arrived.
	Stream(ctx context.Context, req Request, emit func(Event) error) (Answer, error)
}
