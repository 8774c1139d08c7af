package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pluginv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/plugin/v1"
)

// heardAfter is how long a worker that has nothing to say waits before it confirms
// the supervisor's last frame.
const heardAfter = 5 * time.Second

// Server is the worker's end of the base contract. It is made by Serve, and by test
// harnesses that put a plugin behind a real gRPC connection of their own.
type Server struct {
	pluginv1.UnimplementedPluginServiceServer

	base     Base
	features []string
	line     *Line
	// stopped is called once a drain is over or the supervisor is gone.
	stopped func()

	mu         sync.Mutex
	configured bool
	attached   bool
	drained    sync.Once
}

// NewServer makes the worker's end for base; features are the names of the optional
// powers its second contract fills. stopped may be nil; it is called at most once.
func NewServer(base Base, features []string, stopped func()) *Server {
	if stopped == nil {
		stopped = func() {}
	}
	var once sync.Once
	return &Server{base: base, features: features, line: newLine(), stopped: func() { once.Do(stopped) }}
}

// Register puts the base service on a gRPC server.
func (s *Server) Register(g *grpc.Server) { pluginv1.RegisterPluginServiceServer(g, s) }

// Line is the worker's way to the supervisor.
func (s *Server) Line() *Line { return s.line }

// Describe answers what the plugin says, with contracts and features filled in.
func (s *Server) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	d := s.base.Describe()
	d.Features = s.features
	d.Contracts = []ContractVersions{{Name: ContractPlugin, Versions: []uint32{ContractMajor}}}
	switch d.Kind {
	case KindChannel:
		d.Contracts = append(d.Contracts, ContractVersions{Name: ContractChannel, Versions: []uint32{ContractMajor}})
	case KindAgent:
		d.Contracts = append(d.Contracts, ContractVersions{Name: ContractAgent, Versions: []uint32{ContractMajor}})
	}
	return d.toWire(), nil
}

// Configure passes the settings on; a key that cannot be used is an answer, not an error.
func (s *Server) Configure(ctx context.Context, r *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	err := s.base.Configure(ctx, Configuration{JSON: json.RawMessage(r.GetConfigJson()), StateDir: r.GetStateDir(), Revision: r.GetRevision()})
	var invalid *InvalidConfigError
	if errors.As(err, &invalid) {
		return &pluginv1.ConfigureResponse{Invalid: &pluginv1.InvalidConfig{Path: invalid.Path, Message: invalid.Message}}, nil
	}
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	s.mu.Lock()
	s.configured = true
	s.mu.Unlock()
	return &pluginv1.ConfigureResponse{}, nil
}

// Health answers from memory.
func (s *Server) Health(context.Context, *pluginv1.HealthRequest) (*pluginv1.HealthResponse, error) {
	oldest, unacked := s.line.oldestUnacked()
	depths := map[string]int64{"unacked": int64(unacked)}
	if h, ok := s.base.(HealthReporter); ok {
		for name, n := range h.QueueDepths() {
			depths[name] = n
		}
	}
	return &pluginv1.HealthResponse{Goroutines: int64(runtime.NumGoroutine()), QueueDepths: depths, OldestUnackedMs: oldest.Milliseconds()}, nil
}

// Drain lets the plugin finish, flushes what was reported, and then ends the process.
func (s *Server) Drain(ctx context.Context, r *pluginv1.DrainRequest) (*pluginv1.DrainResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, max(time.Duration(r.GetDeadlineMs())*time.Millisecond, time.Millisecond))
	defer cancel()
	err := s.drain(ctx)
	// The line is closed first, so that a graceful stop does not wait for Attach.
	s.line.close()
	go s.stopped()
	if err != nil {
		return nil, status.Error(codes.DeadlineExceeded, err.Error())
	}
	return &pluginv1.DrainResponse{}, nil
}

func (s *Server) drain(ctx context.Context) (err error) {
	s.drained.Do(func() {
		if err = s.base.Drain(ctx); err == nil {
			err = s.line.flush(ctx)
		}
	})
	return err
}

// Attach serves the one stream.
func (s *Server) Attach(stream grpc.BidiStreamingServer[pluginv1.AttachRequest, pluginv1.AttachResponse]) error {
	s.mu.Lock()
	ready, again := s.configured, s.attached
	s.attached = s.attached || ready
	s.mu.Unlock()
	if !ready {
		return status.Error(codes.FailedPrecondition, "attach: the plugin is not configured yet")
	}
	if again {
		return status.Error(codes.FailedPrecondition, "attach: the line was opened before; it is opened once in a process's life")
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	hello := first.GetHello()
	if hello == nil {
		return status.Error(codes.InvalidArgument, "attach: the first frame must be hello")
	}
	s.base.Attached(s.line)
	s.line.hello(hello.GetWindow())
	received := make(chan struct{}, 1)
	readDone := make(chan struct{})
	go func() {
		defer close(readDone)
		s.read(stream, received)
	}()
	err = s.write(stream, received, readDone)
	s.line.close()
	if err != nil {
		// The supervisor is gone or the stream broke: nothing that is reported now can arrive.
		go s.stopped()
	}
	return err
}

func (s *Server) read(stream grpc.BidiStreamingServer[pluginv1.AttachRequest, pluginv1.AttachResponse], received chan<- struct{}) {
	for {
		f, err := stream.Recv()
		if err != nil {
			return
		}
		select {
		case received <- struct{}{}:
		default:
		}
		switch b := f.GetFrame().(type) {
		case *pluginv1.AttachRequest_Ack:
			s.line.acked(b.Ack.GetId(), Ack{Code: AckCode(b.Ack.GetCode()), Reason: b.Ack.GetReason()})
		case *pluginv1.AttachRequest_CallReply:
			s.line.replied(b.CallReply.GetId(), callReplyFromWire(b.CallReply))
		}
	}
}

func callReplyFromWire(r *pluginv1.CallReply) callOutcome {
	if e := r.GetError(); e != nil {
		return callOutcome{err: &CallError{Code: e.GetCode(), Message: e.GetMessage(), Retryable: e.GetRetryable()}}
	}
	return callOutcome{result: json.RawMessage(r.GetResultJson())}
}

func (s *Server) write(stream grpc.BidiStreamingServer[pluginv1.AttachRequest, pluginv1.AttachResponse], received, readDone <-chan struct{}) error {
	idle := time.NewTimer(heardAfter)
	defer idle.Stop()
	unheard := false
	for {
		select {
		case <-s.line.wake:
			for _, f := range s.line.take() {
				if err := stream.Send(f); err != nil {
					return err
				}
				unheard = false
			}
		case <-received:
			unheard = true
			idle.Reset(heardAfter)
		case <-idle.C:
			if unheard {
				if err := stream.Send(&pluginv1.AttachResponse{Frame: &pluginv1.AttachResponse_Heard{Heard: &pluginv1.Heard{}}}); err != nil {
					return err
				}
				unheard = false
			}
		case <-s.line.down:
			return nil // drained
		case <-readDone:
			return status.Error(codes.Unavailable, "attach: the supervisor closed the line")
		}
	}
}
