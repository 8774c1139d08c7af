package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// worker is the plugin.
type worker struct {
	id       string
	stateDir string
	life     int
	atStart  Fault
	stderr   *os.File // the real one, before go-plugin takes its place
	network  *network
	serial   atomic.Uint64
	fresh    chan struct{} // there may be something to report
	attached chan struct{} // closed once there is a line

	mu       sync.Mutex // guards all below
	bad      Fault
	line     *plugin.Line
	accounts map[channel.AccountID]context.CancelFunc
	told     map[string]bool // keys in flight
	reported int
	leaked   [][]byte
	opened   bool // the control address
}

var (
	_ channel.Plugin        = (*worker)(nil)
	_ channel.Reconciler    = (*worker)(nil)
	_ channel.Typer         = (*worker)(nil)
	_ plugin.HealthReporter = (*worker)(nil)
)

func newWorker(id, stateDir string) *worker {
	w := &worker{
		id: id, stateDir: stateDir, life: countLife(stateDir), stderr: os.Stderr, fresh: make(chan struct{}, 1), attached: make(chan struct{}),
		accounts: map[channel.AccountID]context.CancelFunc{}, told: map[string]bool{},
	}
	var err error
	if w.atStart, err = startFault(stateDir); err != nil {
		w.lastWord(err.Error())
		os.Exit(1)
	}
	w.setFault(w.atStart)
	return w
}

func (w *worker) fault() Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bad
}

func (w *worker) setFault(f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bad = f.in(w.life)
}

// never blocks for good where a fault says so.
func never(how string) {
	if how == "hang" {
		<-make(chan struct{})
	}
}

func (w *worker) Describe() plugin.Description {
	f := w.fault()
	never(f.Describe)
	d := plugin.Description{
		ID: w.id, Label: "Fault " + w.id, Version: "0.0.0-fault",
		ConfigSchema: json.RawMessage(`{"type":"object"}`),
		Channel: &plugin.ChannelCaps{
			ChatKinds: []message.ChatKind{message.ChatDirect, message.ChatGroup},
			TextLimit: plugin.TextLimit{N: 4000, Unit: plugin.LengthUTF16}, IdempotentSend: plugin.IdempotentNone,
		},
	}
	if f.Describe == "id" {
		d.ID += "-other"
	}
	if f.Named {
		d.Channel.IdempotentSend = plugin.IdempotentNamed
	}
	return d
}

// settings are what the channel's block may hold.
type settings struct {
	Control string `json:"control"`
	Fault   *Fault `json:"fault"`
}

func (w *worker) Configure(_ context.Context, c plugin.Configuration) error {
	var s settings
	if err := json.Unmarshal(c.JSON, &s); err != nil {
		return &plugin.InvalidConfigError{Message: err.Error()}
	}
	if s.Fault == nil {
		s.Fault = &w.atStart
	}
	w.setFault(*s.Fault)
	f := w.fault()
	never(f.Configure)
	switch f.Configure {
	case "invalid":
		return &plugin.InvalidConfigError{Path: "fault", Message: "is refused on command"}
	case "crash":
		w.die(f.Crash)
	}
	if w.stateDir == "" {
		w.stateDir = c.StateDir
	}
	return w.open(s.Control)
}

// open opens the network and the control address, once.
func (w *worker) open(control string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.network == nil {
		n, err := openNetwork(filepath.Join(w.stateDir, "network"))
		if err != nil {
			return err
		}
		w.network = n
	}
	if control == "" || w.opened {
		return nil
	}
	if err := w.control(control); err != nil {
		return err
	}
	w.opened = true
	return nil
}

func (w *worker) Attached(l *plugin.Line) {
	w.mu.Lock()
	w.line = l
	w.mu.Unlock()
	close(w.attached)
	go w.deliver(l)
	w.begin()
}

// begin starts what the present fault says is to happen by itself.
func (w *worker) begin() {
	f := w.fault()
	if f.FloodBytes > 0 && f.Crash == "" {
		go w.flood(f.FloodBytes)
	}
	if f.LeakMBPerS > 0 {
		go w.leak(f.LeakMBPerS)
	}
	if f.Children > 0 {
		w.children(f.Children)
	}
	if f.Calls {
		go w.call()
	}
	if f.Crash != "" && f.CrashAfterEvents == 0 && f.Configure != "crash" {
		time.AfterFunc(time.Duration(f.CrashAfterMS)*time.Millisecond, func() { w.die(f.Crash) })
	}
	w.tellAll()
	w.poke()
}

// call asks what a channel may not ask, and logs the answer.
func (w *worker) call() {
	_, err := w.line.Call(context.Background(), plugin.Call{RunID: "none", ToolCallID: "none", Method: "health", Params: json.RawMessage(`{}`)})
	slog.Info("called the supervisor", "error", err)
}

func (w *worker) Drain(context.Context) error {
	never(w.fault().Drain)
	return nil
}

// QueueDepths is part of the health probe's answer.
func (w *worker) QueueDepths() map[string]int64 {
	never(w.fault().Health)
	return nil
}

func (w *worker) StartAccount(ctx context.Context, a channel.AccountStart) error {
	select {
	case <-w.attached: // the call may overtake the line's opening
	case <-ctx.Done():
		return ctx.Err()
	}
	w.mu.Lock()
	if stop := w.accounts[a.Account]; stop != nil {
		stop()
	}
	_, cancel := context.WithCancel(context.Background())
	w.accounts[a.Account] = cancel
	w.mu.Unlock()
	w.tell(a.Account)
	w.poke()
	return nil
}

func (w *worker) StopAccount(_ context.Context, account channel.AccountID, _ uint64) error {
	w.mu.Lock()
	if stop := w.accounts[account]; stop != nil {
		stop()
	}
	delete(w.accounts, account)
	line := w.line
	w.mu.Unlock()
	line.State(plugin.AccountState{Account: account, Phase: plugin.AccountOff})
	return nil
}

func (w *worker) accountIDs() []channel.AccountID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.accounts))
}

func (w *worker) tellAll() {
	for _, a := range w.accountIDs() {
		w.tell(a)
	}
}

// tell reports how an account stands.
func (w *worker) tell(a channel.AccountID) {
	now := time.Now().UnixMilli()
	s := plugin.AccountState{Account: a, Phase: plugin.AccountConnected, Receive: plugin.Condition{Code: "ok", LastProofMS: now}, Send: plugin.Condition{Code: "ok", LastProofMS: now}}
	switch w.fault().Phase {
	case "needs_login":
		s.Phase, s.Code, s.Action = plugin.AccountNeedsLogin, "needs_login", "log in"
	case "connecting":
		s.Phase = plugin.AccountConnecting
	case "terminal":
		s.Phase, s.Code, s.Text, s.Action = plugin.AccountTerminal, "bad_token", "the token is refused", "correct the token"
	}
	w.mu.Lock()
	line := w.line
	w.mu.Unlock()
	line.State(s)
}

func (w *worker) poke() {
	select {
	case w.fresh <- struct{}{}:
	default:
	}
}

// deliver reports what the network has for started accounts, in order, and moves the
// network on once it is stored.
func (w *worker) deliver(l *plugin.Line) {
	for {
		select {
		case <-w.fresh:
		case <-l.Down():
			return
		}
		for _, m := range w.network.unacked() {
			if !w.mayTell(m) {
				continue
			}
			p, err := l.Report(context.Background(), plugin.Event{Inbound: inbound(m)})
			if err != nil {
				return
			}
			w.countReport()
			go w.settle(m.Key, p)
		}
	}
}

// mayTell marks a message as in flight, unless its account is not started or it is already.
func (w *worker) mayTell(m Inbound) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.accounts[channel.AccountID(m.Account)] == nil || w.told[m.Key] || w.bad.Phase != "" {
		return false
	}
	w.told[m.Key] = true
	return true
}

func (w *worker) countReport() {
	w.mu.Lock()
	w.reported++
	f, n := w.bad, w.reported
	w.mu.Unlock()
	if f.Crash != "" && f.CrashAfterEvents > 0 && n >= f.CrashAfterEvents {
		w.die(f.Crash)
	}
}

func (w *worker) settle(key string, p *plugin.Pending) {
	ack, err := p.Wait(context.Background())
	if err != nil {
		return // the next life delivers it again
	}
	if err := w.network.ack(key); err != nil {
		slog.Error("network not moved on", "error", errors.Join(err))
	}
	if ack.Code == plugin.RefusedEvent {
		slog.Warn("event refused", "key", key, "reason", ack.Reason)
	}
}

func inbound(m Inbound) *message.Inbound {
	kind := message.ChatDirect
	if m.Group {
		kind = message.ChatGroup
	}
	return &message.Inbound{
		Account: message.AccountID(m.Account), EventKey: m.Key, Conversation: message.ConversationID(m.Conversation), ChatKind: kind,
		Sender: message.Sender{ID: message.PersonID(m.Sender), Name: m.Sender}, Text: m.Text, NetworkTimeMS: time.Now().UnixMilli(),
		ID: message.MessageID(m.Key), Cursor: &message.Cursor{Name: "last", Value: m.Key},
	}
}
