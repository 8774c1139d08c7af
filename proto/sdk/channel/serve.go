package channel

import (
	"google.golang.org/grpc"

	channelv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/channel/v1"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Serve runs a channel worker's process; it returns when the process is to exit. It
// is all that a worker's main has to call.
func Serve(p Plugin) {
	plugin.Serve(plugin.ServeConfig{Base: base{p}, Features: Features(p), Register: func(g *grpc.Server) { Register(g, p) }})
}

// Register puts the channel contract of p on a gRPC server. Serve does so; test
// harnesses use it, with NewBase for the other half.
func Register(g *grpc.Server, p Plugin) { channelv1.RegisterChannelServiceServer(g, &server{p: p}) }

// NewBase gives the base half of p for a test harness's own gRPC server; stopped may be nil.
func NewBase(p Plugin, stopped func()) *plugin.Server {
	return plugin.NewServer(base{p}, Features(p), stopped)
}

// base fills in what the SDK knows of a plugin: its kind and the powers it has.
type base struct{ Plugin }

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
