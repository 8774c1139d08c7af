package telegram

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// proofEvery is how often an account that just works says so again.
const proofEvery = 20 * time.Second

// reporter keeps one account's state and tells the supervisor of its changes.
type reporter struct {
	account channel.AccountID
	line    *channel.Line
	log     *slog.Logger

	mu       sync.Mutex // guards all below
	state    channel.AccountState
	reported time.Time
	ended    bool
	everOK   bool
	lastCode string
}

func newReporter(account channel.AccountID, line *channel.Line) *reporter {
	return &reporter{account: account, line: line, log: slog.With("account", string(account)), state: channel.AccountState{Account: account}}
}

func (r *reporter) now() int64 { return time.Now().UnixMilli() }

// connecting is said once, at the start.
func (r *reporter) connecting() {
	r.change(func(s *channel.AccountState) {
		s.Phase = plugin.AccountConnecting
		s.Receive = channel.Condition{Code: "starting", SinceMS: r.now()}
		s.Send = s.Receive
	})
}

// self notes who the bot is.
func (r *reporter) self(who channel.Sender) {
	r.change(func(s *channel.AccountState) { s.Self = &who })
}

// received says that a poll came to its end.
func (r *reporter) received() {
	r.worked(func(s *channel.AccountState) *channel.Condition { return &s.Receive })
}

// sent says that Telegram took something.
func (r *reporter) sent() {
	r.worked(func(s *channel.AccountState) *channel.Condition { return &s.Send })
}

func (r *reporter) worked(which func(*channel.AccountState) *channel.Condition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	c := which(&r.state)
	changed := c.Code != codeOK
	if changed {
		*c = channel.Condition{Code: codeOK, SinceMS: r.now()}
	}
	c.LastProofMS = r.now()
	receiving := c == &r.state.Receive
	if receiving && r.state.Phase != plugin.AccountConnected {
		r.state.Phase, r.state.Code, r.state.Text, r.state.Action = plugin.AccountConnected, "", "", ""
		r.everOK, changed = true, true
		if r.lastCode != "" {
			r.log.Info("receiving again")
			r.lastCode = ""
		}
	}
	if changed || time.Since(r.reported) >= proofEvery {
		r.send()
	}
}

// failed says that polling failed. The same failure again is logged at debug only.
func (r *reporter) failed(f failure, token string) {
	text := redact(token, f.text)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	level := slog.LevelWarn
	if f.code == r.lastCode {
		level = slog.LevelDebug
	}
	r.lastCode = f.code
	r.log.Log(context.Background(), level, "cannot receive", "code", f.code, "error", text)
	phase := plugin.AccountConnecting
	switch {
	case f.terminal:
		phase = plugin.AccountTerminal
	case r.everOK || f.code == codeConflict:
		phase = plugin.AccountDegraded
	}
	if phase == r.state.Phase && r.state.Code == f.code && r.state.Text == text {
		return
	}
	since := r.state.Receive.SinceMS
	if r.state.Receive.Code != f.code {
		since = r.now()
	}
	r.state.Phase, r.state.Code, r.state.Text, r.state.Action = phase, f.code, text, f.action
	r.state.Receive = channel.Condition{Code: f.code, SinceMS: since, LastProofMS: r.state.Receive.LastProofMS, Action: f.action, Text: text}
	if f.terminal {
		r.state.Send = channel.Condition{Code: f.code, SinceMS: since, LastProofMS: r.state.Send.LastProofMS, Action: f.action, Text: text}
	}
	r.send()
}

// sendFailed says that sending does not work; a refusal of one message is no such thing.
func (r *reporter) sendFailed(f failure, token string) {
	if f.refused || f.code == codeRateLimited {
		return
	}
	r.change(func(s *channel.AccountState) {
		if s.Send.Code != f.code {
			s.Send = channel.Condition{Code: f.code, SinceMS: r.now(), LastProofMS: s.Send.LastProofMS}
		}
		s.Send.Text, s.Send.Action = redact(token, f.text), f.action
	})
}

// off is the last word of an account.
func (r *reporter) off() {
	r.change(func(s *channel.AccountState) {
		*s = channel.AccountState{Account: r.account, Phase: plugin.AccountOff, Self: s.Self}
	})
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
}

func (r *reporter) change(f func(*channel.AccountState)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	f(&r.state)
	r.send()
}

// send is called with mu held.
func (r *reporter) send() {
	r.reported = time.Now()
	r.line.State(r.state)
}
