package plugin

import (
	"context"
	"fmt"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	pluginv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/plugin/v1"
)

// Deadlines of the base contract's calls (contract A1).
const (
	DescribeTimeout  = 2 * time.Second
	ConfigureTimeout = 5 * time.Second
	HealthTimeout    = time.Second
)

// maxMessage bounds one gRPC message in bytes, both ways: the largest is a page of chat history (6 MiB).
const maxMessage = 16 << 20

// pluginName is the one entry of go-plugin's set; all services share its connection.
const pluginName = "worker"

// HostPlugins is the versioned plugin set of a go-plugin host.
func HostPlugins() map[int]goplugin.PluginSet {
	return map[int]goplugin.PluginSet{ContractMajor: {pluginName: &hostPlugin{}}}
}

// DialOptions are the gRPC options of a host's connection.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage))}
}

type hostPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (hostPlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return fmt.Errorf("the host serves nothing")
}

func (hostPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return NewClient(conn), nil
}

// Client is the host's end of the base contract. It is safe for concurrent use and
// sets no deadlines of its own.
type Client struct {
	conn grpc.ClientConnInterface
	base pluginv1.PluginServiceClient
}

// NewClient speaks the base contract over conn.
func NewClient(conn grpc.ClientConnInterface) *Client {
	return &Client{conn: conn, base: pluginv1.NewPluginServiceClient(conn)}
}

// Dispense gives the Client of a started go-plugin process.
func Dispense(p goplugin.ClientProtocol) (*Client, error) {
	raw, err := p.Dispense(pluginName)
	if err != nil {
		return nil, fmt.Errorf("dispense worker: %w", err)
	}
	c, ok := raw.(*Client)
	if !ok {
		return nil, fmt.Errorf("dispense worker: unexpected client %T", raw)
	}
	return c, nil
}

// Conn is the connection that the second contract's client shares.
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// Describe asks what the plugin is. Safe to repeat.
func (c *Client) Describe(ctx context.Context) (Description, error) {
	r, err := c.base.Describe(ctx, &pluginv1.DescribeRequest{})
	if err != nil {
		return Description{}, fmt.Errorf("describe: %w", err)
	}
	return descriptionFromWire(r), nil
}

// Configure hands over the settings; the error is a *InvalidConfigError where the plugin cannot use them.
func (c *Client) Configure(ctx context.Context, cfg Configuration) error {
	r, err := c.base.Configure(ctx, &pluginv1.ConfigureRequest{ConfigJson: string(cfg.JSON), StateDir: cfg.StateDir, Revision: cfg.Revision})
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	if inv := r.GetInvalid(); inv != nil {
		return &InvalidConfigError{Path: inv.GetPath(), Message: inv.GetMessage()}
	}
	return nil
}

// Health probes the process.
func (c *Client) Health(ctx context.Context) (HealthReport, error) {
	r, err := c.base.Health(ctx, &pluginv1.HealthRequest{})
	if err != nil {
		return HealthReport{}, fmt.Errorf("health: %w", err)
	}
	return HealthReport{
		Goroutines: r.GetGoroutines(), QueueDepths: r.GetQueueDepths(),
		OldestUnacked: time.Duration(r.GetOldestUnackedMs()) * time.Millisecond,
	}, nil
}

// Drain asks the worker to finish and go; deadline is how long it may take.
func (c *Client) Drain(ctx context.Context, deadline time.Duration) error {
	if _, err := c.base.Drain(ctx, &pluginv1.DrainRequest{DeadlineMs: deadline.Milliseconds()}); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}
