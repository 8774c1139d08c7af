package main

import (
	"context"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// nextSend takes the answer to the next send.
func (w *worker) nextSend() SendFault {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.bad.Sends) == 0 {
		return SendFault{}
	}
	f := w.bad.Sends[0]
	w.bad.Sends = w.bad.Sends[1:]
	return f
}

// Send puts a message on the played network, unless it is told otherwise.
func (w *worker) Send(ctx context.Context, m channel.Outbound, _ channel.MediaSource) channel.SendResult {
	f := w.nextSend()
	if f.DelayMS > 0 {
		t := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return channel.SendResult{Outcome: message.NotSent, Code: "deadline", Text: "the deadline came before the network did"}
		}
	}
	r := channel.SendResult{Outcome: message.Sent, Code: f.Code, RetryAfterMS: f.RetryAfterMS}
	switch f.Outcome {
	case "refused":
		r.Outcome, r.Text = message.Refused, "refused on command"
	case "not_sent":
		r.Outcome, r.Text = message.NotSent, "not sent on command"
	case "unknown":
		r.Outcome, r.Text = message.Unknown, "unknown on command"
	}
	if r.Outcome == message.Sent || f.Accept {
		s, err := w.network.take(Sent{
			Delivery: string(m.Delivery), Account: string(m.Account), Conversation: string(m.Conversation), Text: m.Text.Plain, Attempt: m.Attempt,
		}, w.fault().Named)
		if err != nil {
			return channel.SendResult{Outcome: message.NotSent, Code: "network", Text: err.Error()}
		}
		if r.Outcome == message.Sent {
			r.ID = message.MessageID(s.ID)
		}
	}
	switch f.Then {
	case "":
	case "hang":
		<-ctx.Done()
		return channel.SendResult{Outcome: message.Unknown, Code: "hang", Text: "hung on command"}
	default:
		w.die(f.Then)
	}
	return r
}

// Typing is taken and forgotten.
func (w *worker) Typing(context.Context, channel.Place, bool) error { return nil }

// Reconcile says whether the network has a delivery.
func (w *worker) Reconcile(_ context.Context, delivery channel.DeliveryID, _ channel.Place, _ time.Time) (channel.Reconciliation, channel.MessageID, error) {
	if w.fault().Reconcile == "cannot_tell" {
		return channel.CannotTell, "", nil
	}
	if s, ok := w.network.taken(string(delivery)); ok {
		return channel.Found, channel.MessageID(s.ID), nil
	}
	return channel.Absent, "", nil
}
