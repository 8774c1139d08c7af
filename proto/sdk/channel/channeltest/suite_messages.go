package channeltest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// connected starts both ends with one account, whose events the test answers.
func connected(tb TB, s Subject, window int) *Host {
	tb.Helper()
	h := Connect(tb, s.Plugin)
	h.Configure(s.Config)
	h.HoldAcks()
	h.Attach(window)
	h.StartAccount(first, 1, s.Account(first))
	h.AwaitPhase(first, plugin.AccountConnected)
	return h
}

func inboundWhole(tb TB, s Subject) {
	h := connected(tb, s, 0)
	before := time.Now().Add(-time.Minute).UnixMilli()
	s.Deliver(first, "a message – größer 👍")
	ev := h.AwaitEvents(1)[0]
	ev.Stored()
	m := ev.Inbound
	switch {
	case m == nil:
		tb.Fatalf("the event is %+v, want a message", ev.Event)
	case ev.ID == 0, m.Account != first, m.EventKey == "", m.Conversation == "", m.Sender.ID == "", m.ID == "":
		tb.Errorf("event %d: account, key, conversation, sender or id is missing: %+v", ev.ID, m)
	case m.Text != "a message – größer 👍":
		tb.Errorf("text is %q", m.Text)
	case m.ChatKind != message.ChatDirect:
		tb.Errorf("chat kind is %s, want direct", m.ChatKind)
	case m.NetworkTimeMS != 0 && m.NetworkTimeMS < before:
		tb.Errorf("network time %d is not now in milliseconds", m.NetworkTimeMS)
	case m.Conversation != s.Conversation(first):
		tb.Errorf("conversation is %q, want %q", m.Conversation, s.Conversation(first))
	}
}

func inboundConfirmed(tb TB, s Subject) {
	if s.Confirmed == nil {
		tb.Skipf("the network confirms nothing")
	}
	h := connected(tb, s, 0)
	s.Deliver(first, "one")
	ev := h.AwaitEvents(1)[0]
	if n := s.Confirmed(first); n != 0 {
		tb.Fatalf("%d messages are confirmed to the network before they are stored", n)
	}
	ev.Stored()
	h.Await("the confirmation", func() bool { return s.Confirmed(first) == 1 })
}

func inboundRefused(tb TB, s Subject) {
	if s.Confirmed == nil {
		tb.Skipf("the network confirms nothing")
	}
	h := connected(tb, s, 0)
	s.Deliver(first, "one")
	h.AwaitEvents(1)[0].Answer(channel.Ack{Code: plugin.RefusedEvent, Reason: "a test"})
	h.Await("the confirmation", func() bool { return s.Confirmed(first) == 1 })
	s.Deliver(first, "two")
	h.AwaitEvents(2)[1].Answer(channel.Ack{Code: plugin.Duplicate})
	h.Await("the second confirmation", func() bool { return s.Confirmed(first) == 2 })
}

func inboundRedelivered(tb TB, s Subject) {
	if !s.Redelivers {
		tb.Skipf("the network gives nothing twice")
	}
	h := connected(tb, s, 0)
	s.Deliver(first, "one")
	lost := h.AwaitEvents(1)[0]
	h.StopAccount(first, 1)
	h.StartAccount(first, 2, s.Account(first))
	again := h.AwaitEvents(2)[1]
	if again.Inbound == nil || again.Inbound.EventKey != lost.Inbound.EventKey || again.ID <= lost.ID {
		tb.Fatalf("got %+v, want the message again under key %q", again.Event, lost.Inbound.EventKey)
	}
	again.Stored()
	// What is stored does not come again after a restart with the stored cursor.
	var cursors []channel.Cursor
	if c := again.Inbound.Cursor; c != nil {
		cursors = append(cursors, *c)
	}
	h.StopAccount(first, 2)
	h.StartAccount(first, 3, s.Account(first), cursors...)
	s.Deliver(first, "two")
	h.Await("the next message", func() bool {
		all := h.Events()
		last := all[len(all)-1].Inbound
		return last != nil && last.Text == "two"
	})
	for _, ev := range h.Events()[2:] {
		if ev.Inbound.Text != "two" && ev.Inbound.EventKey != lost.Inbound.EventKey {
			tb.Errorf("a stored message came under another key: %+v", ev.Inbound)
		}
	}
}

func inboundOrder(tb TB, s Subject) {
	h := Start(tb, s.Plugin, s.Config)
	h.StartAccount(first, 1, s.Account(first))
	h.AwaitPhase(first, plugin.AccountConnected)
	const n = 20
	for i := range n {
		s.Deliver(first, fmt.Sprintf("message %d", i))
	}
	keys := map[string]bool{}
	var lastID uint64
	for i, ev := range h.AwaitEvents(n)[:n] {
		if ev.Inbound == nil || ev.Inbound.Text != fmt.Sprintf("message %d", i) {
			tb.Fatalf("event %d is %+v, want message %d", i, ev.Event, i)
		}
		if ev.ID <= lastID || keys[ev.Inbound.EventKey] {
			tb.Errorf("event %d: id %d after %d, key %q", i, ev.ID, lastID, ev.Inbound.EventKey)
		}
		lastID, keys[ev.Inbound.EventKey] = ev.ID, true
	}
}

func inboundWindow(tb TB, s Subject) {
	const window, n = 3, 12
	h := connected(tb, s, window)
	for i := range n {
		s.Deliver(first, fmt.Sprintf("message %d", i))
	}
	for i := range n {
		// Each answer makes room for exactly one more.
		ev := h.AwaitEvents(i + 1)[i]
		if ev.Inbound == nil || ev.Inbound.Text != fmt.Sprintf("message %d", i) {
			tb.Fatalf("event %d is %+v", i, ev.Event)
		}
		ev.Stored()
	}
	if most := h.MostUnanswered(); most > window {
		tb.Errorf("%d events were open at once, the window is %d", most, window)
	}
}

func healthUnacked(tb TB, s Subject) {
	h := connected(tb, s, 0)
	s.Deliver(first, "one")
	ev := h.AwaitEvents(1)[0]
	ctx, cancel := h.Context()
	defer cancel()
	// Account states are answered at once, but after they came: they may still count for a moment.
	h.Await("health with one unacked event", func() bool {
		r, err := h.Base.Health(ctx)
		return err == nil && r.Goroutines > 0 && r.QueueDepths["unacked"] == 1
	})
	ev.Stored()
	h.Await("health without unacked events", func() bool {
		r, err := h.Base.Health(ctx)
		return err == nil && r.QueueDepths["unacked"] == 0
	})
}

func sendSent(tb TB, s Subject) {
	h := connected(tb, s, 0)
	for _, text := range []string{"hello", "with <b>marks</b> & *stars* – größer 👍"} {
		r := h.Send(first, s.Conversation(first), text)
		if r.Outcome != message.Sent || r.ID == "" {
			tb.Fatalf("got %+v, want sent with an id", r)
		}
	}
	if got, want := strings.Join(s.Sent(first), "|"), "hello|with <b>marks</b> & *stars* – größer 👍"; got != want {
		tb.Errorf("the network has %q, want %q", got, want)
	}
}

// faulty sends with a fault and then without.
func faulty(tb TB, s Subject, fault func(), want message.Outcome, copies int) {
	tb.Helper()
	if fault == nil {
		tb.Skipf("the network has no such fault")
	}
	h := connected(tb, s, 0)
	fault()
	r := h.Send(first, s.Conversation(first), "hello")
	if r.Outcome != want {
		tb.Fatalf("got %+v, want %s", r, want)
	}
	if r.Code == "" {
		tb.Errorf("an outcome other than sent has no code: %+v", r)
	}
	if n := len(s.Sent(first)); n != copies {
		tb.Errorf("the network has %d copies, want %d: a worker does not retry", n, copies)
	}
	if r := h.Send(first, s.Conversation(first), "next"); r.Outcome != message.Sent {
		tb.Errorf("the next send: %+v, want sent", r)
	}
}

func sendRefused(tb TB, s Subject) { faulty(tb, s, s.Refuse, message.Refused, 0) }
func sendNotSent(tb TB, s Subject) { faulty(tb, s, s.Reject, message.NotSent, 0) }
func sendUnknown(tb TB, s Subject) { faulty(tb, s, s.LoseAnswer, message.Unknown, 1) }

func sendNowhere(tb TB, s Subject) {
	h := connected(tb, s, 0)
	to := s.Conversation(first)
	h.StopAccount(first, 1)
	for _, id := range []channel.AccountID{first, "nobody"} {
		if r := h.Send(id, to, "hello"); r.Outcome != message.NotSent && r.Outcome != message.Refused {
			tb.Errorf("account %s: got %+v, want not sent or refused", id, r)
		}
	}
	if n := len(s.Sent(first)); n != 0 {
		tb.Errorf("%d messages were sent", n)
	}
}

func drainSends(tb TB, s Subject) {
	if s.Hold == nil {
		tb.Skipf("the network cannot hold a send")
	}
	h := connected(tb, s, 0)
	held, release := s.Hold()
	sent := make(chan channel.SendResult, 1)
	go func() { sent <- h.Send(first, s.Conversation(first), "in hand") }()
	await(tb, held, "the send")
	drained := make(chan error, 1)
	go func() { drained <- drain(h) }()
	select {
	case err := <-drained:
		tb.Fatalf("drained (%v) with a send in hand", err)
	case r := <-sent:
		tb.Fatalf("the send ended as %+v while it was held", r)
	case <-time.After(20 * time.Millisecond): // nothing can be awaited: both must go on waiting
	}
	release()
	if r := <-sent; r.Outcome != message.Sent {
		tb.Errorf("the send in hand: %+v, want sent", r)
	}
	if err := <-drained; err != nil {
		tb.Errorf("%v", err)
	}
	await(tb, h.Stopped(), "the end of the process")
	waitDone(tb, h.Attachment(), "the line")
}

func drain(h *Host) error {
	ctx, cancel := context.WithTimeout(h.tb.Context(), Patience)
	defer cancel()
	return h.Base.Drain(ctx, Patience)
}

func await(tb TB, ch <-chan struct{}, what string) {
	tb.Helper()
	select {
	case <-ch:
	case <-time.After(Patience):
		tb.Fatalf("%s did not come within %v", what, Patience)
	}
}

func drainFlushes(tb TB, s Subject) {
	h := connected(tb, s, 0)
	s.Deliver(first, "one")
	ev := h.AwaitEvents(1)[0]
	drained := make(chan error, 1)
	go func() { drained <- drain(h) }()
	select {
	case err := <-drained:
		tb.Fatalf("drained (%v) with an event unanswered", err)
	case <-time.After(20 * time.Millisecond): // nothing can be awaited: the drain must go on waiting
	}
	ev.Stored()
	if err := <-drained; err != nil {
		tb.Errorf("%v", err)
	}
	await(tb, h.Stopped(), "the end of the process")
}

func logoutOnly(tb TB, s Subject) {
	if _, ok := s.Plugin.(channel.Loginer); !ok || s.HasCredentials == nil {
		tb.Skipf("the channel keeps no credentials")
	}
	h := connected(tb, s, 0)
	h.StopAccount(first, 1)
	if !s.HasCredentials(first) {
		tb.Fatalf("a stop deleted the credentials")
	}
	ctx, cancel := h.Context()
	defer cancel()
	if removed, err := h.Channel.Logout(ctx, first); err != nil || !removed || s.HasCredentials(first) {
		tb.Errorf("logout: removed %v, error %v, credentials left %v", removed, err, s.HasCredentials(first))
	}
	if removed, err := h.Channel.Logout(ctx, first); err != nil || removed {
		tb.Errorf("a second logout: removed %v, error %v", removed, err)
	}
}
