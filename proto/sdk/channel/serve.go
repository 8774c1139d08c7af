package channel

import (
	"google.golang.org/grpc"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Serve runs a channel worker's process; it returns when the process is to exit. It
// is all that a worker's main has to call.
func Serve(p Plugin) {
	s := newServer(p)
	plugin.Serve(plugin.ServeConfig{Base: base{p, s}, Features: Features(p), Register: s.register})
}

// Server is both halves of a channel's contract, for a test harness's own gRPC server.
type Server struct {
	*plugin.Server
	channel *server
}

// NewServer makes both halves for p; stopped, which may be nil, is called once a drain is over or the host is gone.
func NewServer(p Plugin, stopped func()) *Server {
	s := newServer(p)
	return &Server{Server: plugin.NewServer(base{p, s}, Features(p), stopped), channel: s}
}

// Register puts both services on a gRPC server.
func (s *Server) Register(g *grpc.Server) {
	s.Server.Register(g)
	s.channel.register(g)
}

// base fills in what the SDK knows of a plugin: its kind, the powers it has, and whether it has its line.
type base struct {
	Plugin
	server *server
}

func (b base) Attached(line *plugin.Line) {
	b.Plugin.Attached(line)
	close(b.server.attached)
}

func (b base) Describe() plugin.Description {
	d := b.Plugin.Describe()
	d.Kind = plugin.KindChannel
	caps := plugin.ChannelCaps{}
	if d.Channel != nil {
		caps = *d.Channel
	}
	_, caps.Edit = b.Plugin.(Editor)
	_, caps.Delete = b.Plugin.(Deleter)
	_, caps.React = b.Plugin.(Reactor)
	_, caps.Poll = b.Plugin.(Poller)
	_, caps.Typing = b.Plugin.(Typer)
	_, caps.Drafts = b.Plugin.(Drafter)
	_, caps.Receipts = b.Plugin.(ReadMarker)
	d.Channel = &caps
	return d
}

func (b base) QueueDepths() map[string]int64 {
	if h, ok := b.Plugin.(plugin.HealthReporter); ok {
		return h.QueueDepths()
	}
	return nil
}
