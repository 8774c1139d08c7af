package router

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/command"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/lane"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
)

// storeRetry is how long a decision waits before it tries again to be stored while the disk is full.
const storeRetry = time.Second

// Settings is today's configuration.
type Settings interface {
	Config() config.Config
	// Channel gives an account's settings; false for an account that is not configured any more.
	Channel(channel string, account message.AccountID) (ChannelSettings, bool)
}

// Keys builds session keys.
type Keys interface {
	Direct(agentID, channel string, account message.AccountID, peer string) string
}

// Runs takes the run of messages to its end.
type Runs interface {
	RunInbound(ctx context.Context, w run.Wish, inboxIDs []int64) error
}

// Config is what New needs; all fields but Log are required.
type Config struct {
	DB        *journal.DB
	Lanes     *lane.Lanes
	Runs      Runs
	Commands  *command.Set
	Deliverer run.Deliverer
	Settings  Settings
	Keys      Keys
	Pairing   Pairing
	Notifier  Notifier
	// Program is how the command line is called here, with its profile.
	Program string
	Log     *slog.Logger
}

// Router takes stored messages on their way.
type Router struct {
	cfg Config
	log *slog.Logger
}

// New makes a Router.
func New(cfg Config) *Router {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Router{cfg: cfg, log: cfg.Log}
}

// Decision is what becomes of one message.
type Decision struct {
	// Denied names the reason; empty = let in.
	Denied string
	// Ask says that the sender, who is denied, may ask to be let in; Settings are what was decided by.
	Ask      bool
	Settings ChannelSettings
	Wish     run.Wish
	Command  *command.Command
}

// Decide applies access, agent choice, session and envelope to a message. Pure: the same
// message and settings give the same decision.
func (r *Router) Decide(row journal.InboxRow, m message.Inbound) Decision {
	settings, known := r.cfg.Settings.Channel(row.Channel, m.Account)
	if !known {
		return Decision{Denied: "account_not_configured"}
	}
	if v := admit(row.Channel, settings, m); !v.admitted {
		return Decision{Denied: v.cause, Ask: v.ask, Settings: settings}
	}
	c := r.cfg.Settings.Config()
	peerID := string(m.Sender.ID)
	if peerID == "" {
		peerID = string(m.Conversation)
	}
	agentID := chooseAgent(c, peer{channel: row.Channel, account: m.Account, kind: m.ChatKind, id: peerID})
	key := r.cfg.Keys.Direct(agentID, row.Channel, m.Account, peerID)
	label := settings.Label
	if label == "" {
		label = row.Channel
	}
	received := time.UnixMilli(row.ReceivedMS).In(zone(c))
	d := Decision{Settings: settings, Wish: run.Wish{
		AgentID: agentID, SessionKey: key, AsSent: key,
		Route: run.Route{
			Channel: row.Channel, Account: m.Account, Conversation: m.Conversation, Thread: m.Thread, ChatKind: m.ChatKind.String(),
			ReplyTo: m.ID, Deliver: true,
		},
		Inputs: []run.Input{{ID: inputID(row.ID), Text: envelope(label, m, received), TimestampMS: row.ReceivedMS}},
	}}
	// What somebody wrote who may not command is text like any other.
	if cmd, ok := r.cfg.Commands.Parse(m.Text); ok && len(m.Media) == 0 && mayCommand(row.Channel, settings, c.Commands, m.Sender) {
		d.Command = &cmd
	}
	return d
}

// inputID names a message in transcripts; it must never change for a row.
func inputID(inboxID int64) string { return fmt.Sprintf("inbox:%d", inboxID) }

// zone is where the times that the model reads are told.
func zone(c config.Config) *time.Location {
	switch name := c.Agents.Defaults.EnvelopeTimezone; name {
	case "", "local":
		return time.Local
	case "utc":
		return time.UTC
	case "user":
		name = c.Agents.Defaults.UserTimezone
		fallthrough
	default:
		if loc, err := time.LoadLocation(name); err == nil && name != "" {
			return loc
		}
		return time.Local
	}
}

// Take decides on a row in state new or queued and carries the decision out. Rows are
// given in the order of their ids. A decision that cannot be stored while the disk is full is tried again until ctx ends.
func (r *Router) Take(ctx context.Context, row journal.InboxRow) {
	if row.Kind != journal.InboxMessage {
		r.settle(ctx, row, journal.InboxDone, "not_served:"+string(row.Kind), nil)
		return
	}
	m, err := message.UnmarshalInbound(row.Body)
	if err != nil {
		r.log.Error("a stored message cannot be read and is parked", "inbox", row.ID, "channel", row.Channel, "error", err)
		r.settle(ctx, row, journal.InboxParked, "unreadable", nil)
		return
	}
	d := r.Decide(row, m)
	if d.Denied != "" {
		level := slog.LevelInfo
		if d.Denied == causeNotListed { // silence is what this policy is for
			level = slog.LevelDebug
		}
		r.log.Log(ctx, level, "message denied", "channel", row.Channel, "account", row.Account, "cause", d.Denied)
	}
	switch {
	case d.Ask:
		r.pair(ctx, row, m, d.Settings)
	case d.Denied != "":
		r.settle(ctx, row, journal.InboxDenied, d.Denied, nil)
	case strings.TrimSpace(m.Text) == "" && len(m.Media) == 0:
		r.settle(ctx, row, journal.InboxDone, "empty", nil)
	case d.Command != nil:
		r.command(ctx, row, d)
	default:
		r.queue(row, d)
	}
}

// command runs a command and stores its answer together with the message's state.
func (r *Router) command(ctx context.Context, row journal.InboxRow, d Decision) {
	res, err := r.cfg.Commands.Run(ctx, command.Call{Command: *d.Command, SessionKey: d.Wish.SessionKey, AgentID: d.Wish.AgentID})
	if err != nil {
		r.log.Error("command failed", "command", d.Command.Name, "error", err)
		res.Text = "⚠️ /" + d.Command.Name + " failed: " + err.Error()
	}
	r.settle(ctx, row, journal.InboxDone, "", func(tx *journal.Tx) error {
		return r.cfg.Deliverer.Deliver(tx, run.Delivery{RunID: fmt.Sprintf("cmd:%d", row.ID), Part: "1", Route: d.Wish.Route, Text: res.Text})
	})
}

// queue puts the run of a message into its session's lane.
func (r *Router) queue(row journal.InboxRow, d Decision) {
	r.cfg.Lanes.Submit(d.Wish.SessionKey, lane.Job{
		ID: inputID(row.ID),
		Do: func(ctx context.Context) {
			err := r.cfg.Runs.RunInbound(ctx, d.Wish, []int64{row.ID})
			if err == nil || ctx.Err() != nil {
				return
			}
			r.log.Error("the run of a message could not be admitted; the message is parked", "inbox", row.ID, "error", err)
			r.settle(ctx, row, journal.InboxParked, "not_admitted: "+err.Error(), nil)
		},
		Dropped: func() {
			r.cfg.DB.Submit(func(tx *journal.Tx) error {
				return tx.SetInboxState([]int64{row.ID}, journal.InboxDropped, "", "stopped")
			}, func(err error) {
				if err != nil {
					r.log.Error("a message that was stopped could not be stored as dropped", "inbox", row.ID, "error", err)
				}
			})
		},
	})
}

// settle stores where a message ends, with what goes out because of it.
func (r *Router) settle(ctx context.Context, row journal.InboxRow, state journal.InboxState, cause string, more func(*journal.Tx) error) {
	for {
		err := r.cfg.DB.Update(ctx, func(tx *journal.Tx) error {
			if more != nil {
				if err := more(tx); err != nil {
					return err
				}
			}
			return tx.SetInboxState([]int64{row.ID}, state, "", cause)
		})
		if err == nil || ctx.Err() != nil {
			return
		}
		if !journal.Retryable(err) {
			r.log.Error("the state of a message could not be stored; it is looked at again after the next start", "inbox", row.ID, "state", state, "error", err)
			return
		}
		t := time.NewTimer(storeRetry)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}
