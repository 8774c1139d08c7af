package plugin

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// DrainTimeout is how long a worker that gets SIGTERM takes to finish; the
// supervisor's own figure (contract A1) comes with the Drain call.
const DrainTimeout = 10 * time.Second

// stopGrace is how long the last answers of a worker that goes may take to be sent.
const stopGrace = 250 * time.Millisecond

// ServeConfig is what Serve needs. It is filled in by sdk/channel and sdk/agent.
type ServeConfig struct {
	Base     Base
	Features []string
	// Register puts the second contract's service on the server.
	Register func(*grpc.Server)
}

// Serve runs a worker's process: it answers the supervisor until it is drained, the
// supervisor is gone, or a signal says so. It returns when the process is to
// exit. Started by hand it says what it is and exits with status 1.
func Serve(cfg ServeConfig) {
	slog.SetDefault(slog.New(NewLogHandler(os.Stderr, slog.LevelDebug)))
	var grpcServer atomic.Pointer[grpc.Server]
	stop := func() {
		if g := grpcServer.Load(); g != nil {
			// A host keeps go-plugin's own streams open for as long as it lives: they must not hold the exit up.
			hard := time.AfterFunc(stopGrace, g.Stop)
			defer hard.Stop()
			g.GracefulStop()
		}
	}
	server := NewServer(cfg.Base, cfg.Features, stop)
	if os.Getenv(Handshake.MagicCookieKey) == Handshake.MagicCookieValue {
		go watchLifeline(os.Stdin, server)
		go watchSignals(server, func() bool { return grpcServer.Load() != nil })
	}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  Handshake,
		VersionedPlugins: map[int]goplugin.PluginSet{ContractMajor: {pluginName: &workerPlugin{server: server, register: cfg.Register}}},
		Logger:           hclog.New(&hclog.LoggerOptions{Output: os.Stderr, JSONFormat: true, Level: hclog.Warn}),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			opts = append(opts, grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
			g := grpc.NewServer(opts...)
			grpcServer.Store(g)
			return g
		},
	})
}

type workerPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	server   *Server
	register func(*grpc.Server)
}

func (p *workerPlugin) GRPCServer(_ *goplugin.GRPCBroker, g *grpc.Server) error {
	p.server.Register(g)
	p.register(g)
	return nil
}

func (p *workerPlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, io.ErrUnexpectedEOF // a worker is never a host
}

// watchLifeline ends the process when the pipe that the supervisor holds open is
// closed: the supervisor is dead, and nothing that is done now could be told to anyone.
func watchLifeline(stdin io.Reader, s *Server) {
	_, _ = io.Copy(io.Discard, stdin)
	s.line.close()
	os.Exit(0)
}

// watchSignals drains on SIGTERM. A second one ends the process at once, and so does the
// first one where nothing is served yet: nobody would see a stop then.
func watchSignals(s *Server, serving func() bool) {
	c := make(chan os.Signal, 2)
	signal.Notify(c, syscall.SIGTERM)
	<-c
	if !serving() {
		os.Exit(0)
	}
	go func() {
		<-c
		os.Exit(1)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), DrainTimeout)
	defer cancel()
	if err := s.drain(ctx); err != nil {
		slog.Warn("drain cut short", "error", err)
	}
	s.line.close()
	s.stopped()
}
