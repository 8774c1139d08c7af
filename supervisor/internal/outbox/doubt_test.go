package outbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

func TestDoubt(t *testing.T) {
	named := plugin.ChannelCaps{IdempotentSend: plugin.IdempotentNamed}
	window := plugin.ChannelCaps{IdempotentSend: plugin.IdempotentNamed, IdempotentWindowMS: 1000}
	unknown := message.SendResult{Outcome: message.Unknown, Code: "timeout"}
	sent := message.SendResult{Outcome: message.Sent, ID: "n"}
	found := func(message.DeliveryID) (channel.Reconciliation, message.MessageID, error) {
		return channel.Found, "there", nil
	}
	absent := func(message.DeliveryID) (channel.Reconciliation, message.MessageID, error) {
		return channel.Absent, "", nil
	}
	cannot := func(message.DeliveryID) (channel.Reconciliation, message.MessageID, error) {
		return channel.CannotTell, "", nil
	}
	fails := func(message.DeliveryID) (channel.Reconciliation, message.MessageID, error) {
		return channel.CannotTell, "", errors.New("no answer")
	}
	for _, c := range []struct {
		name      string
		caps      plugin.ChannelCaps
		answers   []message.SendResult
		reconcile func(message.DeliveryID) (channel.Reconciliation, message.MessageID, error)
		want      journal.OutboxState
		sends     int
		asked     int
		networkID message.MessageID
	}{
		{"no names, nobody to ask", plugin.ChannelCaps{}, []message.SendResult{unknown}, nil, journal.OutboxUnknown, 1, 1, ""},
		{"asked: found", plugin.ChannelCaps{}, []message.SendResult{unknown}, found, journal.OutboxSent, 1, 1, "there"},
		{"asked: absent, sent again", plugin.ChannelCaps{}, []message.SendResult{unknown, sent}, absent, journal.OutboxSent, 2, 1, "n"},
		{"asked: cannot tell", plugin.ChannelCaps{}, []message.SendResult{unknown}, cannot, journal.OutboxUnknown, 1, 1, ""},
		{"asked: no answer, three times", plugin.ChannelCaps{}, []message.SendResult{unknown}, fails, journal.OutboxUnknown, 1, 3, ""},
		{"lasting names: the same again", named, []message.SendResult{unknown, sent}, nil, journal.OutboxSent, 2, 0, "n"},
		{"lasting names: not sent keeps the doubt", named, []message.SendResult{unknown, {Outcome: message.NotSent}, sent}, nil, journal.OutboxSent, 3, 0, "n"},
		{"lasting names: refused after doubt", named, []message.SendResult{unknown, {Outcome: message.Refused}}, nil, journal.OutboxUnknown, 2, 1, ""},
		{"names for a second: asked after it", window, []message.SendResult{unknown}, found, journal.OutboxSent, 3, 1, "there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEnv(t)
			e.net.caps, e.net.send, e.net.reconcile = c.caps, results(c.answers...), c.reconcile
			e.run()
			id := e.insert(entry("r1", "A", "x"))[0]
			e.moves(100*time.Millisecond, "the end", func() bool { return e.row(id).State.Final() })
			r := e.ends(id, c.want)
			if r.NetworkID != c.networkID {
				t.Errorf("network id: got %q, want %q", r.NetworkID, c.networkID)
			}
			sends := e.net.texts()
			if c.caps.IdempotentWindowMS > 0 {
				if len(sends) < 2 || len(sends) > c.sends {
					t.Errorf("sends: got %d, want 2 to %d", len(sends), c.sends)
				}
			} else if len(sends) != c.sends {
				t.Errorf("sends: got %d, want %d", len(sends), c.sends)
			}
			if e.net.asks() != c.asked {
				t.Errorf("asked %d times, want %d", e.net.asks(), c.asked)
			}
			for _, m := range e.net.sent {
				if m.Delivery != id {
					t.Errorf("a Send had the id %s, want %s", m.Delivery, id)
				}
			}
			// Whatever came of it, the next one goes.
			e.net.set(func(n *network) { n.send = nil })
			next := e.insert(entry("r2", "A", "next"))[0]
			e.moves(100*time.Millisecond, "the next", func() bool { return e.row(next).State.Final() })
			e.ends(next, journal.OutboxSent)
		})
	}
}

func TestADoubtWaitsForTheWorkerToReturn(t *testing.T) {
	e := newEnv(t)
	e.net.reconcile = func(message.DeliveryID) (channel.Reconciliation, message.MessageID, error) {
		return channel.Found, "kept", nil
	}
	e.net.send = func(context.Context, message.Outbound, []channel.MediaFile) message.SendResult {
		e.net.set(func(n *network) { n.notReady["default"] = true })
		return message.SendResult{Outcome: message.Unknown, Code: "worker_lost"}
	}
	e.run()
	ids := e.insert(entry("r1", "A", "x"), entry("r2", "A", "y"))
	e.until("the Send", func() bool { return len(e.net.texts()) == 1 && !e.net.Ready("", "default") })
	e.clock.Advance(time.Minute)
	if n := e.net.asks(); n != 0 {
		t.Errorf("a worker that is away was asked %d times", n)
	}
	e.net.set(func(n *network) { n.notReady["default"], n.send = false, nil })
	e.box.AccountReady("test", "default")
	if r := e.ends(ids[0], journal.OutboxSent); r.NetworkID != "kept" {
		t.Errorf("network id: got %q, want that of Reconcile", r.NetworkID)
	}
	e.ends(ids[1], journal.OutboxSent)
	e.sentTexts("x", "y")
}

func TestADoubtThatNobodyCanSettleExpiresAsUnknown(t *testing.T) {
	e := newEnv(t)
	e.net.send = func(context.Context, message.Outbound, []channel.MediaFile) message.SendResult {
		e.net.set(func(n *network) { n.notReady["default"] = true })
		return message.SendResult{Outcome: message.Unknown}
	}
	e.run()
	ids := e.insert(entry("r1", "A", "x"), entry("r2", "A", "y"))
	e.moves(time.Minute, "both ends", func() bool { return e.row(ids[0]).State.Final() && e.row(ids[1]).State.Final() })
	e.ends(ids[0], journal.OutboxUnknown)
	e.ends(ids[1], journal.OutboxExpired)
}
