// Package agent is the contract of the agent runtime, in Go, for both ends: the
// runtime calls Serve, the supervisor uses Client. It is no SDK for strangers: agentd is the one runtime.
//
// Concurrency: the supervisor calls methods of a Runtime from several goroutines at
// once; runs of different sessions go on side by side, never two of one session.
package agent

import (
	"context"
	"encoding/json"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Attachment is a file that is stored for a run, or made by one.
type Attachment struct{ Path, MIME, Name string }

// Input is one user message of a run, rendered and frozen at admission.
type Input struct {
	ID          string
	Text        string
	Attachments []Attachment
	TimestampMS int64
}

// Part is a finished piece of an answer; numbers start at 1.
type Part struct {
	N     int
	Text  string
	Media []Attachment
}

// Policy is what was resolved for a run from config, session and directives. Empty
// fields mean the agent's default.
type Policy struct {
	// Model is "<provider>/<model>".
	Model                                  string
	ModelFallbacks                         []string
	Thinking, Verbose, Reasoning, Elevated string
	ToolsAllow, ToolsDeny                  []string
	// PromptMode is "full" (default), "minimal" or "none".
	PromptMode        string
	ExtraSystemPrompt string
}

// Route tells the model where it is talking. It decides nothing.
type Route struct{ Channel, Account, Conversation, ChatKind string }

// RunRequest asks for one run, or for what is left of it.
type RunRequest struct {
	// RunID is a ULID of the supervisor's making.
	RunID      string
	Attempt    int
	AgentID    string
	SessionKey string
	SessionID  string
	// Transcript is the absolute path of the JSONL file.
	Transcript string
	Inputs     []Input
	Policy     Policy
	Route      Route
	// Delivered are the parts that are in the outbox already.
	Delivered []Part
	// Timeout of the whole run; 0 = none.
	Timeout         time.Duration
	ConfigRevision  uint64
	Workspace       string
	PreviousAborted bool
}

// ToolPhase is how far a tool call is. The numbers are the wire's.
type ToolPhase int32

// The phases of a tool call.
const (
	ToolUnspecified ToolPhase = 0
	ToolStart       ToolPhase = 1
	ToolUpdate      ToolPhase = 2
	ToolResult      ToolPhase = 3
)

// RunStatus is how a run ended. The numbers are the wire's.
type RunStatus int32

// The ends of a run.
const (
	RunUnspecified RunStatus = 0
	RunOK          RunStatus = 1
	RunAborted     RunStatus = 2
	RunFailed      RunStatus = 3
)

// RunEvent is one thing that happened in a run. Exactly one pointer is set.
type RunEvent struct {
	// Seq starts at 1 in each attempt; the SDK gives it.
	Seq         uint64
	Started     *Started
	InputStored []string
	Assistant   *AssistantDelta
	Thinking    *ThinkingDelta
	Tool        *ToolEvent
	Part        *Part
	Compaction  *Compaction
	Usage       *Usage
	Finished    *Finished
	Progress    *Progress
}

// Started says which model answers.
type Started struct {
	Provider, Model string
	// Resumed is true when the transcript held entries of this run already.
	Resumed bool
}

// Progress names the newest transcript entry of the run.
type Progress struct{ EntryID string }

// AssistantDelta is a piece of text; Text is everything so far of the current message.
type AssistantDelta struct{ Delta, Text string }

// ThinkingDelta is a piece of the model's thinking.
type ThinkingDelta struct{ Delta string }

// ToolEvent is a step of a tool call.
type ToolEvent struct {
	Phase      ToolPhase
	ToolCallID string
	Name       string
	Args       json.RawMessage
	Result     json.RawMessage
	IsError    bool
}

// Compaction says that the transcript is being shortened; Phase is "start" or "end".
type Compaction struct {
	Phase     string
	WillRetry bool
}

// Usage counts tokens. Cost is in US dollars, 0 where prices are unknown.
type Usage struct {
	Input, Output, CacheRead, CacheWrite, Total int64
	Cost                                        float64
}

// Finished is the last event of a run.
type Finished struct {
	Status RunStatus
	// Parts are all of the answer's, also those streamed before.
	Parts []Part
	Usage Usage
	// SessionPatch is a JSON merge patch for the session entry.
	SessionPatch json.RawMessage
	// StopReason is "stop", "length", "error" or "aborted".
	StopReason           string
	ErrorCode, ErrorText string
	Retryable            bool
	Provider, Model      string
}

// TranscriptRef names one transcript.
type TranscriptRef struct{ AgentID, SessionKey, SessionID, Path string }

// HistoryRequest asks for one page of a transcript, newest first.
type HistoryRequest struct {
	Transcript TranscriptRef
	Limit      int
	MaxBytes   int64
	// Before is the entry id to read backwards from; empty = the newest.
	Before string
}

// HistoryPage is a page, oldest message first; Before is for the next page, empty = no more.
type HistoryPage struct {
	Messages []json.RawMessage
	Before   string
}

// PreviewItem is one text of a transcript.
type PreviewItem struct{ Role, Text string }

// Preview is the last texts of one transcript.
type Preview struct {
	SessionKey string
	Found      bool
	Items      []PreviewItem
}

// Injection is a message that no model wrote.
type Injection struct {
	Transcript TranscriptRef
	Text       string
	// Key makes a repeated call harmless.
	Key       string
	Role      string
	Workspace string
}

// Compacted is what CompactSession did.
type Compacted struct {
	Done         bool
	Reason       string
	KeptLines    int
	ArchivedPath string
}

// Model is one that can be used.
type Model struct {
	ID, Name, Provider string
	ContextWindow      int64
	Reasoning          bool
	Input              []string
}

// Models are all that can be used now, with the default and why it is that one.
type Models struct {
	Models               []Model
	DefaultModel         string
	DefaultReason        string
	DefaultContextWindow int64
}

// File is one of an agent's workspace files.
type File struct {
	Name, Path string
	Missing    bool
	Size       int64
	UpdatedMS  int64
	Content    string
}

// ProviderAuth says whether a provider has credentials; Source is "config", "env", "profile" or "none".
type ProviderAuth struct {
	Provider, Source string
	Usable           bool
	Text             string
}

// Runtime is what the agent runtime does. The base methods are documented at plugin.Base.
type Runtime interface {
	plugin.Base
	// Run does one run and emits what happens, in order; the last event is Finished. The same
	// RunID may be asked for again after any crash, and what is left to do is decided from the transcript. It
	// ends early, without Finished, only with ctx or when emit fails.
	Run(ctx context.Context, r RunRequest, emit func(RunEvent) error) error
	// Steer hands a further input to a run; false = no such run is going on. Taken only once InputStored names it.
	Steer(ctx context.Context, runID string, in Input) (bool, error)
	// Abort ends a run with Finished{RunAborted}; false = no such run. Idempotent.
	Abort(ctx context.Context, runID, reason string) (bool, error)
	History(ctx context.Context, r HistoryRequest) (HistoryPage, error)
	Preview(ctx context.Context, refs []TranscriptRef, limit, maxChars int) ([]Preview, error)
	// InjectMessage appends a message and returns its entry id.
	InjectMessage(ctx context.Context, in Injection) (string, error)
	// CompactSession shortens a transcript to its last maxLines lines; 0 asks a model for a summary.
	CompactSession(ctx context.Context, ref TranscriptRef, instructions string, maxLines int) (Compacted, error)
	ResetTranscript(ctx context.Context, ref TranscriptRef) (archived string, err error)
	DeleteTranscript(ctx context.Context, ref TranscriptRef) (archived string, err error)
	Models(ctx context.Context) (Models, error)
}

// Forker is an optional power of a Runtime: copying a transcript.
type Forker interface {
	ForkSession(ctx context.Context, source, target TranscriptRef) error
}

// FileKeeper is an optional power of a Runtime: an agent's workspace files.
type FileKeeper interface {
	AgentFiles(ctx context.Context, agentID, workspace string) ([]File, error)
	AgentFile(ctx context.Context, agentID, workspace, name string) (File, error)
	SetAgentFile(ctx context.Context, agentID, workspace, name, content string) (File, error)
}

// Authenticator is an optional power of a Runtime: credentials of model providers.
type Authenticator interface {
	AuthStatus(ctx context.Context) ([]ProviderAuth, error)
	AuthSet(ctx context.Context, provider, profile string, credential json.RawMessage) error
}

// SkillKeeper is an optional power of a Runtime: skills.
type SkillKeeper interface {
	SkillsStatus(ctx context.Context, agentID string) (json.RawMessage, error)
	SkillsUpdate(ctx context.Context, update json.RawMessage) (json.RawMessage, error)
}

// ContextReporter is an optional power of a Runtime: how the context window is used.
type ContextReporter interface {
	Context(ctx context.Context, ref TranscriptRef) (json.RawMessage, error)
}
