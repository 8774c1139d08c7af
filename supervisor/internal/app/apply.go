package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/catalog"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/worker"
)

// causeRemoved is why the rows of an account that left the configuration are dropped.
const causeRemoved = "account_removed"

// applyWorkers makes the pool hold the agent runtime and one worker per configured channel.
// One call follows the other, so that an older configuration never comes last.
func (a *App) applyWorkers() error {
	a.applying.Lock()
	defer a.applying.Unlock()
	specs := []worker.Spec{a.agentSpec()}
	s := a.store.Snapshot()
	if !s.SkipChannels() {
		for _, id := range s.ChannelIDs() {
			if spec, ok := a.channelSpec(s, id); ok {
				specs = append(specs, spec)
			}
		}
	}
	if err := a.pool.Apply(specs); err != nil {
		return fmt.Errorf("start workers: %w", err)
	}
	return nil
}

// programsChanged takes up programs that came, went or changed.
func (a *App) programsChanged() {
	if err := a.applyWorkers(); err != nil {
		a.log.Error("changed programs could not be taken up", "error", err)
	}
}

func (a *App) agentSpec() worker.Spec {
	spec := worker.Spec{
		ID: agentID, Kind: plugin.KindAgent, StateDir: filepath.Join(a.paths.SupervisorDir(), "workers", agentID),
		MemoryLimit: a.memoryLimit(agentID),
		Configure: func(context.Context) (plugin.Configuration, error) {
			s := a.store.Snapshot()
			return plugin.Configuration{JSON: s.AgentBlock(), Revision: s.Revision}, nil
		},
	}
	entry, err := a.catalog.AgentRuntime()
	a.found(&spec, entry, err, "the agent runtime")
	spec.Revision = entry.Revision
	return spec
}

// channelSpec describes the worker of a configured channel; false where it is not to run:
// no account is enabled, or the operator denies it.
func (a *App) channelSpec(s *config.Snapshot, id string) (worker.Spec, bool) {
	block, ok := s.ChannelBlock(id)
	if !ok || !slices.ContainsFunc(block.Accounts, func(acc config.Account) bool { return acc.Enabled }) {
		return worker.Spec{}, false
	}
	spec := worker.Spec{
		ID: id, Kind: plugin.KindChannel, StateDir: filepath.Join(a.paths.SupervisorDir(), "workers", id), MemoryLimit: a.memoryLimit(id),
		Configure: func(context.Context) (plugin.Configuration, error) {
			s := a.store.Snapshot()
			block, ok := s.ChannelBlock(id)
			if !ok {
				return plugin.Configuration{}, &plugin.InvalidConfigError{Message: "the channel is not configured any more"}
			}
			return plugin.Configuration{JSON: block.Common, Revision: s.Revision}, nil
		},
	}
	entry, err := a.catalog.Find(context.Background(), id)
	if err == nil && !s.PluginAllowed(id, entry.Bundled) {
		return worker.Spec{}, false
	}
	a.found(&spec, entry, err, "channel "+id)
	spec.Revision = entry.Revision
	return spec, true
}

func (a *App) memoryLimit(id string) int64 {
	return int64(a.store.Snapshot().WorkerLimit(id).MemoryMB) << 20
}

// found fills in the file to run, or says why there is none. A file that differs from its
// approval does not stop the approved copy of it: that goes on, with a condition.
func (a *App) found(spec *worker.Spec, entry catalog.Entry, err error, what string) {
	spec.Path = entry.Path
	code := "program:" + spec.ID
	if err == nil {
		a.board.Clear(code)
		return
	}
	action := ""
	var refusal *catalog.Refusal
	if errors.As(err, &refusal) {
		action = refusal.Action
	}
	text := fmt.Sprintf("%s: %v", what, err)
	a.board.Raise(protocol.Condition{Code: code, Title: "Program not run", Severity: protocol.SeverityWarning, Text: text, Action: action})
	if refusal != nil && refusal.Code == catalog.CodeUnapproved && entry.Path != "" {
		return
	}
	spec.Unavailable = &worker.Condition{Code: worker.CodeUnavailable, Text: text, Action: action}
}

// apply carries a change of the configuration out. It is called for one change after the other.
func (a *App) apply(ctx context.Context, c config.Change) error {
	if c.Empty() || c.From == c.To {
		return nil
	}
	if err := a.dropRemoved(ctx, c); err != nil {
		return err
	}
	if err := a.applyWorkers(); err != nil {
		return err
	}
	for _, id := range c.Workers {
		if err := a.pool.Restart(ctx, id); err != nil && !errors.Is(err, worker.ErrUnknown) {
			a.log.Warn("a worker could not be restarted after a change of the configuration", "worker", id, "error", err)
		}
	}
	a.reconfigure(ctx, c)
	a.lanes.SetLimit(c.To.Config.Agents.Defaults.MaxConcurrent)
	if c.Listener {
		a.log.Warn("the control plane's address changed in the configuration; it is used from the next start on")
	}
	a.log.Info("configuration applied", "revision", c.To.Revision, "changed", len(c.Paths), "waiting", len(c.Waiting))
	a.board.Touch()
	return nil
}

// dropRemoved drops what is queued for accounts that left the configuration.
func (a *App) dropRemoved(ctx context.Context, c config.Change) error {
	for _, ch := range c.Accounts {
		if ch.Kind != config.AccountRemoved {
			continue
		}
		err := a.db.Update(ctx, func(tx *journal.Tx) error {
			if _, err := a.outbox.DropAccount(tx, ch.Channel, message.AccountID(ch.Account), causeRemoved); err != nil {
				return err
			}
			_, err := tx.DropInboxOfAccount(ch.Channel, message.AccountID(ch.Account), causeRemoved)
			return err
		})
		if err != nil {
			return fmt.Errorf("drop what was queued for %s/%s: %w", ch.Channel, ch.Account, err)
		}
		a.outbox.Wake()
	}
	return nil
}

// reconfigure hands the new settings to the living workers, and stops and starts the
// accounts that the change touches, without a new process.
func (a *App) reconfigure(ctx context.Context, c config.Change) {
	a.reconfigureOne(ctx, agentID)
	touched := map[string]bool{}
	for _, ch := range c.Accounts {
		if !touched[ch.Channel] {
			touched[ch.Channel] = true
			a.reconfigureOne(ctx, ch.Channel)
		}
		client, ok := a.channels.client(ch.Channel)
		if !ok {
			continue // the accounts of a worker that is not running are started when it is
		}
		account := message.AccountID(ch.Account)
		if ch.Kind != config.AccountAdded {
			ctx, cancel := context.WithTimeout(ctx, accountTimeout)
			if err := client.StopAccount(ctx, account, c.To.Revision); err != nil {
				a.log.Warn("an account could not be stopped", "worker", ch.Channel, "account", ch.Account, "error", err)
			}
			cancel()
		}
		if ch.Kind == config.AccountAdded || ch.Kind == config.AccountChanged {
			a.startAccount(ctx, client, ch)
		}
	}
}

func (a *App) startAccount(ctx context.Context, client *channel.Client, ch config.AccountChange) {
	if block, ok := a.store.Snapshot().ChannelBlock(ch.Channel); ok {
		if acc, ok := block.Account(ch.Account); ok && acc.Enabled {
			a.sink.start(ctx, client, ch.Channel, acc)
		}
	}
}

func (a *App) reconfigureOne(ctx context.Context, id string) {
	err := a.pool.Reconfigure(ctx, id)
	var away *worker.NotRunningError
	if err != nil && !errors.Is(err, worker.ErrUnknown) && !errors.As(err, &away) {
		a.log.Error("a worker did not take the new settings", "worker", id, "error", err)
		a.board.Raise(protocol.Condition{
			Code: "reconfigure:" + id, Title: "Settings not taken", Severity: protocol.SeverityWarning,
			Text: fmt.Sprintf("worker %s still runs with its former settings: %v", id, err), Action: "correct the configuration, or restart the worker",
		})
		return
	}
	a.board.Clear("reconfigure:" + id)
}
