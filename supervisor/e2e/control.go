package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// agentd and telegramID are the ids of the two workers that every story has.
const (
	agentdID   = "agentd"
	telegramID = "telegram"
)

// Start launches the supervisor and waits until every worker runs and every account is connected.
func (e *Env) Start() {
	e.t.Helper()
	e.Launch()
	e.AwaitReady()
}

// URL is the control plane's address for clients.
func (e *Env) URL() string { return fmt.Sprintf("ws://127.0.0.1:%d", e.Port) }

// dialOptions are those of an operator with all rights.
func (e *Env) dialOptions() clientws.Options {
	return clientws.Options{
		URL: e.URL(), Token: e.Token, Scopes: []protocol.Scope{"operator.admin"},
		DeviceFile: filepath.Join(e.dir("client"), "device.json"), DeviceTokenFile: filepath.Join(e.dir("client"), "tokens.json"),
	}
}

// Client is the test's own connection, made on first use and again after it was lost.
func (e *Env) Client() *clientws.Client {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		select {
		case <-e.client.Done():
			_ = e.client.Close()
		default:
			return e.client
		}
	}
	ctx, cancel := e.within()
	defer cancel()
	p := e.supervisor
	err := await(ctx, func() (err error) {
		select {
		case <-p.exited:
			cancel()
			return &ExitError{Err: p.err, Output: readFile(p.out)}
		default:
		}
		e.client, err = clientws.Dial(ctx, e.dialOptions())
		var refused *clientws.ConnectError
		if errors.As(err, &refused) && refused.Refused != nil {
			cancel()
		}
		return err
	})
	if err != nil {
		e.client = nil
		e.t.Fatalf("connect to the supervisor: %v", err)
	}
	return e.client
}

// CloseClient ends the test's own connection.
func (e *Env) CloseClient() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		_ = e.client.Close()
		e.client = nil
	}
}

// Call calls a method that must succeed.
func (e *Env) Call(method string, params, result any, options ...clientws.CallOption) {
	e.t.Helper()
	ctx, cancel := e.within()
	defer cancel()
	if err := e.Client().Call(ctx, method, params, result, options...); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

// Workers lists the workers by id.
func (e *Env) Workers() map[string]protocol.WorkerView {
	e.t.Helper()
	var list protocol.WorkersListResult
	e.Call(protocol.MethodWorkersList, nil, &list)
	workers := map[string]protocol.WorkerView{}
	for _, w := range list.Workers {
		workers[w.ID] = w
	}
	return workers
}

// Worker is one worker as it is now.
func (e *Env) Worker(id string) protocol.WorkerView {
	e.t.Helper()
	w, ok := e.Workers()[id]
	if !ok {
		e.t.Fatalf("there is no worker %s", id)
	}
	return w
}

// ready complains about a worker that does not run, or an account that is not connected.
func ready(w protocol.WorkerView) error {
	if w.State != protocol.WorkerRunning {
		return fmt.Errorf("%s is %s %v", w.ID, w.State, conditionText(w.Condition))
	}
	if w.ID != agentdID && len(w.Accounts) == 0 {
		return fmt.Errorf("%s has no account yet", w.ID)
	}
	for _, a := range w.Accounts {
		if a.Phase != "connected" {
			return fmt.Errorf("%s/%s is %s %s", w.ID, a.ID, a.Phase, a.Text)
		}
	}
	return nil
}

func conditionText(c *protocol.WorkerCondition) string {
	if c == nil {
		return ""
	}
	return c.Code + ": " + c.Text
}

// AwaitReady waits until agentd and every worker that is meant to run does, and all are connected.
func (e *Env) AwaitReady() {
	e.t.Helper()
	e.Await("everything to run", patience, func() error {
		workers := e.Workers()
		if _, ok := workers[agentdID]; !ok {
			return errors.New("agentd is not listed")
		}
		if block, ok := e.cfg["channels"].(map[string]any); ok {
			for id := range block {
				if _, listed := workers[id]; !listed {
					return fmt.Errorf("%s is not listed", id)
				}
			}
		}
		for _, w := range workers {
			if w.Desired == "off" {
				continue
			}
			if err := ready(w); err != nil {
				return err
			}
		}
		return nil
	})
}

// AwaitWorker waits until one worker runs as another process than the one with pid not.
func (e *Env) AwaitWorker(id string, not int) protocol.WorkerView {
	e.t.Helper()
	var w protocol.WorkerView
	e.Await(id+" to run again", patience, func() error {
		w = e.Worker(id)
		if w.PID == not {
			return fmt.Errorf("%s is still pid %d", id, not)
		}
		return ready(w)
	})
	return w
}

// Kill sends a signal to a worker's process and gives its pid.
func (e *Env) Kill(id string, sig syscall.Signal) int {
	e.t.Helper()
	w := e.Worker(id)
	if w.PID == 0 {
		e.t.Fatalf("%s has no process: %s", id, w.State)
	}
	if err := syscall.Kill(w.PID, sig); err != nil {
		e.t.Fatalf("kill %s (pid %d): %v", id, w.PID, err)
	}
	return w.PID
}

// Events collects events until it is closed.
type Events struct {
	e    *Env
	sub  *clientws.Subscription
	seen []clientws.Event
}

// Hear subscribes to events on the test's own connection.
func (e *Env) Hear(names ...string) *Events {
	e.t.Helper()
	return &Events{e: e, sub: e.Client().Subscribe(names...)}
}

// Await waits for the first event that fits, later ones stay. A gap is a failure.
func (v *Events) Await(what string, fits func(clientws.Event) bool) clientws.Event {
	v.e.t.Helper()
	if i := slices.IndexFunc(v.seen, fits); i >= 0 {
		event := v.seen[i]
		v.seen = slices.Delete(v.seen, i, i+1)
		return event
	}
	ctx, cancel := v.e.within()
	defer cancel()
	for {
		event, err := v.sub.Next(ctx)
		switch {
		case err != nil:
			v.e.t.Fatalf("await the event %s: %v; heard were %s", what, err, v.heard())
		case event.Gap != "":
			v.e.t.Fatalf("await the event %s: events were missed: %s", what, event.Gap)
		case fits(event):
			return event
		}
		v.seen = append(v.seen, event)
	}
}

// Count counts, of the events that were heard while others were waited for, those that fit.
func (v *Events) Count(fits func(clientws.Event) bool) int {
	n := 0
	for _, event := range v.seen {
		if fits(event) {
			n++
		}
	}
	return n
}

// Close ends the subscription.
func (v *Events) Close() { v.sub.Close() }

func (v *Events) heard() string {
	var b strings.Builder
	for _, event := range v.seen {
		fmt.Fprintf(&b, "\n%s %s", event.Name, event.Payload)
	}
	return b.String()
}

// IsWorker fits the event of a worker's transition to a state.
func IsWorker(id, state string) func(clientws.Event) bool {
	return func(event clientws.Event) bool {
		var w protocol.WorkerEvent
		return event.Name == protocol.EventWorker && json.Unmarshal(event.Payload, &w) == nil && w.Worker == id && w.State == state && w.Account == nil
	}
}

// dialFresh makes another connection, which the caller closes.
func (e *Env) dialFresh(ctx context.Context) (*clientws.Client, error) {
	o := e.dialOptions()
	o.DeviceFile = filepath.Join(e.dir("client"), fmt.Sprintf("device-%d.json", time.Now().UnixNano()))
	return clientws.Dial(ctx, o)
}
