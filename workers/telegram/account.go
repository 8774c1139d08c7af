package telegram

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/mymmrac/telego"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// cursorName names the stored position in the bot's updates: the offset of the next poll.
const cursorName = "update_offset"

// commandForm is what Telegram takes for the name of a command.
var commandForm = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// account is one bot at work. It is made stopped; run is its one goroutine, and stop waits for it.
type account struct {
	id       channel.AccountID
	revision uint64
	cfg      config
	opts     Options
	line     *channel.Line
	report   *reporter
	client   *client // nil where the token is malformed
	cursor   int

	cancel context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex // guards self
	self telego.User
}

func newAccount(a channel.AccountStart, cfg config, opts Options, line *channel.Line) (*account, error) {
	acc := &account{id: a.Account, revision: a.Revision, cfg: cfg, opts: opts, line: line, report: newReporter(a.Account, line), cursor: cursorOf(a.Cursors), done: make(chan struct{})}
	if text, _ := cfg.tokenProblem(a.Account); text != "" {
		return acc, nil
	}
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	acc.client = c
	return acc, nil
}

// start begins to connect and returns at once.
func (a *account) start() {
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	go func() {
		defer close(a.done)
		a.run(ctx)
	}()
}

// stop ends the account's goroutines; afterwards nothing is reported for it.
func (a *account) stop() {
	a.cancel()
	<-a.done
	a.report.off()
	if a.client != nil {
		a.client.close()
	}
}

func (a *account) me() telego.User {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.self
}

// run connects and polls until ctx ends or the account is terminal.
func (a *account) run(ctx context.Context) {
	a.report.connecting()
	if text, action := a.cfg.tokenProblem(a.id); text != "" {
		a.report.failed(failure{code: codeNotConfigured, text: text, action: action, terminal: true}, a.cfg.BotToken)
		return
	}
	if a.cfg.WebhookURL != "" {
		a.report.log.Warn("webhooks are not served yet: polling instead")
	}
	p := &poller{account: a, start: a.cursor}
	failures := 0
	for ready := false; ctx.Err() == nil; {
		var err error
		if !ready {
			err = a.hello(ctx)
			ready = err == nil
		}
		if err == nil {
			err = p.poll(ctx)
		}
		if err == nil {
			failures = 0
			a.report.received()
			continue
		}
		if ctx.Err() != nil || errors.Is(err, plugin.ErrLineDown) {
			return
		}
		f := classify(err)
		a.report.failed(f, a.cfg.BotToken)
		if f.terminal {
			return
		}
		// What failed may have died unseen: the next attempt gets a connection of its own.
		a.client.close()
		failures++
		// Somebody may have set a webhook meanwhile, which looks the same.
		ready = ready && f.code != codeConflict
		if !sleep(ctx, max(backoff(a.opts, failures), f.wait)) {
			return
		}
	}
}

// hello finds out who the bot is, and makes polling possible.
func (a *account) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.opts.PollTimeout+a.opts.PollMargin)
	defer cancel()
	me, err := a.client.bot.GetMe(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.self = *me
	a.mu.Unlock()
	a.report.self(sender(me))
	a.report.sent()
	hook, err := a.client.bot.GetWebhookInfo(ctx)
	if err != nil {
		return err
	}
	if hook.URL != "" {
		// Telegram refuses polls while a webhook is set.
		a.report.log.Info("removing the bot's webhook: it is polled from now on")
		if err := a.client.bot.DeleteWebhook(ctx, &telego.DeleteWebhookParams{}); err != nil {
			return err
		}
	}
	if !me.CanReadAllGroupMessages {
		a.report.log.Info("the bot's privacy mode is on: in groups it sees only commands, mentions and replies")
	}
	a.setCommands(ctx)
	return nil
}

// setCommands puts the configured entries into the bot's menu. Best effort.
func (a *account) setCommands(ctx context.Context) {
	var list []telego.BotCommand
	for _, c := range a.cfg.CustomCommands {
		name := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(c.Command), "/"))
		if !commandForm.MatchString(name) || c.Description == "" {
			a.report.log.Warn("a custom command cannot be used", "command", name)
			continue
		}
		list = append(list, telego.BotCommand{Command: name, Description: c.Description})
	}
	if len(list) == 0 {
		return
	}
	if err := a.client.bot.SetMyCommands(ctx, &telego.SetMyCommandsParams{Commands: list}); err != nil {
		a.report.log.Warn("the command menu was not set", "error", redact(a.cfg.BotToken, err.Error()))
	}
}

// sleep waits; false = ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
