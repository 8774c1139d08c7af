package app

import (
	"context"
	"errors"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/health"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/worker"
)

// workers implements gateway.Workers.
type workers struct {
	pool *worker.Pool
	now  func() time.Time
}

// List implements gateway.Workers.
func (w *workers) List() []protocol.WorkerView {
	statuses := w.pool.List()
	out := make([]protocol.WorkerView, 0, len(statuses))
	for _, s := range statuses {
		out = append(out, w.view(s))
	}
	return out
}

func (w *workers) view(s worker.Status) protocol.WorkerView {
	v := protocol.WorkerView{
		ID: s.ID, Kind: kindWord(s.Kind), State: string(s.State), Desired: "on", PID: s.PID, Version: s.Version, Executable: s.Executable,
		Since: s.Since.UnixMilli(), Restarts: s.Restarts, LastExit: exitView(s.LastExit), LastWords: s.LastWords, Condition: conditionView(s.Condition),
	}
	if s.StoppedByOperator {
		v.Desired = "off"
	}
	if s.State == worker.Running {
		v.UptimeMS = max(0, w.now().Sub(s.Since).Milliseconds())
		for _, a := range s.Accounts {
			view := accountView(a.AccountState)
			view.Since = a.Since.UnixMilli()
			v.Accounts = append(v.Accounts, view)
		}
	}
	if s.State == worker.Backoff && !s.NextTry.IsZero() {
		v.NextTryAt = s.NextTry.UnixMilli()
	}
	return v
}

func kindWord(k plugin.Kind) string {
	if k == plugin.KindAgent {
		return health.KindAgent
	}
	return health.KindChannel
}

func exitView(e *worker.Exit) *protocol.WorkerExit {
	if e == nil {
		return nil
	}
	return &protocol.WorkerExit{Kind: string(e.Kind), Code: max(e.Code, 0), Signal: e.Signal, At: e.AtMS}
}

func conditionView(c *worker.Condition) *protocol.WorkerCondition {
	if c == nil {
		return nil
	}
	return &protocol.WorkerCondition{Code: c.Code, Text: c.Text, Action: c.Action}
}

func accountView(a plugin.AccountState) protocol.WorkerAccount {
	return protocol.WorkerAccount{
		ID: string(a.Account), Phase: a.Phase.String(), Code: a.Code, Text: a.Text, Action: a.Action,
		Receive: directionView(a.Receive), Send: directionView(a.Send),
	}
}

func directionView(c plugin.Condition) *protocol.AccountDirection {
	if c == (plugin.Condition{}) {
		return nil
	}
	return &protocol.AccountDirection{Code: c.Code, Since: c.SinceMS, LastProof: c.LastProofMS, Text: c.Text, Action: c.Action}
}

// eventView is one transition as clients are told it.
func eventView(ev worker.Event) protocol.WorkerEvent {
	out := protocol.WorkerEvent{
		Worker: ev.Worker, State: string(ev.State), PID: ev.PID, Restarts: ev.Restarts, Exit: exitView(ev.Exit),
		Condition: conditionView(ev.Condition), LastWords: ev.LastWords, TS: ev.TSMS,
	}
	if ev.Account != nil {
		a := accountView(*ev.Account)
		out.Account = &a
	}
	return out
}

// Control implements gateway.Workers.
func (w *workers) Control(ctx context.Context, action gateway.WorkerAction, id string) (protocol.WorkerView, error) {
	var err error
	switch action {
	case gateway.WorkerRestart:
		err = w.pool.Restart(ctx, id)
	case gateway.WorkerStop:
		err = w.pool.Stop(ctx, id)
	case gateway.WorkerStart:
		err = w.pool.Start(ctx, id)
	case gateway.WorkerKill:
		err = w.pool.Kill(ctx, id)
	default:
		return protocol.WorkerView{}, protocol.Invalid("unknown worker action: %s", action)
	}
	if errors.Is(err, worker.ErrUnknown) {
		return protocol.WorkerView{}, protocol.Invalid("unknown worker: %s", id)
	}
	if err != nil {
		return protocol.WorkerView{}, protocol.Unavailable("%s %s: %v", action, id, err)
	}
	for _, s := range w.pool.List() {
		if s.ID == id {
			return w.view(s), nil
		}
	}
	return protocol.WorkerView{}, protocol.Invalid("unknown worker: %s", id)
}

// Logs implements gateway.Workers.
func (w *workers) Logs(id string, limit int) ([]string, error) {
	lines, err := w.pool.Logs(id, limit)
	if errors.Is(err, worker.ErrUnknown) {
		return nil, protocol.Invalid("unknown worker: %s", id)
	}
	return notNil(lines), err
}
