package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	agentv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/agent/v1"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// ErrUnsupported says that the runtime lacks what was asked for.
var ErrUnsupported = errors.New("the agent runtime does not support this")

// ErrBroken says that a run's stream ended without Finished: the runtime died, or is being let go.
var ErrBroken = errors.New("the agent runtime went away during the run")

// ErrUnreached says that the runtime could not be reached: the run was never handed over.
var ErrUnreached = errors.New("the agent runtime could not be reached")

// Client is the supervisor's end of the agent contract. It is safe for concurrent
// use and sets no deadlines of its own; see the contract for each rpc's.
type Client struct{ rpc agentv1.AgentServiceClient }

// NewClient speaks the agent contract over the connection of c.
func NewClient(c *plugin.Client) *Client {
	return &Client{rpc: agentv1.NewAgentServiceClient(c.Conn())}
}

func callError(op string, err error) error {
	if err == nil {
		return nil
	}
	if status.Code(err) == codes.Unimplemented {
		return fmt.Errorf("%s: %w", op, ErrUnsupported)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// Run does one run, or what is left of it, and hands each event to on, in order. It
// returns nil after Finished; an error that Is ErrUnreached where no stream came about, ErrBroken where
// it ended before; the error of on, which cancels the stream.
func (c *Client) Run(ctx context.Context, r RunRequest, on func(RunEvent) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.rpc.Run(ctx, r.toWire())
	if err != nil {
		return fmt.Errorf("run %s: %w: %w", r.RunID, ErrUnreached, err)
	}
	finished := false
	for {
		f, err := stream.Recv()
		if errors.Is(err, io.EOF) && finished {
			return nil
		}
		if err != nil {
			if finished {
				return nil
			}
			return fmt.Errorf("run %s: %w: %w", r.RunID, ErrBroken, err)
		}
		ev := runEventFromWire(f.GetEvent())
		finished = finished || ev.Finished != nil
		if err := on(ev); err != nil {
			return err
		}
		if finished {
			return nil
		}
	}
}

// Steer hands a further input to a run; false = no such run is going on.
func (c *Client) Steer(ctx context.Context, runID string, in Input) (bool, error) {
	r, err := c.rpc.Steer(ctx, &agentv1.SteerRequest{RunId: runID, Input: in.toWire()})
	return r.GetOutcome() == agentv1.SteerOutcome_STEER_OUTCOME_ACCEPTED, callError("steer", err)
}

// Abort ends a run; false = no such run was going on. Idempotent.
func (c *Client) Abort(ctx context.Context, runID, reason string) (bool, error) {
	r, err := c.rpc.Abort(ctx, &agentv1.AbortRequest{RunId: runID, Reason: reason})
	return r.GetFound(), callError("abort", err)
}

// History reads one page of a transcript.
func (c *Client) History(ctx context.Context, r HistoryRequest) (HistoryPage, error) {
	w, err := c.rpc.History(ctx, &agentv1.HistoryRequest{Transcript: r.Transcript.toWire(), Limit: uint32(max(r.Limit, 0)), MaxBytes: r.MaxBytes, Before: r.Before})
	page := HistoryPage{Before: w.GetBefore()}
	for _, m := range w.GetMessagesJson() {
		page.Messages = append(page.Messages, json.RawMessage(m))
	}
	return page, callError("history", err)
}

// Preview reads the last texts of several transcripts.
func (c *Client) Preview(ctx context.Context, refs []TranscriptRef, limit, maxChars int) ([]Preview, error) {
	req := &agentv1.PreviewRequest{Limit: uint32(max(limit, 0)), MaxChars: uint32(max(maxChars, 0))}
	for _, t := range refs {
		req.Transcripts = append(req.Transcripts, t.toWire())
	}
	w, err := c.rpc.Preview(ctx, req)
	var out []Preview
	for _, p := range w.GetPreviews() {
		pv := Preview{SessionKey: p.GetSessionKey(), Found: p.GetFound()}
		for _, it := range p.GetItems() {
			pv.Items = append(pv.Items, PreviewItem{Role: it.GetRole(), Text: it.GetText()})
		}
		out = append(out, pv)
	}
	return out, callError("preview", err)
}

// InjectMessage appends a message that no model wrote. Idempotent by key.
func (c *Client) InjectMessage(ctx context.Context, in Injection) (string, error) {
	w, err := c.rpc.InjectMessage(ctx, &agentv1.InjectMessageRequest{Transcript: in.Transcript.toWire(), Text: in.Text, EntryKey: in.Key, Role: in.Role, Workspace: in.Workspace})
	return w.GetEntryId(), callError("inject message", err)
}

// CompactSession shortens a transcript.
func (c *Client) CompactSession(ctx context.Context, ref TranscriptRef, instructions string, maxLines int) (Compacted, error) {
	w, err := c.rpc.CompactSession(ctx, &agentv1.CompactSessionRequest{Transcript: ref.toWire(), Instructions: instructions, MaxLines: uint32(max(maxLines, 0))})
	return Compacted{Done: w.GetCompacted(), Reason: w.GetReason(), KeptLines: int(w.GetKeptLines()), ArchivedPath: w.GetArchivedPath()}, callError("compact", err)
}

// ForkSession copies a transcript.
func (c *Client) ForkSession(ctx context.Context, source, target TranscriptRef) error {
	_, err := c.rpc.ForkSession(ctx, &agentv1.ForkSessionRequest{Source: source.toWire(), Target: target.toWire()})
	return callError("fork session", err)
}

// ResetTranscript starts a transcript anew.
func (c *Client) ResetTranscript(ctx context.Context, ref TranscriptRef) (string, error) {
	w, err := c.rpc.ResetTranscript(ctx, &agentv1.ResetTranscriptRequest{Transcript: ref.toWire()})
	return w.GetArchivedPath(), callError("reset transcript", err)
}

// DeleteTranscript archives a transcript.
func (c *Client) DeleteTranscript(ctx context.Context, ref TranscriptRef) (string, error) {
	w, err := c.rpc.DeleteTranscript(ctx, &agentv1.DeleteTranscriptRequest{Transcript: ref.toWire()})
	return w.GetArchivedPath(), callError("delete transcript", err)
}

// Models lists what can be used now.
func (c *Client) Models(ctx context.Context) (Models, error) {
	w, err := c.rpc.Models(ctx, &agentv1.ModelsRequest{})
	out := Models{DefaultModel: w.GetDefaultModel(), DefaultReason: w.GetDefaultReason(), DefaultContextWindow: w.GetDefaultContextWindow()}
	for _, m := range w.GetModels() {
		out.Models = append(out.Models, Model{ID: m.GetId(), Name: m.GetName(), Provider: m.GetProvider(), ContextWindow: m.GetContextWindow(), Reasoning: m.GetReasoning(), Input: m.GetInput()})
	}
	return out, callError("models", err)
}

// AgentFiles lists an agent's workspace files.
func (c *Client) AgentFiles(ctx context.Context, agentID, workspace string) ([]File, error) {
	w, err := c.rpc.AgentFilesList(ctx, &agentv1.AgentFilesListRequest{AgentId: agentID, Workspace: workspace})
	var out []File
	for _, f := range w.GetFiles() {
		out = append(out, fileFromWire(f))
	}
	return out, callError("agent files", err)
}

// AgentFile reads one of an agent's workspace files.
func (c *Client) AgentFile(ctx context.Context, agentID, workspace, name string) (File, error) {
	w, err := c.rpc.AgentFilesGet(ctx, &agentv1.AgentFilesGetRequest{AgentId: agentID, Workspace: workspace, Name: name})
	return fileFromWire(w.GetFile()), callError("agent file", err)
}

// SetAgentFile writes one of an agent's workspace files.
func (c *Client) SetAgentFile(ctx context.Context, agentID, workspace, name, content string) (File, error) {
	w, err := c.rpc.AgentFilesSet(ctx, &agentv1.AgentFilesSetRequest{AgentId: agentID, Workspace: workspace, Name: name, Content: content})
	return fileFromWire(w.GetFile()), callError("set agent file", err)
}

// SkillsStatus lists skills as protocol v3 shows them.
func (c *Client) SkillsStatus(ctx context.Context, agentID string) (json.RawMessage, error) {
	w, err := c.rpc.SkillsStatus(ctx, &agentv1.SkillsStatusRequest{AgentId: agentID})
	return rawJSON(w.GetStatusJson()), callError("skills status", err)
}

// SkillsUpdate changes one skill's settings.
func (c *Client) SkillsUpdate(ctx context.Context, update json.RawMessage) (json.RawMessage, error) {
	w, err := c.rpc.SkillsUpdate(ctx, &agentv1.SkillsUpdateRequest{UpdateJson: string(update)})
	return rawJSON(w.GetStatusJson()), callError("skills update", err)
}

// Context reports how a session's context window is used.
func (c *Client) Context(ctx context.Context, ref TranscriptRef) (json.RawMessage, error) {
	w, err := c.rpc.Context(ctx, &agentv1.ContextRequest{Transcript: ref.toWire()})
	return rawJSON(w.GetReportJson()), callError("context", err)
}

// AuthStatus says which providers have credentials.
func (c *Client) AuthStatus(ctx context.Context) ([]ProviderAuth, error) {
	w, err := c.rpc.AuthStatus(ctx, &agentv1.AuthStatusRequest{})
	var out []ProviderAuth
	for _, p := range w.GetProviders() {
		out = append(out, ProviderAuth{Provider: p.GetProvider(), Source: p.GetSource(), Usable: p.GetUsable(), Text: p.GetText()})
	}
	return out, callError("auth status", err)
}

// AuthSet stores a provider's credential.
func (c *Client) AuthSet(ctx context.Context, provider, profile string, credential json.RawMessage) error {
	_, err := c.rpc.AuthSet(ctx, &agentv1.AuthSetRequest{Provider: provider, Profile: profile, CredentialJson: string(credential)})
	return callError("auth set", err)
}
