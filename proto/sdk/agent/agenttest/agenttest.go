// Package agenttest puts an agent runtime behind a real gRPC connection in memory, so that
// a test on either side goes through the wire's conversions. Scripted is a runtime made of funcs.
package agenttest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Process is a runtime as the supervisor sees it: it can be used, and it can die.
type Process struct {
	Client *agent.Client
	// Base is the other half of the contract.
	Base *plugin.Client

	server *grpc.Server
	conn   *grpc.ClientConn
	die    sync.Once
}

// Start serves a runtime until the test ends, or Die is called.
func Start(tb testing.TB, r agent.Runtime) *Process {
	tb.Helper()
	lis := bufconn.Listen(1 << 20)
	g := grpc.NewServer()
	agent.Register(g, r)
	agent.NewBase(r, nil).Register(g)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = g.Serve(lis)
	}()
	conn, err := grpc.NewClient("passthrough:agent", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		tb.Fatal(err)
	}
	base := plugin.NewClient(conn)
	p := &Process{Client: agent.NewClient(base), Base: base, server: g, conn: conn}
	tb.Cleanup(func() {
		p.Die()
		<-served
	})
	return p
}

// Die breaks every stream, as a SIGKILL does. It may be called more than once.
func (p *Process) Die() {
	p.die.Do(func() {
		_ = p.conn.Close()
		p.server.Stop()
	})
}

// ErrNotScripted is what a Scripted answers where it has no func.
var ErrNotScripted = errors.New("the test did not script this")

// Scripted is a runtime made of funcs. Its zero value answers every run with "ok".
type Scripted struct {
	OnRun     func(ctx context.Context, r agent.RunRequest, emit func(agent.RunEvent) error) error
	OnAbort   func(ctx context.Context, runID, reason string) (bool, error)
	OnHistory func(ctx context.Context, r agent.HistoryRequest) (agent.HistoryPage, error)
	OnInject  func(ctx context.Context, in agent.Injection) (string, error)

	mu   sync.Mutex // guards all below
	runs []agent.RunRequest
}

var _ agent.Runtime = (*Scripted)(nil)

// Runs are the requests so far, in order.
func (s *Scripted) Runs() []agent.RunRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]agent.RunRequest(nil), s.runs...)
}

// Describe implements plugin.Base.
func (s *Scripted) Describe() plugin.Description {
	return plugin.Description{ID: "scripted", Version: "test", Agent: &plugin.AgentCaps{}}
}

// Configure implements plugin.Base.
func (s *Scripted) Configure(context.Context, plugin.Configuration) error { return nil }

// Attached implements plugin.Base.
func (s *Scripted) Attached(*plugin.Line) {}

// Drain implements plugin.Base.
func (s *Scripted) Drain(context.Context) error { return nil }

// Run implements agent.Runtime.
func (s *Scripted) Run(ctx context.Context, r agent.RunRequest, emit func(agent.RunEvent) error) error {
	s.mu.Lock()
	s.runs = append(s.runs, r)
	s.mu.Unlock()
	if s.OnRun != nil {
		return s.OnRun(ctx, r, emit)
	}
	return Answer(emit, "ok")
}

// Answer emits what a run that goes well emits: one text, then the end.
func Answer(emit func(agent.RunEvent) error, text string) error {
	for _, e := range []agent.RunEvent{
		{Started: &agent.Started{Provider: "scripted", Model: "m"}},
		{Progress: &agent.Progress{EntryID: "user"}},
		{Assistant: &agent.AssistantDelta{Delta: text, Text: text}},
		{Progress: &agent.Progress{EntryID: "answer"}},
		{Finished: &agent.Finished{Status: agent.RunOK, StopReason: "stop", Provider: "scripted", Model: "m", Parts: []agent.Part{{N: 1, Text: text}}}},
	} {
		if err := emit(e); err != nil {
			return err
		}
	}
	return nil
}

// Steer implements agent.Runtime: no run takes further inputs.
func (s *Scripted) Steer(context.Context, string, agent.Input) (bool, error) { return false, nil }

// Abort implements agent.Runtime.
func (s *Scripted) Abort(ctx context.Context, runID, reason string) (bool, error) {
	if s.OnAbort == nil {
		return false, nil
	}
	return s.OnAbort(ctx, runID, reason)
}

// History implements agent.Runtime.
func (s *Scripted) History(ctx context.Context, r agent.HistoryRequest) (agent.HistoryPage, error) {
	if s.OnHistory == nil {
		return agent.HistoryPage{}, nil
	}
	return s.OnHistory(ctx, r)
}

// Preview implements agent.Runtime.
func (s *Scripted) Preview(context.Context, []agent.TranscriptRef, int, int) ([]agent.Preview, error) {
	return nil, nil
}

// InjectMessage implements agent.Runtime.
func (s *Scripted) InjectMessage(ctx context.Context, in agent.Injection) (string, error) {
	if s.OnInject == nil {
		return "", fmt.Errorf("inject message: %w", ErrNotScripted)
	}
	return s.OnInject(ctx, in)
}

// CompactSession implements agent.Runtime.
func (s *Scripted) CompactSession(context.Context, agent.TranscriptRef, string, int) (agent.Compacted, error) {
	return agent.Compacted{}, fmt.Errorf("compact: %w", ErrNotScripted)
}

// ResetTranscript implements agent.Runtime.
func (s *Scripted) ResetTranscript(context.Context, agent.TranscriptRef) (string, error) {
	return "", fmt.Errorf("reset: %w", ErrNotScripted)
}

// DeleteTranscript implements agent.Runtime.
func (s *Scripted) DeleteTranscript(context.Context, agent.TranscriptRef) (string, error) {
	return "", fmt.Errorf("delete: %w", ErrNotScripted)
}

// Models implements agent.Runtime.
func (s *Scripted) Models(context.Context) (agent.Models, error) {
	return agent.Models{DefaultModel: "scripted/m", DefaultReason: "a test"}, nil
}
