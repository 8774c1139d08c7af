package service

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/transcript"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// injectedModel is the model that a message without a run is said to come from,
// and injectedProvider its provider.
const (
	injectedModel    = "gateway-injected"
	injectedProvider = "openclaw"
)

func (s *Service) options(ref agent.TranscriptRef) transcript.Options {
	return transcript.Options{
		Path: ref.Path, SessionID: ref.SessionID, Cwd: s.snap.Load().Settings.Workspace(ref.AgentID), Log: s.cfg.Log,
	}
}

// History reads one page of a transcript.
func (s *Service) History(_ context.Context, r agent.HistoryRequest) (agent.HistoryPage, error) {
	messages, before, err := transcript.History(r.Transcript.Path, transcript.Page{Limit: r.Limit, MaxBytes: r.MaxBytes, Before: r.Before})
	if err != nil {
		return agent.HistoryPage{}, err
	}
	return agent.HistoryPage{Messages: messages, Before: before}, nil
}

// Preview reads the last texts of several transcripts.
func (s *Service) Preview(_ context.Context, refs []agent.TranscriptRef, limit, maxChars int) ([]agent.Preview, error) {
	out := make([]agent.Preview, 0, len(refs))
	for _, ref := range refs {
		items, found, err := transcript.Preview(ref.Path, limit, maxChars)
		if err != nil {
			return nil, err
		}
		p := agent.Preview{SessionKey: ref.SessionKey, Found: found}
		for _, it := range items {
			p.Items = append(p.Items, agent.PreviewItem{Role: it.Role, Text: it.Text})
		}
		out = append(out, p)
	}
	return out, nil
}

// InjectMessage appends a message that no model wrote.
func (s *Service) InjectMessage(ctx context.Context, in agent.Injection) (string, error) {
	m := chat.Message{Role: in.Role, Content: chat.Blocks{chat.Text(in.Text)}, Timestamp: time.Now().UnixMilli()}
	switch in.Role {
	case "", chat.RoleAssistant:
		m.Role, m.StopReason, m.Usage = chat.RoleAssistant, chat.StopEnd, &chat.Usage{}
		m.API, m.Provider, m.Model = "openai-completions", injectedProvider, injectedModel
	case chat.RoleUser:
	default:
		return "", status.Errorf(codes.InvalidArgument, "role %q cannot be injected", in.Role)
	}
	opt := s.options(in.Transcript)
	if in.Workspace != "" {
		opt.Cwd = in.Workspace
	}
	return transcript.Inject(ctx, opt, transcript.MessageEntry(m, &transcript.Tag{Key: in.Key}))
}

// CompactSession keeps a transcript's last lines. A summary by a model is not built yet.
func (s *Service) CompactSession(ctx context.Context, ref agent.TranscriptRef, _ string, maxLines int) (agent.Compacted, error) {
	if maxLines <= 0 {
		return agent.Compacted{}, status.Error(codes.Unimplemented, "a summary by a model is not supported by this version; give the number of lines to keep")
	}
	kept, err := transcript.Compact(ctx, s.options(ref), maxLines)
	if err != nil {
		return agent.Compacted{}, err
	}
	return agent.Compacted{Done: kept.Compacted, Reason: kept.Reason, KeptLines: kept.Lines, ArchivedPath: kept.Archive}, nil
}

// ResetTranscript puts the file aside; the next run begins a new one.
func (s *Service) ResetTranscript(ctx context.Context, ref agent.TranscriptRef) (string, error) {
	return transcript.Archive(ctx, s.options(ref), "reset")
}

// DeleteTranscript archives the file.
func (s *Service) DeleteTranscript(ctx context.Context, ref agent.TranscriptRef) (string, error) {
	return transcript.Archive(ctx, s.options(ref), "deleted")
}

// ForkSession copies a transcript under a new session id.
func (s *Service) ForkSession(ctx context.Context, source, target agent.TranscriptRef) error {
	if source.Path == target.Path {
		return fmt.Errorf("fork transcript: source and target are the same file")
	}
	return transcript.Fork(ctx, source.Path, s.options(target))
}
