package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Base is what every plugin answers, whatever its kind.
type Base interface {
	// Describe says what this binary is. Pure: no network, no files; called at any
	// time, also before Configure, and often.
	Describe() Description
	// Configure hands over the full settings; each call replaces them as a whole. It
	// must not touch the network. A *InvalidConfigError names the key that cannot be used.
	Configure(ctx context.Context, c Configuration) error
	// Attached hands over the line to the supervisor. Called once, after Configure; must not block.
	Attached(line *Line)
	// Drain stops accepting and waits until the sends in hand are done; the process
	// exits afterwards. ctx ends at the drain's deadline.
	Drain(ctx context.Context) error
}

// HealthReporter is an optional interface of a Base: the depth of its own queues.
// It must answer at once.
type HealthReporter interface {
	QueueDepths() map[string]int64
}

// Configuration is what Configure hands over.
type Configuration struct {
	// JSON is the plugin's block with environment, files, includes and defaults resolved.
	JSON json.RawMessage
	// StateDir is a directory that is this plugin's alone, 0700.
	StateDir string
	// Revision grows with every change of the settings.
	Revision uint64
}

// InvalidConfigError names the one key that cannot be used.
type InvalidConfigError struct {
	// Path is relative to the plugin's block.
	Path    string
	Message string
}

// Error gives "path: message".
func (e *InvalidConfigError) Error() string {
	if e.Path == "" {
		return e.Message
	}
	return e.Path + ": " + e.Message
}

// HealthReport is a process's word on itself.
type HealthReport struct {
	Goroutines  int64
	QueueDepths map[string]int64
	// OldestUnacked is the age of the oldest event without an answer; 0 = none.
	OldestUnacked time.Duration
}

// Call is a request of the agent runtime to the supervisor's method table.
// (RunID, ToolCallID) is the idempotency key.
type Call struct {
	RunID      string
	ToolCallID string
	Method     string
	Params     json.RawMessage
}

// CallError is the supervisor's refusal of a Call, with protocol v3's error codes.
type CallError struct {
	Code      string
	Message   string
	Retryable bool
}

// Error gives "CODE: message".
func (e *CallError) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }
