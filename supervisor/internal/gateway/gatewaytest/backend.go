// Package gatewaytest starts a control plane for tests: a real server on a
// loopback port, with backends made of funcs, and a client that speaks raw
// frames.
//
// It is imported by tests alone. A Backend's fields must be set before the
// server starts.
package gatewaytest

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
)

// Backend implements every interface that the gateway needs. A nil func
// answers with an empty result.
type Backend struct {
	StartChatFunc  func(context.Context, gateway.ChatRequest) (gateway.ChatStart, error)
	AbortFunc      func(context.Context, gateway.AbortRequest) ([]string, error)
	HistoryFunc    func(context.Context, protocol.ChatHistoryParams) (protocol.ChatHistoryResult, error)
	InjectFunc     func(context.Context, protocol.ChatInjectParams) (string, error)
	StartAgentFunc func(context.Context, gateway.AgentRequest) (gateway.AgentStart, error)
	WaitRunFunc    func(context.Context, string) (protocol.AgentWaitResult, error)
	ListFunc       func(context.Context, protocol.SessionsListParams) (protocol.SessionsListResult, error)
	PreviewFunc    func(context.Context, protocol.SessionsPreviewParams) ([]protocol.SessionPreview, error)
	ResolveFunc    func(context.Context, protocol.SessionsResolveParams) (string, error)
	PatchFunc      func(context.Context, protocol.SessionsPatchParams) (protocol.SessionsPatchResult, error)
	ResetFunc      func(context.Context, string) (protocol.SessionsResetResult, error)
	DeleteFunc     func(context.Context, string, bool) (protocol.SessionsDeleteResult, error)
	ModelsFunc     func(context.Context) (protocol.ModelsListResult, error)
	SendFunc       func(context.Context, gateway.Caller, protocol.SendParams) (protocol.SendResult, error)
	WorkersFunc    func() []protocol.WorkerView
	ControlFunc    func(context.Context, gateway.WorkerAction, string) (protocol.WorkerView, error)
	WorkerLogsFunc func(string, int) ([]string, error)
	WakeFunc       func(context.Context, string, bool) error
	PairingsFunc   func(context.Context, protocol.PairingListParams) (protocol.PairingListResult, error)
	PairFunc       func(context.Context, protocol.PairingApproveParams) (protocol.PairingApproveResult, error)
	UnpairFunc     func(context.Context, protocol.PairingRejectParams) (protocol.PairingRejectResult, error)
	RedactedFunc   func(context.Context) (protocol.ConfigSnapshot, error)
	LogPath        string
	ChannelIDs     []string

	mu     sync.Mutex
	events []string
}

// Backends puts b in every place.
func (b *Backend) Backends() gateway.Backends {
	return gateway.Backends{
		Chats: chats{b}, Notes: notes{b}, Runs: runs{b}, Sessions: sessions{b}, Editor: editor{b}, Directory: directory{b},
		Channels: channels{b}, Sender: sender{b}, Workers: workers{b}, Events: queue{b}, Heart: heart{b}, Config: config{b},
		VoiceWake: voiceWake{}, Logs: logFile{b}, Pairing: pairing{b},
	}
}

type (
	chats     struct{ b *Backend }
	notes     struct{ b *Backend }
	runs      struct{ b *Backend }
	sessions  struct{ b *Backend }
	editor    struct{ b *Backend }
	directory struct{ b *Backend }
	channels  struct{ b *Backend }
	sender    struct{ b *Backend }
	workers   struct{ b *Backend }
	queue     struct{ b *Backend }
	heart     struct{ b *Backend }
	config    struct{ b *Backend }
	logFile   struct{ b *Backend }
	pairing   struct{ b *Backend }
	voiceWake struct{}
)

func (x chats) StartChat(ctx context.Context, r gateway.ChatRequest) (gateway.ChatStart, error) {
	if x.b.StartChatFunc == nil {
		return gateway.ChatStart{Result: protocol.ChatSendResult{RunID: r.Params.IdempotencyKey, Status: protocol.ChatStarted}}, nil
	}
	return x.b.StartChatFunc(ctx, r)
}

func (x chats) Abort(ctx context.Context, r gateway.AbortRequest) ([]string, error) {
	if x.b.AbortFunc == nil {
		return nil, nil
	}
	return x.b.AbortFunc(ctx, r)
}

func (x chats) History(ctx context.Context, p protocol.ChatHistoryParams) (protocol.ChatHistoryResult, error) {
	if x.b.HistoryFunc == nil {
		return protocol.ChatHistoryResult{SessionKey: p.SessionKey}, nil
	}
	return x.b.HistoryFunc(ctx, p)
}

func (x notes) Inject(ctx context.Context, p protocol.ChatInjectParams) (string, error) {
	if x.b.InjectFunc == nil {
		return "", protocol.Invalid("session not found")
	}
	return x.b.InjectFunc(ctx, p)
}

func (x runs) StartAgent(ctx context.Context, r gateway.AgentRequest) (gateway.AgentStart, error) {
	if x.b.StartAgentFunc == nil {
		return gateway.AgentStart{Ack: protocol.AgentAck{RunID: r.Params.IdempotencyKey, Status: protocol.AgentAccepted}}, nil
	}
	return x.b.StartAgentFunc(ctx, r)
}

func (x runs) WaitRun(ctx context.Context, id string) (protocol.AgentWaitResult, error) {
	if x.b.WaitRunFunc == nil {
		<-ctx.Done()
		return protocol.AgentWaitResult{RunID: id, Status: protocol.AgentTimeout}, nil
	}
	return x.b.WaitRunFunc(ctx, id)
}

func (x sessions) List(ctx context.Context, p protocol.SessionsListParams) (protocol.SessionsListResult, error) {
	if x.b.ListFunc == nil {
		return protocol.SessionsListResult{Path: "sessions.json", Defaults: protocol.ModelDefault{ModelProvider: "fake", Model: "fake-1", ContextTokens: 128000}}, nil
	}
	return x.b.ListFunc(ctx, p)
}

func (x sessions) Preview(ctx context.Context, p protocol.SessionsPreviewParams) ([]protocol.SessionPreview, error) {
	if x.b.PreviewFunc == nil {
		return nil, nil
	}
	return x.b.PreviewFunc(ctx, p)
}

func (x sessions) Resolve(ctx context.Context, p protocol.SessionsResolveParams) (string, error) {
	if x.b.ResolveFunc == nil {
		return "", protocol.Invalid("No session found: %s", p.Key)
	}
	return x.b.ResolveFunc(ctx, p)
}

func (x editor) Patch(ctx context.Context, p protocol.SessionsPatchParams) (protocol.SessionsPatchResult, error) {
	if x.b.PatchFunc == nil {
		return protocol.SessionsPatchResult{Key: p.Key, Entry: json.RawMessage("{}")}, nil
	}
	return x.b.PatchFunc(ctx, p)
}

func (x editor) Reset(ctx context.Context, key string) (protocol.SessionsResetResult, error) {
	if x.b.ResetFunc == nil {
		return protocol.SessionsResetResult{Key: key, Entry: json.RawMessage("{}")}, nil
	}
	return x.b.ResetFunc(ctx, key)
}

func (x editor) Delete(ctx context.Context, key string, transcript bool) (protocol.SessionsDeleteResult, error) {
	if x.b.DeleteFunc == nil {
		return protocol.SessionsDeleteResult{Key: key}, nil
	}
	return x.b.DeleteFunc(ctx, key, transcript)
}

func (x directory) Agents(context.Context) (protocol.AgentsListResult, error) {
	return protocol.AgentsListResult{DefaultID: "main", MainKey: "main", Scope: "per-sender", Agents: []protocol.AgentSummary{{ID: "main"}}}, nil
}

func (x directory) Identity(_ context.Context, id string) (protocol.AgentIdentityResult, error) {
	return protocol.AgentIdentityResult{AgentID: id, Name: "Assistant", Avatar: "A"}, nil
}

func (x directory) Models(ctx context.Context) (protocol.ModelsListResult, error) {
	if x.b.ModelsFunc == nil {
		return protocol.ModelsListResult{}, nil
	}
	return x.b.ModelsFunc(ctx)
}

func (x sender) Send(ctx context.Context, c gateway.Caller, p protocol.SendParams) (protocol.SendResult, error) {
	if x.b.SendFunc == nil {
		return protocol.SendResult{RunID: p.IdempotencyKey, Channel: p.Channel}, nil
	}
	return x.b.SendFunc(ctx, c, p)
}

func (x workers) List() []protocol.WorkerView {
	if x.b.WorkersFunc == nil {
		return nil
	}
	return x.b.WorkersFunc()
}

func (x workers) Control(ctx context.Context, a gateway.WorkerAction, id string) (protocol.WorkerView, error) {
	if x.b.ControlFunc == nil {
		return protocol.WorkerView{ID: id}, nil
	}
	return x.b.ControlFunc(ctx, a, id)
}

func (x workers) Logs(id string, n int) ([]string, error) {
	if x.b.WorkerLogsFunc == nil {
		return nil, nil
	}
	return x.b.WorkerLogsFunc(id, n)
}

func (x queue) Enqueue(_ context.Context, text string) error {
	x.b.mu.Lock()
	defer x.b.mu.Unlock()
	x.b.events = append(x.b.events, text)
	return nil
}

func (x queue) Queued(context.Context) ([]string, error) {
	x.b.mu.Lock()
	defer x.b.mu.Unlock()
	return append([]string(nil), x.b.events...), nil
}

func (x heart) Last(context.Context) (json.RawMessage, error) { return nil, nil }
func (x heart) SetEnabled(context.Context, bool) error        { return nil }
func (x heart) Wake(ctx context.Context, text string, now bool) error {
	if x.b.WakeFunc != nil {
		return x.b.WakeFunc(ctx, text, now)
	}
	return queue(x).Enqueue(ctx, text)
}

func (x config) Redacted(ctx context.Context) (protocol.ConfigSnapshot, error) {
	if x.b.RedactedFunc == nil {
		return protocol.ConfigSnapshot{Path: "openclaw.json", Valid: true, Parsed: json.RawMessage("{}"), Config: json.RawMessage("{}")}, nil
	}
	return x.b.RedactedFunc(ctx)
}

func (voiceWake) Triggers(context.Context) ([]string, error) {
	return []string{"openclaw", "claude", "computer"}, nil
}

func (x logFile) Path() string { return x.b.LogPath }
