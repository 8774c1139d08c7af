// Package tool holds what a model can do besides talking: the contract of a tool,
// the registry that picks those a run may use, and the check of arguments.
//
// A Registry is safe for concurrent use once it is built; so must tools be. A tool
// never writes to a transcript and never asks a model.
package tool

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
)

// Spec is what a model and the prompt are told of a tool.
type Spec struct {
	Name string
	// Summary is one short line for the system prompt.
	Summary     string
	Description string
	// Schema is the JSON Schema (draft 2020-12) of the arguments.
	Schema json.RawMessage
}

// Call is one use of a tool.
type Call struct {
	RunID      string
	ToolCallID string
	AgentID    string
	SessionKey string
	// Workspace is the folder that relative paths start from.
	Workspace string
	Args      json.RawMessage
	// Settings of the run; never nil.
	Settings *settings.Settings
	// Background tells whether the run may also use the tool that follows up on background commands.
	Background bool
	// Update tells what has happened so far; it may be called from the calling goroutine only. Never nil.
	Update func(Result)
}

// Result is what a tool gives back. A failed use is a result too, with IsError.
type Result struct {
	Content chat.Blocks
	// Details is JSON for programs; nil = none.
	Details json.RawMessage
	IsError bool
}

// Tool is one thing a model can do. Run returns an error for a failed use as well;
// its text goes to the model. When ctx ends, Run ends what it started and returns.
type Tool interface {
	Spec() Spec
	Run(ctx context.Context, c Call) (Result, error)
}

// Text makes a result of one text.
func Text(format string, args ...any) Result {
	return Result{Content: chat.Blocks{chat.Text(fmt.Sprintf(format, args...))}}
}

// Failure makes an error result of one text.
func Failure(format string, args ...any) Result {
	r := Text(format, args...)
	r.IsError = true
	return r
}
