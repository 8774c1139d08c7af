package gatewaytest

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/access"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/event"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/health"
)

// Token is the shared token of every test server.
const Token = "devtoken"

// Harness is a running server.
type Harness struct {
	Addr   string
	Server *gateway.Server
	Guard  *access.Guard
	Bus    *event.Bus
	Board  *health.Board

	stop func()
}

// Stop ends the server and waits for it. It may be called more than once.
func (h *Harness) Stop() { h.stop() }

// Start runs a server until the test ends. change may alter its config.
func Start(tb testing.TB, b *Backend, change ...func(*gateway.Config)) *Harness {
	tb.Helper()
	h := &Harness{Bus: event.NewBus()}
	dir := tb.TempDir()
	guard, err := access.NewGuard(access.Config{
		StateDir:       dir,
		Secret:         func() access.Secret { return access.Secret{Mode: access.ModeToken, Token: Token} },
		Publish:        func(name string, payload any) { h.Bus.Publish(name, payload) },
		TrustedProxies: func() []netip.Addr { return nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	h.Guard = guard
	h.Board = health.NewBoard(health.Config{Source: health.Source{
		Workers: workers{b}.List,
		Agents: func() []protocol.AgentHealth {
			return []protocol.AgentHealth{{
				AgentID: "main", IsDefault: true, Heartbeat: protocol.HeartbeatStatus{Every: "0m"},
				Sessions: protocol.SessionStore{Path: "sessions.json"},
			}}
		},
		Sessions:       func() protocol.SessionStore { return protocol.SessionStore{Path: "sessions.json"} },
		DefaultAgentID: func() string { return "main" },
	}})
	cfg := gateway.Config{
		Version: "test", Host: "test-host", StateDir: dir, ConfigPath: dir + "/openclaw.json",
		Guard: guard, Bus: h.Bus, Board: h.Board, Backends: b.Backends(),
	}
	for _, f := range change {
		f(&cfg)
	}
	h.Server, err = gateway.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	h.Addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Server.Serve(ctx, ln) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				tb.Errorf("serve: %v", err)
			}
		case <-time.After(20 * time.Second):
			tb.Error("the server does not end")
		}
	})
	tb.Cleanup(h.stop)
	return h
}
