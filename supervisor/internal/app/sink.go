package app

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/event"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/health"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/inbox"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/outbox"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/worker"
)

// sink joins the pool to everything that its workers' words concern.
type sink struct {
	log      *slog.Logger
	db       *journal.DB
	store    *config.Store
	inbox    *inbox.Inbox
	outbox   *outbox.Outbox
	channels *channels
	agents   *agents
	bus      *event.Bus
	board    *health.Board
	calls    *calls
}

var _ worker.Sink = (*sink)(nil)

// HandleEvent implements worker.Sink.
func (s *sink) HandleEvent(id string, ev plugin.Event, ack func(plugin.Ack)) {
	if !s.owns(id, ev.Account()) {
		s.log.Warn("a worker reported for an account that is not its own", "worker", id, "account", ev.Account())
		ack(plugin.Ack{Code: plugin.RefusedEvent, Reason: "the account is not configured for this channel"})
		return
	}
	switch {
	case ev.Inbound != nil, ev.Edit != nil, ev.Reaction != nil:
		s.inbox.Store(id, ev, ack)
	case ev.AccountState != nil:
		if s.channels.state(id, *ev.AccountState) {
			s.outbox.AccountReady(id, ev.AccountState.Account)
		}
		s.board.Touch()
		ack(plugin.Ack{Code: plugin.Stored})
	case ev.Gap != nil:
		s.board.Raise(protocol.Condition{
			Code: "gap:" + id + ":" + string(ev.Gap.Account), Title: "Messages may be missing", Severity: protocol.SeverityWarning,
			Text: "the network did not keep everything that arrived while " + id + " was away: " + ev.Gap.Reason,
		})
		ack(plugin.Ack{Code: plugin.Stored})
	case ev.Receipt != nil:
		ack(plugin.Ack{Code: plugin.Stored})
	default:
		ack(plugin.Ack{Code: plugin.RefusedEvent, Reason: "an event of a kind that is not known"})
	}
}

// owns reports whether an account is configured for a worker's channel.
func (s *sink) owns(id string, account message.AccountID) bool {
	block, ok := s.store.Snapshot().ChannelBlock(id)
	if !ok {
		return false
	}
	for _, a := range block.Accounts {
		if a.ID == string(account) {
			return true
		}
	}
	return false
}

// HandleCall implements worker.Sink.
func (s *sink) HandleCall(ctx context.Context, id string, c plugin.Call) (json.RawMessage, *plugin.CallError) {
	if id != agentID {
		return nil, &plugin.CallError{Code: string(protocol.CodeInvalidRequest), Message: "only the agent runtime may call"}
	}
	return s.calls.handle(ctx, c)
}

// WorkerEvent implements worker.Sink.
func (s *sink) WorkerEvent(ev worker.Event) {
	if ev.Worker == agentID {
		s.agents.event(ev)
	}
	if err := s.bus.Publish(protocol.EventWorker, eventView(ev)); err != nil {
		s.log.Error("a worker event could not be told", "worker", ev.Worker, "error", err)
	}
	s.board.Touch()
}

// Running implements worker.Sink: a channel's accounts are started here.
func (s *sink) Running(ctx context.Context, h worker.Handle) {
	if h.ID == agentID {
		s.agents.running(h)
		return
	}
	s.channels.running(h)
	block, ok := s.store.Snapshot().ChannelBlock(h.ID)
	if !ok {
		return
	}
	client := channel.NewClient(h.Client)
	for _, a := range block.Accounts {
		if a.Enabled {
			s.start(ctx, client, h.ID, a)
		}
	}
	// The accounts of a worker that died are known from its successor's reports alone.
	s.outbox.Wake()
}

// start asks a worker to connect one account from where its cursors stand.
func (s *sink) start(ctx context.Context, client *channel.Client, id string, a config.Account) {
	start := channel.AccountStart{Account: message.AccountID(a.ID), Config: a.JSON, Revision: s.store.Snapshot().Revision}
	err := s.db.View(ctx, func(tx *journal.Tx) error {
		rows, err := tx.ListCursors(id, a.ID)
		for _, c := range rows {
			start.Cursors = append(start.Cursors, channel.Cursor{Name: c.Name, Value: c.Value})
		}
		return err
	})
	if err == nil {
		err = startAccount(ctx, client, start)
	}
	if err != nil && ctx.Err() == nil {
		s.log.Error("an account could not be started", "worker", id, "account", a.ID, "error", err)
	}
}

// Gone implements worker.Sink.
func (s *sink) Gone(id string) {
	if id == agentID {
		return
	}
	s.channels.gone(id)
	s.outbox.WorkerGone(id)
}
