package gateway

import (
	"context"
	"encoding/json"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Rules for all backends: methods are called from several goroutines; ctx
// ends with the request's connection or the server, whichever is first; an
// error that holds a *protocol.Error is sent as it is, any other becomes
// UNAVAILABLE with its text. Work that must outlive the connection is the
// backend's to keep: it must not hang on ctx.

// Backends is everything the method table needs. A nil field leaves its
// methods out of the table and of hello-ok.
type Backends struct {
	Chats     Chats
	Notes     Notes
	Runs      Runs
	Sessions  Sessions
	Editor    SessionEditor
	Directory Directory
	Files     AgentFiles
	Outbox    Outbox
	Pairing   Pairing
	Channels  Channels
	Sender    Sender
	Workers   Workers
	Events    SystemEvents
	Heart     Heartbeats
	Config    ConfigViewer
	VoiceWake VoiceWake
	Logs      LogFile
	Avatars   Avatars
}

// Caller is the connection a request came from.
type Caller struct {
	// ConnID names the connection, for events meant for it alone.
	ConnID string
	// DeviceID is empty for a client without a device.
	DeviceID string
	Client   protocol.ClientInfo
	Role     protocol.Role
	Scopes   []protocol.Scope
	// ToolEvents says that the client wants the tool events of its runs.
	ToolEvents bool
	// Agent is set where the caller is a run and not a connection.
	Agent *AgentCaller
}

// AgentCaller binds a call of the agent runtime to its run.
type AgentCaller struct {
	RunID      string
	AgentID    string
	SessionKey string
}

// Image is a checked and decoded attachment.
type Image struct {
	MimeType string
	FileName string
	Data     []byte
}

// ChatRequest is a checked chat.send that is no stop word.
type ChatRequest struct {
	Caller Caller
	Params protocol.ChatSendParams
	Images []Image
}

// ChatStart is how a chat.send was taken. Begin, where set, lets the run go;
// the gateway calls it exactly once, after Result was queued for the caller,
// so that no event of the run overtakes the acknowledgement.
type ChatStart struct {
	Result protocol.ChatSendResult
	Begin  func()
}

// AbortRequest asks for the end of one run, or of all of a session. Reason is
// the stopReason of the chat event: "rpc" or "stop".
type AbortRequest struct {
	Caller     Caller
	SessionKey string
	RunID      string
	Reason     string
}

// Chats runs what people type in clients.
type Chats interface {
	// StartChat stores the run under its idempotency key and acknowledges it.
	// A key that is known gives its status, whatever the other parameters.
	StartChat(ctx context.Context, r ChatRequest) (ChatStart, error)
	// Abort ends runs. A run of another session is INVALID_REQUEST; nothing
	// to abort is no error.
	Abort(ctx context.Context, r AbortRequest) (runIDs []string, err error)
	// History gives the newest messages; Limit is set.
	History(ctx context.Context, p protocol.ChatHistoryParams) (protocol.ChatHistoryResult, error)
}

// Notes adds messages to a session without a run.
type Notes interface {
	// Inject appends an assistant message, broadcasts its chat event and
	// returns its id. An unknown session is INVALID_REQUEST "session not
	// found".
	Inject(ctx context.Context, p protocol.ChatInjectParams) (messageID string, err error)
}

// AgentRequest is a checked agent request. AgentID and SessionKey agree.
type AgentRequest struct {
	Caller Caller
	Params protocol.AgentParams
	Images []Image
}

// AgentStart is how an agent request was taken. For a new run Ack is the
// first reply, Begin lets the run go (called exactly once, after Ack was
// queued) and Wait blocks until the second reply is known. For a known key
// Wait and Begin are nil, and Stored, where set, is the final reply to give
// instead of Ack.
type AgentStart struct {
	Ack    protocol.AgentAck
	Stored *AgentFinal
	Begin  func()
	Wait   func(ctx context.Context) (AgentFinal, error)
}

// AgentFinal is the second reply. A failed run has Err set as well; both are
// sent.
type AgentFinal struct {
	Result protocol.AgentResult
	Err    *protocol.Error
}

// Runs runs agent requests.
type Runs interface {
	// StartAgent stores the run under its idempotency key.
	StartAgent(ctx context.Context, r AgentRequest) (AgentStart, error)
	// WaitRun blocks until the run has ended or ctx is done. The result has
	// status timeout where nothing is known of the run by then; it is no
	// error.
	WaitRun(ctx context.Context, runID string) (protocol.AgentWaitResult, error)
}

// Sessions reads the session index.
type Sessions interface {
	List(ctx context.Context, p protocol.SessionsListParams) (protocol.SessionsListResult, error)
	Preview(ctx context.Context, p protocol.SessionsPreviewParams) ([]protocol.SessionPreview, error)
	// Resolve finds the canonical key; exactly one of key, id, label is set.
	Resolve(ctx context.Context, p protocol.SessionsResolveParams) (key string, err error)
}

// SessionEditor changes the session index. Key is not blank.
type SessionEditor interface {
	Patch(ctx context.Context, p protocol.SessionsPatchParams) (protocol.SessionsPatchResult, error)
	Reset(ctx context.Context, key string) (protocol.SessionsResetResult, error)
	Delete(ctx context.Context, key string, deleteTranscript bool) (protocol.SessionsDeleteResult, error)
}

// Directory knows agents and models.
type Directory interface {
	Agents(ctx context.Context) (protocol.AgentsListResult, error)
	// Identity describes an agent that Agents lists.
	Identity(ctx context.Context, agentID string) (protocol.AgentIdentityResult, error)
	Models(ctx context.Context) (protocol.ModelsListResult, error)
}

// Channels knows the channels.
type Channels interface {
	// Status gives every configured channel; probe asks the networks.
	Status(ctx context.Context, p protocol.ChannelsStatusParams) (protocol.ChannelsStatusResult, error)
	// Provides says whether a configured channel of this id exists.
	Provides(channel string) bool
}

// Sender sends a message that a person or program asked for.
type Sender interface {
	// Send stores it, and answers when the outcome is known or ctx is done.
	// Channel is set and provided.
	Send(ctx context.Context, c Caller, p protocol.SendParams) (protocol.SendResult, error)
}

// WorkerAction is what an operator wants of a worker.
type WorkerAction string

// Worker actions.
const (
	WorkerRestart WorkerAction = "restart"
	WorkerStop    WorkerAction = "stop"
	WorkerStart   WorkerAction = "start"
	WorkerKill    WorkerAction = "kill"
)

// Workers shows and steers the child processes.
type Workers interface {
	// List gives all workers, sorted by id. It must not block: the health
	// snapshot is built from it.
	List() []protocol.WorkerView
	// Control does what is asked and answers with the worker as it is then:
	// running, stopped, or the worker's own error.
	Control(ctx context.Context, action WorkerAction, worker string) (protocol.WorkerView, error)
	// Logs gives the newest lines of a worker's log, all that are kept where
	// limit is zero.
	Logs(worker string, limit int) ([]string, error)
}

// SystemEvents is the queue of notes that the main session reads.
type SystemEvents interface {
	Enqueue(ctx context.Context, text string) error
	Queued(ctx context.Context) ([]string, error)
}

// Heartbeats steers the scheduled turns.
type Heartbeats interface {
	// Last gives the last outcome, or null.
	Last(ctx context.Context) (json.RawMessage, error)
	SetEnabled(ctx context.Context, enabled bool) error
	// Wake queues text for the main session; now starts a turn at once.
	Wake(ctx context.Context, text string, now bool) error
}

// ConfigViewer shows the configuration with its secrets replaced.
type ConfigViewer interface {
	Redacted(ctx context.Context) (protocol.ConfigSnapshot, error)
}

// VoiceWake knows the wake words.
type VoiceWake interface {
	Triggers(ctx context.Context) ([]string, error)
}

// LogFile tells which file is written now; it may change every day.
type LogFile interface {
	Path() string
}

// Avatars finds an agent's picture.
type Avatars interface {
	// Avatar gives a local file or a URL, or nothing of either.
	Avatar(agentID string) (file, url string)
}
