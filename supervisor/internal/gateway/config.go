package gateway

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/access"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/event"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/health"
)

// Config is what a Server needs. Guard, Bus and Board must be set.
type Config struct {
	Version, Commit string
	// Host is this machine's name, as presence and hello-ok show it; empty
	// means what the system says.
	Host                 string
	StateDir, ConfigPath string
	// SessionDefaults is asked at each handshake.
	SessionDefaults func() protocol.SessionDefaults

	Guard    *access.Guard
	Bus      *event.Bus
	Board    *health.Board
	Backends Backends
	// Page serves everything that is no route of the gateway; nil is 404.
	Page http.Handler
	// Ready gives the reasons why the gateway cannot do its job yet; none
	// means that it can. Nil means ready as soon as it serves.
	Ready func() []string
	// DashboardURL is the address of the page without its fragment.
	DashboardURL func() string

	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer
	Log        *slog.Logger
	Now        func() time.Time
	Limits     Limits
}

// Limits bound what clients can cost. Zero fields take the default.
type Limits struct {
	// Handshake is how long a connection may stay without hello-ok.
	Handshake time.Duration
	// Unproven is how many sockets may be silent, and how many WebSockets
	// without hello-ok, at once; the oldest gives way.
	Unproven int
	// InFlight is how many requests of one connection may be unanswered.
	InFlight int
	// Tick is the time between two ticks.
	Tick time.Duration
	// Coalesce is the least time between two broadcasts of health, and of
	// presence.
	Coalesce time.Duration
	// Write is how long one frame may take to be handed to the network.
	Write time.Duration
	// Buffered is how many bytes may wait for one connection.
	Buffered int
	// Close is how long Serve waits for clients when it ends.
	Close time.Duration
}

func (l Limits) withDefaults() Limits {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	num := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	def(&l.Handshake, protocol.HandshakeTimeout)
	def(&l.Tick, protocol.TickInterval)
	def(&l.Coalesce, 100*time.Millisecond)
	def(&l.Write, 20*time.Second)
	def(&l.Close, 2*time.Second)
	num(&l.Unproven, 512)
	num(&l.InFlight, 256)
	num(&l.Buffered, protocol.MaxBufferedBytes)
	return l
}

func (c *Config) check() error {
	if c.Guard == nil || c.Bus == nil || c.Board == nil {
		return errors.New("gateway needs a guard, a bus and a board")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Host == "" {
		c.Host, _ = os.Hostname()
	}
	if c.Host == "" {
		c.Host = "localhost"
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.SessionDefaults == nil {
		c.SessionDefaults = func() protocol.SessionDefaults {
			return protocol.SessionDefaults{DefaultAgentID: "main", MainKey: "main", MainSessionKey: "agent:main:main", Scope: "per-sender"}
		}
	}
	if c.Registerer == nil {
		reg := prometheus.NewRegistry()
		c.Registerer, c.Gatherer = reg, reg
	}
	c.Limits = c.Limits.withDefaults()
	return nil
}
