package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/command"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/router"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
)

// Methods whose idempotency key names a run.
const (
	methodChatSend = "chat.send"
	methodAgent    = "agent"
)

// historyBytes caps the answer to chat.history (protocol v3).
const historyBytes = 6 << 20

// chats implements gateway.Chats, gateway.Notes and gateway.Runs.
type chats struct {
	db       *journal.DB
	runner   *run.Runner
	commands *command.Set
	book     *book
	agents   *agents
	media    mediaKeeper
	events   run.Events
	clock    clock.Clock
	log      *slog.Logger
}

// mediaKeeper stores an attachment and gives its path.
type mediaKeeper interface {
	Keep(ctx context.Context, mime, name string, data []byte) (path string, err error)
}

// StartChat implements gateway.Chats.
func (c *chats) StartChat(ctx context.Context, r gateway.ChatRequest) (gateway.ChatStart, error) {
	where, err := c.book.resolve(r.Params.SessionKey, "")
	if err != nil {
		return gateway.ChatStart{}, err
	}
	if err := c.book.sendAllowed(where.key); err != nil {
		return gateway.ChatStart{}, err
	}
	if cmd, ok := c.commands.Parse(r.Params.Message); ok && strings.HasPrefix(strings.TrimSpace(r.Params.Message), "/") {
		return c.startCommand(ctx, r, where, cmd)
	}
	attachments, err := c.keep(ctx, r.Images)
	if err != nil {
		return gateway.ChatStart{}, err
	}
	now := c.clock.Now()
	text := "[" + router.Stamp(now) + "] " + r.Params.Message + "\n[message_id: " + r.Params.IdempotencyKey + "]"
	wish := run.Wish{
		AgentID: where.agentID, SessionKey: where.key, AsSent: r.Params.SessionKey, Thinking: r.Params.Thinking,
		Route:  run.Route{Channel: run.Webchat, ChatKind: "direct"},
		Inputs: []run.Input{{ID: "chat:" + r.Params.IdempotencyKey, Text: text, Attachments: attachments, TimestampMS: now.UnixMilli()}},
	}
	if t := r.Params.TimeoutMS; t != nil && *t > 0 {
		wish.TimeoutMS = *t
	}
	a, err := c.runner.Admit(ctx, run.Admission{Method: methodChatSend, Key: r.Params.IdempotencyKey, Source: journal.SourceChat, Wish: wish, ToolsOf: toolsOf(r.Caller)})
	if err != nil {
		return gateway.ChatStart{}, err
	}
	return gateway.ChatStart{Result: protocol.ChatSendResult{RunID: a.RunID, Status: chatStatus(a)}, Begin: a.Begin}, nil
}

func chatStatus(a run.Admitted) protocol.ChatStatus {
	switch {
	case !a.Existing:
		return protocol.ChatStarted
	case a.Ended:
		return protocol.ChatOK
	}
	return protocol.ChatInFlight
}

func toolsOf(c gateway.Caller) string {
	if c.ToolEvents {
		return c.ConnID
	}
	return ""
}

// startCommand answers a command without a run: one final event, kept in the history.
func (c *chats) startCommand(ctx context.Context, r gateway.ChatRequest, where place, cmd command.Command) (gateway.ChatStart, error) {
	key := r.Params.IdempotencyKey
	status := protocol.ChatStarted
	err := c.db.Update(ctx, func(tx *journal.Tx) error {
		_, err := tx.GetIdem(methodChatSend, key)
		if err == nil {
			status = protocol.ChatOK
			return nil
		}
		if !errors.Is(err, journal.ErrNotFound) {
			return err
		}
		return tx.PutIdem(journal.IdemRow{Method: methodChatSend, Key: key, Caller: r.Caller.DeviceID, ExpiresMS: tx.NowMS() + idemLife.Milliseconds()})
	})
	start := gateway.ChatStart{Result: protocol.ChatSendResult{RunID: key, Status: status}}
	if err != nil || status != protocol.ChatStarted {
		return start, err
	}
	res, err := c.commands.Run(ctx, command.Call{Command: cmd, SessionKey: where.key, AgentID: where.agentID})
	if err != nil {
		return start, err
	}
	start.Begin = func() {
		m := c.note(res.Text)
		c.events.Chat(protocol.ChatEvent{RunID: key, SessionKey: where.key, Seq: 1, State: protocol.ChatFinal, Message: m})
		// The history of a session that never had a run is left empty: a command makes no session.
		if ref, ok := c.book.transcript(where.key); ok {
			if client := c.agents.client(); client != nil {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
				defer cancel()
				_, err := client.InjectMessage(ctx, agent.Injection{Transcript: ref, Text: res.Text, Key: "chat:" + key, Role: "assistant", Workspace: c.book.workspace(where.agentID)})
				if err != nil {
					c.log.Warn("the answer to a command was told, but is not in the transcript", "session", where.key, "error", err)
				}
			}
		}
	}
	return start, nil
}

// Abort implements gateway.Chats.
func (c *chats) Abort(ctx context.Context, r gateway.AbortRequest) ([]string, error) {
	where, err := c.book.resolve(r.SessionKey, "")
	if err != nil {
		return nil, err
	}
	if r.RunID == "" {
		return notNil(c.runner.AbortSession(ctx, where.key, r.Reason)), nil
	}
	ids, err := c.runner.Abort(ctx, where.key, r.RunID, r.Reason)
	if errors.Is(err, run.ErrOtherSession) {
		return nil, protocol.Invalid("%s", err)
	}
	return notNil(ids), err
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// History implements gateway.Chats.
func (c *chats) History(ctx context.Context, p protocol.ChatHistoryParams) (protocol.ChatHistoryResult, error) {
	where, err := c.book.resolve(p.SessionKey, "")
	if err != nil {
		return protocol.ChatHistoryResult{}, err
	}
	out := protocol.ChatHistoryResult{SessionKey: p.SessionKey, Messages: []json.RawMessage{}, ThinkingLevel: c.book.thinking(where.key)}
	ref, ok := c.book.transcript(where.key)
	if !ok {
		return out, nil
	}
	out.SessionID = ref.SessionID
	client := c.agents.client()
	if client == nil {
		return out, agentAway()
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	page, err := client.History(ctx, agent.HistoryRequest{Transcript: ref, Limit: p.Limit, MaxBytes: historyBytes})
	if err != nil {
		return out, agentFailed(err)
	}
	out.Messages = notNil(page.Messages)
	return out, nil
}

// Inject implements gateway.Notes.
func (c *chats) Inject(ctx context.Context, p protocol.ChatInjectParams) (string, error) {
	where, err := c.book.resolve(p.SessionKey, "")
	if err != nil {
		return "", err
	}
	ref, ok := c.book.transcript(where.key)
	if !ok {
		return "", protocol.Invalid("session not found")
	}
	client := c.agents.client()
	if client == nil {
		return "", agentAway()
	}
	text := p.Message
	if p.Label != "" {
		text = "[" + p.Label + "]\n\n" + text
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	id, err := client.InjectMessage(ctx, agent.Injection{Transcript: ref, Text: text, Key: "inject:" + c.runner.NewID(), Role: "assistant", Workspace: c.book.workspace(where.agentID)})
	if err != nil {
		return "", agentFailed(err)
	}
	c.events.Chat(protocol.ChatEvent{RunID: "inject-" + id, SessionKey: where.key, Seq: 0, State: protocol.ChatFinal, Message: c.note(text)})
	return id, nil
}

// note is a message that no model wrote.
func (c *chats) note(text string) json.RawMessage {
	b, err := json.Marshal(protocol.ChatMessage{
		Role: "assistant", Content: protocol.Text(text), Timestamp: c.clock.Now().UnixMilli(), StopReason: "stop", Provider: "openclaw", Model: "gateway-injected",
	})
	if err != nil {
		panic("a message of strings and numbers always has a JSON form: " + err.Error())
	}
	return b
}

// StartAgent implements gateway.Runs.
func (c *chats) StartAgent(ctx context.Context, r gateway.AgentRequest) (gateway.AgentStart, error) {
	p := r.Params
	where, err := c.book.resolveAgent(p)
	if err != nil {
		return gateway.AgentStart{}, err
	}
	if err := c.book.sendAllowed(where.key); err != nil {
		return gateway.AgentStart{}, err
	}
	attachments, err := c.keep(ctx, r.Images)
	if err != nil {
		return gateway.AgentStart{}, err
	}
	now := c.clock.Now()
	wish := run.Wish{
		AgentID: where.agentID, SessionKey: where.key, AsSent: where.key, Thinking: p.Thinking, ExtraSystemPrompt: p.ExtraSystemPrompt,
		Route:  run.Route{Channel: run.Webchat, ChatKind: "direct"},
		Inputs: []run.Input{{ID: "agent:" + p.IdempotencyKey, Text: "[" + router.Stamp(now) + "] " + p.Message, Attachments: attachments, TimestampMS: now.UnixMilli()}},
	}
	if t := p.Timeout; t != nil && *t > 0 {
		wish.TimeoutMS = *t * int64(time.Second/time.Millisecond)
	}
	a, err := c.runner.Admit(ctx, run.Admission{Method: methodAgent, Key: p.IdempotencyKey, Source: journal.SourceAgent, Wish: wish, ToolsOf: toolsOf(r.Caller)})
	if err != nil {
		return gateway.AgentStart{}, err
	}
	start := gateway.AgentStart{Ack: protocol.AgentAck{RunID: a.RunID, Status: protocol.AgentAccepted, AcceptedAt: now.UnixMilli()}, Begin: a.Begin}
	switch {
	case a.Ended:
		start.Stored = &gateway.AgentFinal{Result: a.Final.Result, Err: a.Final.Err}
	case !a.Existing:
		start.Wait = func(ctx context.Context) (gateway.AgentFinal, error) {
			select {
			case <-a.Done:
				f := a.Outcome()
				return gateway.AgentFinal{Result: f.Result, Err: f.Err}, nil
			case <-ctx.Done():
				return gateway.AgentFinal{}, ctx.Err()
			}
		}
	}
	return start, nil
}

// WaitRun implements gateway.Runs. A run that is not known is waited for as well: it may begin.
func (c *chats) WaitRun(ctx context.Context, runID string) (protocol.AgentWaitResult, error) {
	timeout := protocol.AgentWaitResult{RunID: runID, Status: protocol.AgentTimeout}
	for {
		ended, final, known, err := c.runner.Find(ctx, runID)
		switch {
		case ctx.Err() != nil:
			return timeout, nil //nolint:nilerr // the end of the wait is an answer, whatever the lookup said
		case err != nil:
			return timeout, err
		case !known:
			t := time.NewTimer(waitPoll)
			select {
			case <-t.C:
				continue
			case <-ctx.Done():
				t.Stop()
				return timeout, nil
			}
		}
		select {
		case <-ended:
			f := final()
			out := protocol.AgentWaitResult{RunID: runID, Status: f.Result.Status, StartedAt: f.StartedMS, EndedAt: f.EndedMS}
			if f.Err != nil {
				out.Error = f.Err.Message
			}
			return out, nil
		case <-ctx.Done():
			return timeout, nil
		}
	}
}

func (c *chats) keep(ctx context.Context, images []gateway.Image) ([]agent.Attachment, error) {
	var out []agent.Attachment
	for _, img := range images {
		path, err := c.media.Keep(ctx, img.MimeType, img.FileName, img.Data)
		if err != nil {
			return nil, err
		}
		out = append(out, agent.Attachment{Path: path, MIME: img.MimeType, Name: img.FileName})
	}
	return out, nil
}
