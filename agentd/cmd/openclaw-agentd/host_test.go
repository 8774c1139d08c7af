//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/guard"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// patience is the deadline of each await.
const patience = 20 * time.Second

// TestMain lets the test binary be agentd, and the guard of its commands.
func TestMain(m *testing.M) {
	if os.Getenv(plugin.Handshake.MagicCookieKey) != "" || (len(os.Args) > 1 && os.Args[1] == guard.SubCommand) {
		main()
		return
	}
	os.Exit(m.Run())
}

// process starts agentd the way a supervisor does: with a pipe as standard input.
type process struct {
	cmd      *exec.Cmd
	out, err io.ReadCloser
	in       io.WriteCloser
}

func newProcess(spec *exec.Cmd) (*process, error) {
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(spec.Env, "PATH="+os.Getenv("PATH"), "HOME="+os.TempDir())
	var err error
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if p.err, err = p.cmd.StderrPipe(); err != nil {
		return nil, err
	}
	p.in, err = p.cmd.StdinPipe()
	return p, err
}

func (p *process) Start(context.Context) error     { return p.cmd.Start() }
func (p *process) Wait(context.Context) error      { return p.cmd.Wait() }
func (p *process) Kill(context.Context) error      { return p.cmd.Process.Kill() }
func (p *process) Stdout() io.ReadCloser           { return p.out }
func (p *process) Stderr() io.ReadCloser           { return p.err }
func (p *process) Name() string                    { return p.cmd.Path }
func (p *process) ID() string                      { return fmt.Sprint(p.cmd.Process.Pid) }
func (p *process) Diagnose(context.Context) string { return "" }

func (p *process) PluginToHost(n, a string) (string, string, error) { return n, a, nil }
func (p *process) HostToPlugin(n, a string) (string, string, error) { return n, a, nil }

// host is a running agentd with its clients.
type host struct {
	t     *testing.T
	p     *process
	end   func()
	base  *plugin.Client
	agent *agent.Client
}

type deaf struct{}

func (deaf) HandleEvent(_ plugin.Event, ack func(plugin.Ack)) { ack(plugin.Ack{Code: plugin.Stored}) }
func (deaf) HandleCall(context.Context, plugin.Call) (json.RawMessage, *plugin.CallError) {
	return nil, &plugin.CallError{Code: "INVALID_REQUEST", Message: "nothing is served here"}
}

// start brings a process to running with a config.
func start(t *testing.T, dir, config string) *host {
	t.Helper()
	h := &host{t: t}
	// A Unix socket's path is short; the test's own folder may be too long.
	sockets, err := os.MkdirTemp("", "agentd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sockets) })
	c := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: plugin.Handshake, VersionedPlugins: plugin.HostPlugins(), AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS: true, SkipHostEnv: true, Logger: hclog.NewNullLogger(), GRPCDialOptions: plugin.DialOptions(),
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: sockets},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			p, err := newProcess(cmd)
			h.p = p
			return p, err
		},
	})
	t.Cleanup(c.Kill)
	rpc, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	h.end = c.Kill
	if h.base, err = plugin.Dispense(rpc); err != nil {
		t.Fatal(err)
	}
	h.agent = agent.NewClient(h.base)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.base.Configure(ctx, plugin.Configuration{JSON: json.RawMessage(config), StateDir: dir, Revision: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.base.Attach(t.Context(), plugin.AttachConfig{InstanceID: "test", Handler: deaf{}}); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *host) request(dir, id, text string) agent.RunRequest {
	return agent.RunRequest{
		RunID: id, Attempt: 1, AgentID: "main", SessionKey: "agent:main:" + id, SessionID: "11111111-2222-3333-4444-555555555555",
		Transcript: filepath.Join(dir, id+".jsonl"), Workspace: filepath.Join(dir, "ws"),
		Inputs: []agent.Input{{ID: "in-" + id, Text: text, TimestampMS: 1}},
	}
}

func (h *host) run(r agent.RunRequest) (agent.Finished, []agent.RunEvent) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	var fin agent.Finished
	var all []agent.RunEvent
	err := h.agent.Run(ctx, r, func(e agent.RunEvent) error {
		all = append(all, e)
		if e.Finished != nil {
			fin = *e.Finished
		}
		return nil
	})
	if err != nil {
		h.t.Fatalf("run %s: %v", r.RunID, err)
	}
	return fin, all
}
