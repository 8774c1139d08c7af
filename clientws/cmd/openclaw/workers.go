package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// workersCmd is `openclaw workers`.
type workersCmd struct {
	List    workersListCmd    `cmd:"" default:"withargs" help:"List the worker processes."`
	Restart workersRestartCmd `cmd:"" help:"Drain a worker and start it anew."`
	Stop    workersStopCmd    `cmd:"" help:"Stop a worker; it stays stopped until it is started."`
	Start   workersStartCmd   `cmd:"" help:"Start a stopped worker."`
	Kill    workersKillCmd    `cmd:"" help:"Kill a worker at once; the supervisor starts it again."`
	Logs    workersLogsCmd    `cmd:"" help:"Print the last lines a worker wrote."`
}

type workersListCmd struct {
	Timeout int `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run lists the workers.
func (c *workersListCmd) Run(t *tool) error {
	var result protocol.WorkersListResult
	if err := t.call(c.rpc, millis(c.Timeout), protocol.MethodWorkersList, nil, &result); err != nil {
		return err
	}
	if c.JSON {
		return t.json(result)
	}
	if len(result.Workers) == 0 {
		t.print("No workers.")
		return nil
	}
	t.workerTable(result.Workers)
	return nil
}

// workerTable prints workers, and below them what is said about each.
func (t *tool) workerTable(workers []protocol.WorkerView) {
	rows := make([][]string, 0, len(workers))
	for _, w := range workers {
		pid, since := "-", "-"
		if w.PID > 0 {
			pid = strconv.Itoa(w.PID)
		}
		if w.Since > 0 {
			since = span(time.Since(time.UnixMilli(w.Since)))
		}
		rows = append(rows, []string{w.ID, w.Kind, t.paintState(w.State), pid, fmt.Sprint(w.Restarts), since, t.accountList(w.Accounts)})
	}
	t.table([]string{"Worker", "Kind", "State", "PID", "Restarts", "Since", "Accounts"}, rows)
	for _, w := range workers {
		t.workerNotes(w)
	}
}

func (t *tool) accountList(accounts []protocol.WorkerAccount) string {
	parts := make([]string, len(accounts))
	for i, a := range accounts {
		parts[i] = a.ID + " " + t.paintState(a.Phase)
	}
	return orDash(strings.Join(parts, ", "))
}

func (t *tool) workerNotes(w protocol.WorkerView) {
	note := func(name, text, action string) {
		if text == "" && action == "" {
			return
		}
		t.print("! %s: %s", name, orDash(text))
		if action != "" {
			t.print("  → %s", action)
		}
	}
	if w.Condition != nil {
		note(w.ID, w.Condition.Text, w.Condition.Action)
	}
	if w.State == protocol.WorkerBackoff && w.LastExit != nil {
		note(w.ID, "last exit: "+exitText(*w.LastExit), "")
	}
	for _, a := range w.Accounts {
		note(w.ID+"/"+a.ID, a.Text, a.Action)
	}
}

func exitText(e protocol.WorkerExit) string {
	switch {
	case e.Signal != "":
		return "signal " + e.Signal
	case e.Kind == "exit" || e.Kind == "":
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Kind
}

// workerVerb is what the commands on one worker share.
type workerVerb struct {
	Worker  string `arg:"" help:"Worker id: agentd or a channel."`
	Timeout int    `help:"How long to wait for the outcome, in milliseconds." default:"30000"`
	rpc
}

// do calls the method and prints the worker as it is then.
func (c *workerVerb) do(t *tool, method string) error {
	timeout := int64(c.Timeout)
	var result protocol.WorkerResult
	// The gateway is given the whole time; the answer needs a little more.
	wait := millis(c.Timeout) + 5*time.Second
	if err := t.call(c.rpc, wait, method, protocol.WorkerParams{Worker: c.Worker, TimeoutMS: &timeout}, &result); err != nil {
		return err
	}
	if c.JSON {
		return t.json(result)
	}
	line := result.Worker.ID + ": " + t.paintState(result.Worker.State)
	if result.Worker.PID > 0 {
		line += fmt.Sprintf(" (pid %d)", result.Worker.PID)
	}
	if len(result.Worker.Accounts) > 0 {
		line += ", " + t.accountList(result.Worker.Accounts)
	}
	t.print("%s", line)
	t.workerNotes(result.Worker)
	return nil
}

type workersRestartCmd struct{ workerVerb }

// Run restarts a worker.
func (c *workersRestartCmd) Run(t *tool) error { return c.do(t, protocol.MethodWorkersRestart) }

type workersStopCmd struct{ workerVerb }

// Run stops a worker.
func (c *workersStopCmd) Run(t *tool) error { return c.do(t, protocol.MethodWorkersStop) }

type workersStartCmd struct{ workerVerb }

// Run starts a worker.
func (c *workersStartCmd) Run(t *tool) error { return c.do(t, protocol.MethodWorkersStart) }

type workersKillCmd struct{ workerVerb }

// Run kills a worker.
func (c *workersKillCmd) Run(t *tool) error { return c.do(t, protocol.MethodWorkersKill) }

type workersLogsCmd struct {
	Worker  string `arg:"" help:"Worker id: agentd or a channel."`
	Limit   int    `help:"How many lines; 0 is all that are kept." default:"0"`
	Timeout int    `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run prints a worker's last lines.
func (c *workersLogsCmd) Run(t *tool) error {
	var result protocol.WorkerLogsResult
	if err := t.call(c.rpc, millis(c.Timeout), protocol.MethodWorkersLogs, protocol.WorkerLogsParams{Worker: c.Worker, Limit: c.Limit}, &result); err != nil {
		return err
	}
	if c.JSON {
		return t.json(result)
	}
	for _, line := range result.Lines {
		t.print("%s", line)
	}
	return nil
}
