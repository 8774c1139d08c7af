package channeltest

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Patience is how long an await of the harness waits before the test fails.
const Patience = 20 * time.Second

// Received is an event that the plugin reported. Answer gives the supervisor's word on
// it, once; further calls do nothing.
type Received struct {
	channel.Event
	Answer func(channel.Ack)
}

// Stored answers that the event is on disk.
func (r Received) Stored() { r.Answer(channel.Ack{Code: plugin.Stored}) }

// Host is the supervisor's end of one plugin. It is safe for concurrent use.
type Host struct {
	// Base and Channel are the clients of the two contracts.
	Base    *plugin.Client
	Channel *channel.Client

	tb      TB
	stopped chan struct{}

	mu         sync.Mutex // guards all below
	changed    chan struct{}
	manual     bool
	attachment *plugin.Attachment
	events     []Received
	states     map[channel.AccountID][]channel.AccountState
	unacked    int
	mostUnack  int
}

// Connect serves p over gRPC in memory and gives the supervisor's end. Nothing is
// configured yet. The connection ends with the test.
func Connect(tb TB, p channel.Plugin) *Host {
	tb.Helper()
	h := &Host{tb: tb, stopped: make(chan struct{}), states: map[channel.AccountID][]channel.AccountState{}}
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	channel.NewServer(p, func() { close(h.stopped) }).Register(server)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	dial := append(plugin.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	conn, err := grpc.NewClient("passthrough:plugin", dial...)
	if err != nil {
		tb.Fatalf("connect: %v", err)
	}
	h.Base = plugin.NewClient(conn)
	h.Channel = channel.NewClient(h.Base)
	tb.Cleanup(func() {
		// The accounts' goroutines end before the test does, whether it drained or not.
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		h.AckAll()
		_ = p.Drain(ctx)
		_ = conn.Close()
		server.Stop()
		<-served
	})
	return h
}

// Start connects, configures with cfg (empty = {}) and attaches; every event is
// answered as stored at once.
func Start(tb TB, p channel.Plugin, cfg json.RawMessage) *Host {
	tb.Helper()
	h := Connect(tb, p)
	h.Configure(cfg)
	h.Attach(0)
	return h
}

// Context ends after Patience.
func (h *Host) Context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(h.tb.Context(), Patience)
}

// Configure hands over settings that must be taken.
func (h *Host) Configure(cfg json.RawMessage) {
	h.tb.Helper()
	if len(cfg) == 0 {
		cfg = json.RawMessage("{}")
	}
	ctx, cancel := h.Context()
	defer cancel()
	if err := h.Base.Configure(ctx, plugin.Configuration{JSON: cfg, StateDir: h.tb.TempDir(), Revision: 1}); err != nil {
		h.tb.Fatalf("configure: %v", err)
	}
}

// Attach opens the line with a window; 0 = the supervisor's own.
func (h *Host) Attach(window int) {
	h.tb.Helper()
	// The line outlives the test's own context, so that clean-up finds it open.
	a, err := h.Base.Attach(context.WithoutCancel(h.tb.Context()), plugin.AttachConfig{InstanceID: "test", Window: window, Handler: (*handler)(h)})
	if err != nil {
		h.tb.Fatalf("attach: %v", err)
	}
	h.mu.Lock()
	h.attachment = a
	h.mu.Unlock()
	h.tb.Cleanup(a.Close)
}

// Attachment is the open line.
func (h *Host) Attachment() *plugin.Attachment {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.attachment
}

// Stopped is closed when the plugin's process would end.
func (h *Host) Stopped() <-chan struct{} { return h.stopped }

// HoldAcks leaves the answers to events, but for account states, to the test.
func (h *Host) HoldAcks() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.manual = true
}

// AckAll answers everything that waits, and from now on everything at once.
func (h *Host) AckAll() {
	h.mu.Lock()
	h.manual = false
	waiting := slices.Clone(h.events)
	h.mu.Unlock()
	for _, r := range waiting {
		r.Stored()
	}
}

// StartAccount starts an account that must be taken.
func (h *Host) StartAccount(id channel.AccountID, revision uint64, cfg json.RawMessage, cursors ...channel.Cursor) {
	h.tb.Helper()
	ctx, cancel := h.Context()
	defer cancel()
	if err := h.Channel.StartAccount(ctx, channel.AccountStart{Account: id, Config: cfg, Revision: revision, Cursors: cursors}); err != nil {
		h.tb.Fatalf("%v", err)
	}
}

// StopAccount stops an account.
func (h *Host) StopAccount(id channel.AccountID, revision uint64) {
	h.tb.Helper()
	ctx, cancel := h.Context()
	defer cancel()
	if err := h.Channel.StopAccount(ctx, id, revision); err != nil {
		h.tb.Fatalf("%v", err)
	}
}

// Send sends a plain text.
func (h *Host) Send(id channel.AccountID, to channel.ConversationID, text string) channel.SendResult {
	ctx, cancel := h.Context()
	defer cancel()
	return h.Channel.Send(ctx, channel.Outbound{
		Delivery: "test-delivery", Account: id, Conversation: to, Text: channel.Text{Plain: text, Markdown: text}, LinkPreview: true, Attempt: 1,
	}, nil)
}

type handler Host

// HandleEvent implements plugin.Handler.
func (hd *handler) HandleEvent(ev plugin.Event, ack func(plugin.Ack)) {
	h := (*Host)(hd)
	if ev.AccountState != nil {
		h.mu.Lock()
		h.states[ev.AccountState.Account] = append(h.states[ev.AccountState.Account], *ev.AccountState)
		h.wake()
		h.mu.Unlock()
		ack(plugin.Ack{Code: plugin.Stored})
		return
	}
	var once sync.Once
	r := Received{Event: ev, Answer: func(k channel.Ack) {
		once.Do(func() {
			h.mu.Lock()
			h.unacked--
			h.mu.Unlock()
			ack(k)
		})
	}}
	h.mu.Lock()
	h.events = append(h.events, r)
	h.unacked++
	h.mostUnack = max(h.mostUnack, h.unacked)
	manual := h.manual
	h.wake()
	h.mu.Unlock()
	if !manual {
		r.Stored()
	}
}

// HandleCall implements plugin.Handler: a channel may not call.
func (hd *handler) HandleCall(context.Context, plugin.Call) (json.RawMessage, *plugin.CallError) {
	return nil, &plugin.CallError{Code: "FORBIDDEN", Message: "a channel does not call methods"}
}

// wake is called with mu held.
func (h *Host) wake() {
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// Await blocks until cond holds; it is asked whenever something was reported, with no lock held.
func (h *Host) Await(what string, cond func() bool) {
	h.tb.Helper()
	ctx, cancel := h.Context()
	defer cancel()
	for {
		h.mu.Lock()
		if h.changed == nil {
			h.changed = make(chan struct{})
		}
		ch := h.changed
		h.mu.Unlock()
		if cond() {
			return
		}
		// What is not reported (a network's own count) is looked at again now and then.
		tick := time.NewTimer(5 * time.Millisecond)
		select {
		case <-ch:
		case <-tick.C:
		case <-ctx.Done():
			h.tb.Fatalf("%s did not happen within %v", what, Patience)
		}
		tick.Stop()
	}
}

// Events lists what was reported so far, without account states.
func (h *Host) Events() []Received {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

// AwaitEvents blocks until n events were reported, and gives all.
func (h *Host) AwaitEvents(n int) []Received {
	h.tb.Helper()
	h.Await("the reported event", func() bool { return len(h.Events()) >= n })
	return h.Events()
}

// States lists all states that an account has reported.
func (h *Host) States(id channel.AccountID) []channel.AccountState {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.states[id])
}

// AwaitState blocks until the account's latest state matches, and gives it.
func (h *Host) AwaitState(id channel.AccountID, what string, match func(channel.AccountState) bool) channel.AccountState {
	h.tb.Helper()
	var last channel.AccountState
	h.Await("account "+string(id)+" "+what, func() bool {
		all := h.States(id)
		if len(all) == 0 {
			return false
		}
		last = all[len(all)-1]
		return match(last)
	})
	return last
}

// AwaitPhase blocks until the account stands where it should, and gives its state.
func (h *Host) AwaitPhase(id channel.AccountID, phase plugin.AccountPhase) channel.AccountState {
	h.tb.Helper()
	return h.AwaitState(id, phase.String(), func(s channel.AccountState) bool { return s.Phase == phase })
}

// MostUnanswered is how many events were ever without an answer at the same time.
func (h *Host) MostUnanswered() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mostUnack
}
