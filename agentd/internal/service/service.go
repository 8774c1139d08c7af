// Package service is agentd as the supervisor sees it: the contract of the agent
// runtime on one side, turns, transcripts, models and the workspace on the other.
//
// It holds the one current Snapshot of the settings; a run keeps the one it began
// with. All methods may be called from several goroutines. It stores nothing itself.
package service

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/model"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/turn"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Config of a Service.
type Config struct {
	Version   string
	Providers map[string]provider.Provider
	Tools     *tool.Registry
	Log       *slog.Logger
	// Close is called once all runs have ended at a drain; it ends background commands. May be nil.
	Close func()
	// Depths gives the sizes of further queues for Health. May be nil.
	Depths func() map[string]int64
}

// Service is the agent runtime.
type Service struct {
	cfg    Config
	engine *turn.Engine
	snap   atomic.Pointer[turn.Snapshot]
}

var (
	_ agent.Runtime         = (*Service)(nil)
	_ agent.Forker          = (*Service)(nil)
	_ agent.FileKeeper      = (*Service)(nil)
	_ plugin.HealthReporter = (*Service)(nil)
)

// New returns a Service with empty settings: it works, with the demo model.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{cfg: cfg, engine: turn.New(turn.Config{Providers: cfg.Providers, Tools: cfg.Tools, Log: cfg.Log})}
	set := &settings.Settings{}
	s.snap.Store(&turn.Snapshot{Settings: set, Catalogue: model.New(set)})
	return s
}

// Describe says what this runtime can do.
func (s *Service) Describe() plugin.Description {
	apis := make([]string, 0, len(s.cfg.Providers))
	for api := range s.cfg.Providers {
		apis = append(apis, api)
	}
	slices.Sort(apis)
	return plugin.Description{
		ID: "agentd", Label: "Agent runtime", Kind: plugin.KindAgent, Version: s.cfg.Version,
		Agent: &plugin.AgentCaps{ModelAPIs: apis, Tools: s.cfg.Tools.Names()},
	}
}

// Configure takes new settings; runs that go on keep theirs.
func (s *Service) Configure(_ context.Context, c plugin.Configuration) error {
	set, err := settings.Parse(c.JSON)
	var bad *settings.Error
	if errors.As(err, &bad) {
		return &plugin.InvalidConfigError{Path: bad.Path, Message: bad.Message}
	}
	if err != nil {
		return err
	}
	s.snap.Store(&turn.Snapshot{Settings: set, Catalogue: model.New(set)})
	return nil
}

// Attached takes the line to the supervisor. No tool of this release calls it.
func (s *Service) Attached(*plugin.Line) {}

// Drain begins no run, waits for those that go on, and ends background commands.
// Runs that last beyond ctx are interrupted, to be resumed by the next process.
func (s *Service) Drain(ctx context.Context) error {
	s.engine.Drain(ctx)
	if s.cfg.Close != nil {
		s.cfg.Close()
	}
	return nil
}

// QueueDepths counts what is going on.
func (s *Service) QueueDepths() map[string]int64 {
	out := map[string]int64{"runs": int64(s.engine.Active())}
	if s.cfg.Depths != nil {
		for k, v := range s.cfg.Depths() {
			out[k] = v
		}
	}
	return out
}

// Run does one run with the settings of this moment. A run that could not be
// brought to its end here answers UNAVAILABLE: it is to be asked for again.
func (s *Service) Run(ctx context.Context, r agent.RunRequest, emit func(agent.RunEvent) error) error {
	snap := *s.snap.Load()
	if r.Workspace == "" {
		r.Workspace = snap.Settings.Workspace(r.AgentID)
	}
	if err := s.engine.Run(ctx, snap, r, emit); err != nil {
		return status.Error(codes.Unavailable, err.Error())
	}
	return nil
}

// Steer hands a further input to a run.
func (s *Service) Steer(_ context.Context, runID string, in agent.Input) (bool, error) {
	return s.engine.Steer(runID, in), nil
}

// Abort ends a run.
func (s *Service) Abort(_ context.Context, runID, reason string) (bool, error) {
	return s.engine.Abort(runID, reason), nil
}

// Models lists the models that can be used now, and the default with its reason.
func (s *Service) Models(context.Context) (agent.Models, error) {
	cat := s.snap.Load().Catalogue
	var out agent.Models
	for _, m := range cat.List() {
		out.Models = append(out.Models, agent.Model{
			ID: m.ID, Name: m.Name, Provider: m.Provider, ContextWindow: m.ContextWindow, Reasoning: m.Reasoning, Input: m.Input,
		})
	}
	def, reason, err := cat.Default("")
	if err != nil {
		out.DefaultReason = err.Error()
		return out, nil //nolint:nilerr // that no model can be used is an answer, with its reason
	}
	out.DefaultModel, out.DefaultReason, out.DefaultContextWindow = def.Ref(), reason, def.ContextWindow
	return out, nil
}
