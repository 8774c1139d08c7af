package protocol

import "encoding/json"

// Streams of the agent event.
const (
	StreamLifecycle  = "lifecycle"
	StreamAssistant  = "assistant"
	StreamTool       = "tool"
	StreamThinking   = "thinking"
	StreamCompaction = "compaction"
	StreamError      = "error"
)

// AgentEvent is the payload of the agent event. Seq counts from 1 per run.
type AgentEvent struct {
	RunID      string          `json:"runId"`
	SessionKey string          `json:"sessionKey,omitempty"`
	Seq        int64           `json:"seq"`
	Stream     string          `json:"stream"`
	TS         int64           `json:"ts"`
	Data       json.RawMessage `json:"data"`
}

// LifecycleData is the data of the lifecycle stream: phase start, end or
// error.
type LifecycleData struct {
	Phase     string `json:"phase"`
	StartedAt int64  `json:"startedAt,omitempty"`
	EndedAt   int64  `json:"endedAt,omitempty"`
	Error     string `json:"error,omitempty"`
}

// AssistantData is the data of the assistant stream: the text so far and what
// was added to it.
type AssistantData struct {
	Text  string `json:"text"`
	Delta string `json:"delta"`
}

// ToolData is the data of the tool stream: phase start, update or result.
type ToolData struct {
	Phase         string          `json:"phase"`
	Name          string          `json:"name"`
	ToolCallID    string          `json:"toolCallId"`
	Args          json.RawMessage `json:"args,omitempty"`
	PartialResult json.RawMessage `json:"partialResult,omitempty"`
	Meta          string          `json:"meta,omitempty"`
	IsError       *bool           `json:"isError,omitempty"`
	Result        json.RawMessage `json:"result,omitempty"`
}

// AgentParams are the parameters of agent. Timeout is in seconds.
type AgentParams struct {
	Message           string            `json:"message"`
	AgentID           string            `json:"agentId,omitempty"`
	To                string            `json:"to,omitempty"`
	ReplyTo           string            `json:"replyTo,omitempty"`
	SessionID         string            `json:"sessionId,omitempty"`
	SessionKey        string            `json:"sessionKey,omitempty"`
	Thinking          string            `json:"thinking,omitempty"`
	Deliver           bool              `json:"deliver,omitempty"`
	Attachments       []json.RawMessage `json:"attachments,omitempty"`
	Channel           string            `json:"channel,omitempty"`
	ReplyChannel      string            `json:"replyChannel,omitempty"`
	AccountID         string            `json:"accountId,omitempty"`
	ReplyAccountID    string            `json:"replyAccountId,omitempty"`
	ThreadID          string            `json:"threadId,omitempty"`
	GroupID           string            `json:"groupId,omitempty"`
	GroupChannel      string            `json:"groupChannel,omitempty"`
	GroupSpace        string            `json:"groupSpace,omitempty"`
	Timeout           *int64            `json:"timeout,omitempty"`
	Lane              string            `json:"lane,omitempty"`
	ExtraSystemPrompt string            `json:"extraSystemPrompt,omitempty"`
	IdempotencyKey    string            `json:"idempotencyKey"`
	Label             string            `json:"label,omitempty"`
	SpawnedBy         string            `json:"spawnedBy,omitempty"`
}

// Statuses of agent and agent.wait.
const (
	AgentAccepted = "accepted"
	AgentOK       = "ok"
	AgentError    = "error"
	AgentTimeout  = "timeout"
)

// AgentAck is the first of agent's two results.
type AgentAck struct {
	RunID      string `json:"runId"`
	Status     string `json:"status"`
	AcceptedAt int64  `json:"acceptedAt"`
}

// AgentResult is the second of agent's two results.
type AgentResult struct {
	RunID   string        `json:"runId"`
	Status  string        `json:"status"`
	Summary string        `json:"summary,omitempty"`
	Result  *AgentOutcome `json:"result,omitempty"`
}

// AgentOutcome is what a run brought.
type AgentOutcome struct {
	Payloads []AgentPayload `json:"payloads"`
	Meta     AgentRunMeta   `json:"meta"`
}

// AgentPayload is one part of an answer. MediaURL is null where there is none.
type AgentPayload struct {
	Text     string  `json:"text"`
	MediaURL *string `json:"mediaUrl"`
	IsError  bool    `json:"isError,omitempty"`
}

// AgentRunMeta describes a finished run.
type AgentRunMeta struct {
	DurationMS int64     `json:"durationMs"`
	AgentMeta  AgentMeta `json:"agentMeta"`
	Aborted    bool      `json:"aborted"`
}

// AgentMeta says which session and model answered.
type AgentMeta struct {
	SessionID string      `json:"sessionId"`
	Provider  string      `json:"provider"`
	Model     string      `json:"model"`
	Usage     *TokenUsage `json:"usage,omitempty"`
}

// TokenUsage counts the tokens of a run.
type TokenUsage struct {
	Input      int64 `json:"input"`
	Output     int64 `json:"output"`
	CacheRead  int64 `json:"cacheRead,omitempty"`
	CacheWrite int64 `json:"cacheWrite,omitempty"`
	Total      int64 `json:"total,omitempty"`
}

// AgentWaitParams are the parameters of agent.wait. TimeoutMS is 30000 where
// it is nil.
type AgentWaitParams struct {
	RunID     string `json:"runId"`
	TimeoutMS *int64 `json:"timeoutMs,omitempty"`
}

// AgentWaitResult is the result of agent.wait.
type AgentWaitResult struct {
	RunID     string `json:"runId"`
	Status    string `json:"status"`
	StartedAt int64  `json:"startedAt,omitempty"`
	EndedAt   int64  `json:"endedAt,omitempty"`
	Error     string `json:"error,omitempty"`
}

// AgentsListResult is the result of agents.list.
type AgentsListResult struct {
	DefaultID string         `json:"defaultId"`
	MainKey   string         `json:"mainKey"`
	Scope     string         `json:"scope"`
	Agents    []AgentSummary `json:"agents"`
}

// AgentSummary is a row of agents.list.
type AgentSummary struct {
	ID       string         `json:"id"`
	Name     string         `json:"name,omitempty"`
	Identity *AgentIdentity `json:"identity,omitempty"`
}

// AgentIdentity is how an agent presents itself.
type AgentIdentity struct {
	Name      string `json:"name,omitempty"`
	Theme     string `json:"theme,omitempty"`
	Emoji     string `json:"emoji,omitempty"`
	Avatar    string `json:"avatar,omitempty"`
	AvatarURL string `json:"avatarUrl,omitempty"`
}

// AgentIdentityParams are the parameters of agent.identity.get.
type AgentIdentityParams struct {
	AgentID    string `json:"agentId,omitempty"`
	SessionKey string `json:"sessionKey,omitempty"`
}

// AgentIdentityResult is the result of agent.identity.get.
type AgentIdentityResult struct {
	AgentID string `json:"agentId"`
	Name    string `json:"name,omitempty"`
	Avatar  string `json:"avatar,omitempty"`
	Emoji   string `json:"emoji,omitempty"`
}

// ModelsListResult is the result of models.list.
type ModelsListResult struct {
	Models []ModelChoice `json:"models"`
}

// ModelChoice is a row of models.list. ContextWindow is in tokens.
type ModelChoice struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	Provider      string   `json:"provider"`
	ContextWindow int64    `json:"contextWindow,omitempty"`
	Reasoning     *bool    `json:"reasoning,omitempty"`
	Input         []string `json:"input,omitempty"`
}
