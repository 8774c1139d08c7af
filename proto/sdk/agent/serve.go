package agent

import (
	"context"
	"encoding/json"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	agentv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/agent/v1"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Serve runs the agent runtime's process; it returns when the process is to exit.
func Serve(r Runtime) {
	plugin.Serve(plugin.ServeConfig{Base: base{r}, Features: Features(r), Register: func(g *grpc.Server) { Register(g, r) }})
}

// Register puts the agent contract of r on a gRPC server. Serve does so; test harnesses use it, with NewBase.
func Register(g *grpc.Server, r Runtime) { agentv1.RegisterAgentServiceServer(g, &server{r: r}) }

// NewBase gives the base half of r for a test harness's own gRPC server; stopped may be nil.
func NewBase(r Runtime, stopped func()) *plugin.Server {
	return plugin.NewServer(base{r}, Features(r), stopped)
}

// Names of the optional powers, as they stand in Description.Features.
const (
	FeatureFork    = "fork"
	FeatureFiles   = "agent_files"
	FeatureAuth    = "auth"
	FeatureSkills  = "skills"
	FeatureContext = "context"
)

// Features lists the optional powers that r has, in a fixed order.
func Features(r Runtime) []string {
	var out []string
	if _, ok := r.(Forker); ok {
		out = append(out, FeatureFork)
	}
	if _, ok := r.(FileKeeper); ok {
		out = append(out, FeatureFiles)
	}
	if _, ok := r.(Authenticator); ok {
		out = append(out, FeatureAuth)
	}
	if _, ok := r.(SkillKeeper); ok {
		out = append(out, FeatureSkills)
	}
	if _, ok := r.(ContextReporter); ok {
		out = append(out, FeatureContext)
	}
	return out
}

type base struct{ Runtime }

func (b base) Describe() plugin.Description {
	d := b.Runtime.Describe()
	d.Kind = plugin.KindAgent
	return d
}

func (b base) QueueDepths() map[string]int64 {
	if h, ok := b.Runtime.(plugin.HealthReporter); ok {
		return h.QueueDepths()
	}
	return nil
}

type server struct {
	agentv1.UnimplementedAgentServiceServer
	r Runtime
}

func lacks(what string) error {
	return status.Errorf(codes.Unimplemented, "this agent runtime has no %s", what)
}

func wireError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, err.Error())
}

// Run numbers the events and streams them.
func (s *server) Run(req *agentv1.RunRequest, stream grpc.ServerStreamingServer[agentv1.RunResponse]) error {
	var seq uint64
	return wireError(s.r.Run(stream.Context(), runRequestFromWire(req), func(e RunEvent) error {
		seq++
		e.Seq = seq
		return stream.Send(&agentv1.RunResponse{Event: e.toWire()})
	}))
}

func (s *server) Steer(ctx context.Context, r *agentv1.SteerRequest) (*agentv1.SteerResponse, error) {
	ok, err := s.r.Steer(ctx, r.GetRunId(), inputFromWire(r.GetInput()))
	out := agentv1.SteerOutcome_STEER_OUTCOME_NOT_RUNNING
	if ok {
		out = agentv1.SteerOutcome_STEER_OUTCOME_ACCEPTED
	}
	return &agentv1.SteerResponse{Outcome: out}, wireError(err)
}

func (s *server) Abort(ctx context.Context, r *agentv1.AbortRequest) (*agentv1.AbortResponse, error) {
	found, err := s.r.Abort(ctx, r.GetRunId(), r.GetReason())
	return &agentv1.AbortResponse{Found: found}, wireError(err)
}

func (s *server) History(ctx context.Context, r *agentv1.HistoryRequest) (*agentv1.HistoryResponse, error) {
	p, err := s.r.History(ctx, HistoryRequest{Transcript: refFromWire(r.GetTranscript()), Limit: int(r.GetLimit()), MaxBytes: r.GetMaxBytes(), Before: r.GetBefore()})
	out := &agentv1.HistoryResponse{Before: p.Before}
	for _, m := range p.Messages {
		out.MessagesJson = append(out.MessagesJson, string(m))
	}
	return out, wireError(err)
}

func (s *server) Preview(ctx context.Context, r *agentv1.PreviewRequest) (*agentv1.PreviewResponse, error) {
	refs := make([]TranscriptRef, len(r.GetTranscripts()))
	for i, t := range r.GetTranscripts() {
		refs[i] = refFromWire(t)
	}
	ps, err := s.r.Preview(ctx, refs, int(r.GetLimit()), int(r.GetMaxChars()))
	out := &agentv1.PreviewResponse{}
	for _, p := range ps {
		w := &agentv1.TranscriptPreview{SessionKey: p.SessionKey, Found: p.Found}
		for _, it := range p.Items {
			w.Items = append(w.Items, &agentv1.PreviewItem{Role: it.Role, Text: it.Text})
		}
		out.Previews = append(out.Previews, w)
	}
	return out, wireError(err)
}

func (s *server) InjectMessage(ctx context.Context, r *agentv1.InjectMessageRequest) (*agentv1.InjectMessageResponse, error) {
	id, err := s.r.InjectMessage(ctx, Injection{Transcript: refFromWire(r.GetTranscript()), Text: r.GetText(), Key: r.GetEntryKey(), Role: r.GetRole(), Workspace: r.GetWorkspace()})
	return &agentv1.InjectMessageResponse{EntryId: id}, wireError(err)
}

func (s *server) CompactSession(ctx context.Context, r *agentv1.CompactSessionRequest) (*agentv1.CompactSessionResponse, error) {
	c, err := s.r.CompactSession(ctx, refFromWire(r.GetTranscript()), r.GetInstructions(), int(r.GetMaxLines()))
	return &agentv1.CompactSessionResponse{Compacted: c.Done, Reason: c.Reason, KeptLines: uint32(max(c.KeptLines, 0)), ArchivedPath: c.ArchivedPath}, wireError(err)
}

func (s *server) ForkSession(ctx context.Context, r *agentv1.ForkSessionRequest) (*agentv1.ForkSessionResponse, error) {
	f, ok := s.r.(Forker)
	if !ok {
		return nil, lacks("fork")
	}
	return &agentv1.ForkSessionResponse{}, wireError(f.ForkSession(ctx, refFromWire(r.GetSource()), refFromWire(r.GetTarget())))
}

func (s *server) ResetTranscript(ctx context.Context, r *agentv1.ResetTranscriptRequest) (*agentv1.ResetTranscriptResponse, error) {
	path, err := s.r.ResetTranscript(ctx, refFromWire(r.GetTranscript()))
	return &agentv1.ResetTranscriptResponse{ArchivedPath: path}, wireError(err)
}

func (s *server) DeleteTranscript(ctx context.Context, r *agentv1.DeleteTranscriptRequest) (*agentv1.DeleteTranscriptResponse, error) {
	path, err := s.r.DeleteTranscript(ctx, refFromWire(r.GetTranscript()))
	return &agentv1.DeleteTranscriptResponse{ArchivedPath: path}, wireError(err)
}

func (s *server) Models(ctx context.Context, _ *agentv1.ModelsRequest) (*agentv1.ModelsResponse, error) {
	ms, err := s.r.Models(ctx)
	out := &agentv1.ModelsResponse{DefaultModel: ms.DefaultModel, DefaultReason: ms.DefaultReason, DefaultContextWindow: ms.DefaultContextWindow}
	for _, m := range ms.Models {
		out.Models = append(out.Models, &agentv1.Model{Id: m.ID, Name: m.Name, Provider: m.Provider, ContextWindow: m.ContextWindow, Reasoning: m.Reasoning, Input: m.Input})
	}
	return out, wireError(err)
}

func (s *server) AgentFilesList(ctx context.Context, r *agentv1.AgentFilesListRequest) (*agentv1.AgentFilesListResponse, error) {
	k, ok := s.r.(FileKeeper)
	if !ok {
		return nil, lacks("agent files")
	}
	files, err := k.AgentFiles(ctx, r.GetAgentId(), r.GetWorkspace())
	out := &agentv1.AgentFilesListResponse{}
	for _, f := range files {
		out.Files = append(out.Files, f.toWire())
	}
	return out, wireError(err)
}

func (s *server) AgentFilesGet(ctx context.Context, r *agentv1.AgentFilesGetRequest) (*agentv1.AgentFilesGetResponse, error) {
	k, ok := s.r.(FileKeeper)
	if !ok {
		return nil, lacks("agent files")
	}
	f, err := k.AgentFile(ctx, r.GetAgentId(), r.GetWorkspace(), r.GetName())
	return &agentv1.AgentFilesGetResponse{File: f.toWire()}, wireError(err)
}

func (s *server) AgentFilesSet(ctx context.Context, r *agentv1.AgentFilesSetRequest) (*agentv1.AgentFilesSetResponse, error) {
	k, ok := s.r.(FileKeeper)
	if !ok {
		return nil, lacks("agent files")
	}
	f, err := k.SetAgentFile(ctx, r.GetAgentId(), r.GetWorkspace(), r.GetName(), r.GetContent())
	return &agentv1.AgentFilesSetResponse{File: f.toWire()}, wireError(err)
}

func (s *server) SkillsStatus(ctx context.Context, r *agentv1.SkillsStatusRequest) (*agentv1.SkillsStatusResponse, error) {
	k, ok := s.r.(SkillKeeper)
	if !ok {
		return nil, lacks("skills")
	}
	out, err := k.SkillsStatus(ctx, r.GetAgentId())
	return &agentv1.SkillsStatusResponse{StatusJson: string(out)}, wireError(err)
}

func (s *server) SkillsUpdate(ctx context.Context, r *agentv1.SkillsUpdateRequest) (*agentv1.SkillsUpdateResponse, error) {
	k, ok := s.r.(SkillKeeper)
	if !ok {
		return nil, lacks("skills")
	}
	out, err := k.SkillsUpdate(ctx, json.RawMessage(r.GetUpdateJson()))
	return &agentv1.SkillsUpdateResponse{StatusJson: string(out)}, wireError(err)
}

func (s *server) Context(ctx context.Context, r *agentv1.ContextRequest) (*agentv1.ContextResponse, error) {
	k, ok := s.r.(ContextReporter)
	if !ok {
		return nil, lacks("context report")
	}
	out, err := k.Context(ctx, refFromWire(r.GetTranscript()))
	return &agentv1.ContextResponse{ReportJson: string(out)}, wireError(err)
}

func (s *server) AuthStatus(ctx context.Context, _ *agentv1.AuthStatusRequest) (*agentv1.AuthStatusResponse, error) {
	k, ok := s.r.(Authenticator)
	if !ok {
		return nil, lacks("credentials")
	}
	ps, err := k.AuthStatus(ctx)
	out := &agentv1.AuthStatusResponse{}
	for _, p := range ps {
		out.Providers = append(out.Providers, &agentv1.ProviderAuth{Provider: p.Provider, Source: p.Source, Usable: p.Usable, Text: p.Text})
	}
	return out, wireError(err)
}

func (s *server) AuthSet(ctx context.Context, r *agentv1.AuthSetRequest) (*agentv1.AuthSetResponse, error) {
	k, ok := s.r.(Authenticator)
	if !ok {
		return nil, lacks("credentials")
	}
	return &agentv1.AuthSetResponse{}, wireError(k.AuthSet(ctx, r.GetProvider(), r.GetProfile(), json.RawMessage(r.GetCredentialJson())))
}
