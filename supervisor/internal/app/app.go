package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/catalog"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/command"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/event"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/health"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/inbox"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/lane"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/logfile"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/outbox"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/pairing"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/router"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/session"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/worker"
)

// stopTimeout bounds a whole stop; then the process ends without full cleanup (promises: stopping).
const stopTimeout = 15 * time.Second

// App is the supervisor.
type App struct {
	opts     Options
	log      *slog.Logger
	logFile  *logfile.Log
	paths    source.Paths
	store    *config.Store
	instance *instance
	db       *journal.DB
	listen   []net.Listener
	registry *prometheus.Registry

	catalog  *catalog.Catalog
	pool     *worker.Pool
	inbox    *inbox.Inbox
	outbox   *outbox.Outbox
	media    *outbox.MediaStore
	courier  *courier
	lanes    *lane.Lanes
	runner   *run.Runner
	router   *router.Router
	index    *session.Index
	server   *gateway.Server
	board    *health.Board
	access   *accessGuard
	book     *book
	pairing  *pairing.Store
	channels *channels
	agents   *agents
	sink     *sink
	take     atomic.Pointer[context.Context]
	applying sync.Mutex // held while the pool is told what to run
}

// New decides and opens everything, and binds the port; no worker runs before Run.
// The error is what the operator is told.
func New(ctx context.Context, o Options) (_ *App, err error) {
	env, paths, err := o.paths()
	if err != nil {
		return nil, err
	}
	store, err := config.Open(ctx, o.configOptions(env, paths))
	if err != nil {
		return nil, err
	}
	snapshot := store.Snapshot()
	a := &App{opts: o, paths: paths, store: store, registry: prometheus.NewRegistry()}
	a.log, a.logFile = openLog(o, snapshot.Config.Logging, paths)
	store.SetLog(subsystem(a.log, "config"))
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	listen, err := snapshot.Listen()
	if err != nil {
		return nil, err
	}
	if env.Get("OPENCLAW_ALLOW_MULTI_GATEWAY") != "1" {
		if a.instance, err = lockInstance(ctx, paths.ConfigFile); err != nil {
			return nil, err
		}
	}
	if a.listen, err = openListeners(ctx, listen, a.log); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(paths.SupervisorDir(), 0o700); err != nil {
		return nil, fmt.Errorf("make the supervisor's folder: %w", err)
	}
	a.db, err = journal.Open(ctx, journal.Config{Path: filepath.Join(paths.SupervisorDir(), "journal.db"), Log: subsystem(a.log, "journal"), Version: o.Version})
	if err != nil {
		return nil, err
	}
	if err := a.wire(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// Addr is where the control plane listens, as host:port.
func (a *App) Addr() string { return a.listen[0].Addr().String() }

// wire makes everything that New has not made, from the leaves up.
func (a *App) wire(ctx context.Context) (err error) {
	sys := clock.System()
	snapshot := a.store.Snapshot()
	bus := event.NewBus()
	a.channels, a.agents = newChannels(subsystem(a.log, "channels")), newAgents()
	a.pairing = pairing.New(pairing.Config{Dir: a.paths.CredentialsDir(), Now: sys.Now, Log: subsystem(a.log, "pairing")})
	a.book = &book{store: a.store, channels: a.channels, pairing: a.pairing}
	a.index, err = session.Open(ctx, session.Config{
		DB: a.db, Clock: sys, Log: subsystem(a.log, "sessions"), StorePath: a.book.storePath, Agents: snapshot.Config.AgentIDs(),
		MainKey: snapshot.Config.Session.MainKey,
	})
	if err != nil {
		return err
	}
	a.book.index = a.index
	a.media = outbox.NewMediaStore(filepath.Join(a.paths.StateDir, "media"), a.db)
	a.courier = &courier{book: a.book, channels: a.channels}
	a.outbox = outbox.New(outbox.Config{
		DB: a.db, Clock: sys, Log: subsystem(a.log, "outbox"), Deliverer: a.courier, Media: a.media, Retry: a.retry,
		Lifetime: minutes(snapshot.Config.Supervisor.Delivery.OutboxTTLMinutes),
	})
	a.courier.outbox = a.outbox
	a.lanes = lane.New(lane.Config{Limit: snapshot.Config.Agents.Defaults.MaxConcurrent, Log: subsystem(a.log, "lanes")})
	plan := &planner{book: a.book}
	events := busEvents{bus: bus, log: a.log, ended: func() { a.board.Touch() }}
	a.runner = run.New(run.Config{
		DB: a.db, Lanes: a.lanes, Agents: a.agents, Planner: plan, Sessions: plan, Deliverer: a.courier,
		Typist: &typist{channels: a.channels, book: a.book}, Events: events, Clock: sys, Log: subsystem(a.log, "runs"),
		StuckAfter: minutes(snapshot.Config.Supervisor.Delivery.StuckRunMinutes),
	})
	commands := command.NewSet(a.runner)
	a.router = router.New(router.Config{
		DB: a.db, Lanes: a.lanes, Runs: a.runner, Commands: commands, Deliverer: a.courier, Settings: a.book, Keys: a.book,
		Pairing: a.pairing, Notifier: a.courier, Program: program(a.paths.Profile), Log: subsystem(a.log, "router"),
	})
	a.inbox = inbox.New(inbox.Config{DB: a.db, Clock: sys, Log: subsystem(a.log, "inbox"), Notify: func(row journal.InboxRow) { a.router.Take(a.takeCtx(), row) }})
	a.catalog, err = a.openCatalog()
	if err != nil {
		return err
	}
	a.sink = &sink{log: a.log, db: a.db, store: a.store, inbox: a.inbox, outbox: a.outbox, channels: a.channels, agents: a.agents, bus: bus}
	a.pool = worker.New(worker.Config{
		Policy: a.opts.policy(snapshot.Config.Supervisor), InstanceID: a.db.InstanceID(), Sink: a.sink, Store: records{a.db}, Logger: a.log,
	})
	return a.wireControlPlane(bus, commands, events, sys)
}

// close gives back what New took, in the opposite order.
func (a *App) close() {
	for _, l := range a.listen {
		_ = l.Close()
	}
	if a.db != nil {
		if err := a.db.Close(); err != nil {
			a.log.Error("the journal was not closed cleanly", "error", err)
		}
	}
	if a.instance != nil {
		_ = a.instance.release()
	}
	if a.logFile != nil {
		_ = a.logFile.Close()
	}
}

// Run serves until ctx ends, and stops everything in order. It is called once.
func (a *App) Run(ctx context.Context) error {
	defer a.close()
	a.bootLines()
	// What delivers and stores outlives what takes in: a stop drains from the outside in.
	serve, stopServe := context.WithCancel(context.WithoutCancel(ctx))
	store, stopStore := context.WithCancel(context.WithoutCancel(ctx))
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServe()
	defer stopStore()
	defer stopWork()
	a.setTakeCtx(work)
	if err := a.resume(work); err != nil {
		return err
	}
	failed := make(chan error, 8)
	var serving, working, storing sync.WaitGroup
	start := func(wg *sync.WaitGroup, ctx context.Context, what string, f func(context.Context) error) {
		wg.Go(func() {
			if err := f(ctx); err != nil && !errors.Is(err, context.Canceled) {
				failed <- fmt.Errorf("%s: %w", what, err)
			}
		})
	}
	start(&serving, serve, "control plane", func(ctx context.Context) error { return a.server.Serve(ctx, a.listen...) })
	start(&storing, store, "outbox", a.outbox.Run)
	start(&storing, store, "session index", a.index.Run)
	start(&storing, store, "inbox", a.inbox.Run)
	start(&working, work, "workers", a.pool.Run)
	start(&working, work, "configuration", func(ctx context.Context) error { return a.store.Run(ctx, a.apply) })
	start(&working, work, "conditions", a.watchConditions)
	start(&working, work, "programs", a.watchPrograms)
	start(&working, work, "plugins", func(ctx context.Context) error { return a.catalog.Watch(ctx, a.programsChanged) })
	var err error
	if err = a.applyWorkers(); err == nil {
		select {
		case <-ctx.Done():
		case err = <-failed:
			a.log.Error("a part of the supervisor failed; stopping", "error", err)
		}
	}
	a.log.Info("stopping")
	watchdog := time.AfterFunc(stopTimeout, func() {
		a.log.Error("shutdown timed out; exiting without full cleanup")
		os.Exit(1)
	})
	defer watchdog.Stop()
	stopWork()
	working.Wait()
	a.lanes.Stop()
	a.runner.Wait()
	stopStore()
	storing.Wait()
	stopServe()
	serving.Wait()
	return err
}

// Signals stops the supervisor on the first signal; further ones are only logged.
func (a *App) Signals(signals <-chan os.Signal, stop func()) {
	for s := range signals {
		a.log.Info("signal received", "signal", s.String())
		stop()
	}
}

func (a *App) bootLines() {
	for _, l := range a.listen {
		a.log.Info(fmt.Sprintf("listening on ws://%s (PID %d)", l.Addr(), os.Getpid()), logfile.SubsystemKey, "gateway")
	}
	if a.logFile != nil {
		a.log.Info("log file: "+a.logFile.Path(), logfile.SubsystemKey, "gateway")
	}
	for _, c := range a.store.Conditions() {
		a.log.Warn(c.String(), logfile.SubsystemKey, "config")
	}
	if a.opts.Console == nil {
		return
	}
	ticket, _ := a.access.guard.Ticket()
	cli := cliPath(os.Args[0])
	var b strings.Builder
	fmt.Fprintf(&b, "\nOpenClaw supervisor %s is up.\n", a.opts.Version)
	fmt.Fprintf(&b, "  page:      %s#token=%s\n             (this link works once, within two minutes; `%s dashboard` prints a new one)\n", a.dashboardURL(), ticket, cli)
	fmt.Fprintf(&b, "  terminal:  %s agent --message hello\n  processes: %s workers list\n  stop:      Ctrl-C\n\n", cli, cli)
	_, _ = fmt.Fprint(a.opts.Console, b.String())
}

// cliPath is how the person at this console can call the CLI: as the supervisor itself
// was called, where the two lie side by side.
func cliPath(self string) string {
	beside := filepath.Join(filepath.Dir(self), "openclaw")
	if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() && strings.ContainsRune(self, filepath.Separator) {
		return beside
	}
	return "openclaw"
}

// dashboardURL is the page's address without its fragment.
func (a *App) dashboardURL() string {
	base := strings.Trim(a.store.Snapshot().Config.Gateway.ControlUI.BasePath, "/")
	if base != "" {
		base += "/"
	}
	host, port, err := net.SplitHostPort(a.Addr())
	if err != nil || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/" + base
}
