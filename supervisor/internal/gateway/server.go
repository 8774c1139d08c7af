package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/event"
)

// Server is the control plane.
type Server struct {
	cfg      Config
	log      *slog.Logger
	now      func() time.Time
	limits   Limits
	methods  *Methods
	metrics  *metrics
	presence *presence
	started  time.Time

	// Each asks for a broadcast; presenceTold is for what somebody asked to
	// be told of, and not for the coming and going of clients.
	healthDirty, presenceDirty, presenceTold chan struct{}

	wg      sync.WaitGroup
	closing atomic.Bool

	mu       sync.Mutex // guards below
	conns    map[*conn]struct{}
	unproven []*conn // oldest first; those that got through are still in it
	reason   protocol.ShutdownPayload
}

// New makes a server. It starts nothing.
func New(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: cfg.Log, now: cfg.Now, limits: cfg.Limits, methods: newMethods(), started: cfg.Now(),
		healthDirty: make(chan struct{}, 1), presenceDirty: make(chan struct{}, 1), presenceTold: make(chan struct{}, 1),
		conns:  make(map[*conn]struct{}),
		reason: protocol.ShutdownPayload{Reason: "gateway stopping"},
	}
	s.presence = newPresence(cfg.Host, cfg.Version, cfg.Now)
	s.register()
	m, err := newMetrics(cfg.Registerer, s)
	if err != nil {
		return nil, err
	}
	s.metrics = m
	for name, row := range s.methods.rows {
		row.meter = m.method(name)
	}
	return s, nil
}

// Methods lists the methods that hello-ok names.
func (s *Server) Methods() []string { return s.methods.Listed() }

// Restarting changes what clients are told when Serve ends: that the gateway
// comes back in about the given time.
func (s *Server) Restarting(expected time.Duration) {
	ms := expected.Milliseconds()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason = protocol.ShutdownPayload{Reason: "gateway restarting", RestartExpectedMS: &ms}
}

// Serve serves until ctx is done, on all listeners, and closes them. Clients
// are told of the end and closed with 1012. It returns nil after an orderly
// end, when every goroutine of the server is gone. It can be called once.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	hs := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: s.limits.Handshake,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 * 1024,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ConnContext:       withNetConn,
		ConnState:         newNewcomers(s.limits.Unproven).watch,
	}
	// The guard and the clock of broadcasts outlive the last connection.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var rest sync.WaitGroup
	rest.Go(func() {
		if err := s.cfg.Guard.Run(inner); err != nil {
			s.log.Error("device store was not written", "error", err)
		}
	})
	rest.Go(func() { s.broadcast(inner) })

	failed := make(chan error, len(listeners))
	for _, ln := range listeners {
		s.wg.Go(func() { failed <- hs.Serve(corkListener{ln}) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.shutdown(hs)
	stop()
	rest.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// shutdown tells the clients, closes them, and waits for all goroutines.
func (s *Server) shutdown(hs *http.Server) {
	s.mu.Lock()
	reason := s.reason
	s.mu.Unlock()
	s.publish(protocol.EventShutdown, reason)
	s.closing.Store(true)

	s.mu.Lock()
	open := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		c.finishWith(protocol.CloseServiceRestart, protocol.ReasonServiceRestart)
	}
	deadline := time.AfterFunc(s.limits.Close, func() {
		for _, c := range open {
			c.cut()
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), s.limits.Close)
	defer cancel()
	if err := hs.Shutdown(ctx); err != nil {
		_ = hs.Close()
	}
	s.wg.Wait()
	deadline.Stop()
}

// publish tells an event to all connections; one that cannot be marshalled is
// a mistake of ours and is logged.
func (s *Server) publish(name string, payload any) {
	if err := s.cfg.Bus.Publish(name, payload); err != nil {
		s.log.Error("event was not published", "event", name, "error", err)
	}
}

// poke asks for a broadcast.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// broadcast sends ticks, and health and presence when they changed, the two
// no more often than every Coalesce.
func (s *Server) broadcast(ctx context.Context) {
	tick := time.NewTicker(s.limits.Tick)
	defer tick.Stop()
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	health, presence := newPacer(s.limits.Coalesce), newPacer(s.limits.Coalesce)
	defer health.stop()
	defer presence.stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.publish(protocol.EventTick, protocol.TickPayload{TS: s.now().UnixMilli()})
		case <-minute.C:
			if s.presence.expire() {
				presence.want(s.tellPresence)
			}
			s.cfg.Board.Touch()
		case <-s.cfg.Board.Changed():
			health.want(s.tellHealth)
		case <-s.healthDirty:
			health.want(s.tellHealth)
		case <-health.timer.C:
			health.fired(s.tellHealth)
		case <-s.presenceDirty:
			presence.want(s.tellPresence)
		case <-s.presenceTold:
			presence.hurry(s.tellPresence)
		case <-presence.timer.C:
			presence.fired(s.tellPresence)
		}
	}
}

func (s *Server) tellHealth() {
	snap, err := s.cfg.Board.Snapshot()
	if err != nil {
		s.log.Error("health was not rendered", "error", err)
		return
	}
	v := protocol.StateVersion{Presence: s.presence.Version(), Health: snap.Version}
	if err := s.cfg.Bus.PublishVersioned(protocol.EventHealth, snap.JSON, v); err != nil {
		s.log.Error("event was not published", "event", protocol.EventHealth, "error", err)
	}
}

func (s *Server) tellPresence() {
	list, version := s.presence.JSON()
	payload := make(json.RawMessage, 0, len(list)+16)
	payload = append(payload, `{"presence":`...)
	payload = append(payload, list...)
	payload = append(payload, '}')
	v := protocol.StateVersion{Presence: version, Health: s.cfg.Board.Version()}
	if err := s.cfg.Bus.PublishVersioned(protocol.EventPresence, payload, v); err != nil {
		s.log.Error("event was not published", "event", protocol.EventPresence, "error", err)
	}
}

// Clients is the number of connections that are past the handshake.
func (s *Server) Clients() int { return s.cfg.Bus.Len() }

func stack() string { return string(debug.Stack()) }

type netConnKey struct{}

// withNetConn keeps the socket within reach of the handler, for deadlines.
func withNetConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, netConnKey{}, c)
}

// newQueue makes the outgoing queue of a connection.
func (s *Server) newQueue(c *conn) *event.Queue {
	return event.NewQueue(event.QueueConfig{
		Write: c.write, Cork: c.cork, Uncork: c.uncork, Spawn: s.wg.Go, Fail: c.queueFailed, MaxBytes: s.limits.Buffered,
	})
}
