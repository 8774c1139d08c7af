package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// TestOperator runs the command line against a whole installation.
func TestOperator(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()

	says := func(args []string, parts ...string) {
		t.Helper()
		out := e.MustCLI(args...)
		for _, part := range parts {
			if !strings.Contains(out, part) {
				t.Errorf("openclaw %s does not say %q:\n%s", strings.Join(args, " "), part, out)
			}
		}
		if strings.Contains(out, e.Token) {
			t.Errorf("openclaw %s shows the shared token", strings.Join(args, " "))
		}
	}
	says([]string{"health"}, "Gateway: ok", agentdID, telegramID, "connected")
	says([]string{"status"}, telegramID)
	says([]string{"workers", "list"}, agentdID, telegramID, "running", "default connected")
	says([]string{"channels", "status"}, "elegram")
	says([]string{"models", "list"}, "fake")
	says([]string{"dashboard", "--no-open"}, fmt.Sprintf("http://127.0.0.1:%d/#token=", e.Port))
	says([]string{"logs", "--limit", "50"}, "worker running")
	says([]string{"agent", "--message", "say: from the command line"}, "from the command line")
	says([]string{"sessions"}, "main")

	var health protocol.HealthSnapshot
	if err := json.Unmarshal([]byte(e.MustCLI("health", "--json")), &health); err != nil || !health.OK {
		t.Errorf("openclaw health --json: ok %v, %v", health.OK, err)
	}
	e.workerCommands()
	e.Stop()
	r := e.CLI("health")
	if r.Code == 0 || !strings.Contains(r.Stderr, "not running") {
		t.Errorf("openclaw health without a gateway: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
}

// workerCommands restarts, kills, stops and starts the Telegram worker.
func (e *Env) workerCommands() {
	t := e.t
	t.Helper()
	first := e.Worker(telegramID)
	if out := e.MustCLI("workers", "restart", telegramID); !strings.Contains(out, "running") {
		t.Errorf("openclaw workers restart: %s", out)
	}
	second := e.Worker(telegramID)
	if second.PID == first.PID {
		t.Error("restart did not make a new process")
	}
	e.MustCLI("workers", "kill", telegramID)
	third := e.AwaitWorker(telegramID, second.PID)
	if agent := e.Worker(agentdID); agent.Restarts != 0 {
		t.Errorf("agentd was restarted %d times", agent.Restarts)
	}
	if out := e.MustCLI("workers", "stop", telegramID); !strings.Contains(out, "stopped") {
		t.Errorf("openclaw workers stop: %s", out)
	}
	if w := e.Worker(telegramID); w.State != protocol.WorkerStopped || w.PID != 0 {
		t.Errorf("after stop telegram is %s, pid %d", w.State, w.PID)
	}
	if err := syscall.Kill(third.PID, 0); err == nil {
		t.Errorf("the process %d lives on after stop", third.PID)
	}
	if out := e.MustCLI("workers", "start", telegramID); !strings.Contains(out, "running") {
		t.Errorf("openclaw workers start: %s", out)
	}
	e.MustCLI("workers", "logs", telegramID)
	if r := e.CLI("workers", "restart", "nobody"); r.Code == 0 || !strings.Contains(r.Stderr, telegramID) {
		t.Errorf("openclaw workers restart nobody: exit code %d\n%s", r.Code, r.Stderr)
	}
	e.Say(501, "say: after all that")
	e.AwaitText(501, "after all that")
}

// TestStoppedStaysStopped: what an operator stopped stays so over a restart of the
// supervisor, and is no fault; what was meant for it waits.
func TestStoppedStaysStopped(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	e.MustCLI("workers", "stop", telegramID)
	for _, again := range []func(){e.restart, func() { e.KillSupervisor(); e.Launch() }} {
		again()
		var w protocol.WorkerView
		e.Await("telegram to be shown as stopped by the operator", patience, func() error {
			if w = e.Worker(telegramID); w.State != protocol.WorkerStopped || w.Desired != "off" {
				return fmt.Errorf("telegram is %s, wanted %s", w.State, w.Desired)
			}
			return nil
		})
		if w.Condition != nil && w.Condition.Code == "crashed" {
			t.Errorf("it is shown as a fault: %+v", *w.Condition)
		}
		e.Await("the gateway to be ready", patience, func() error {
			if status, body := e.get("/readyz"); status != 200 {
				return fmt.Errorf("status %d: %s", status, body)
			}
			return nil
		})
		if strings.Contains(e.Output(), "worker=telegram state=starting") {
			t.Error("telegram was started although it was stopped by the operator")
		}
	}
	e.Say(511, "say: at last")
	e.MustCLI("workers", "start", telegramID)
	e.AwaitText(511, "at last")
	e.Stop()
}

func (e *Env) restart() {
	e.t.Helper()
	e.Stop()
	e.Launch()
}

// TestRestartInABurst: a restart in the middle of many answers loses none and doubles none.
func TestRestartInABurst(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	chats := make([]int64, 20)
	for i := range chats {
		chats[i] = int64(600 + i)
		e.Say(chats[i], fmt.Sprintf("say: burst %d", i))
	}
	for range 3 {
		e.MustCLI("workers", "restart", telegramID)
	}
	e.AwaitSettled(1, chats...)
	for i, chat := range chats {
		e.ExpectTexts(chat, fmt.Sprintf("burst %d", i))
	}
	e.Stop()
}

// TestSecondSupervisor: a second one with the same home is refused, and says who is there.
func TestSecondSupervisor(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	first := e.running()
	e.mu.Lock()
	e.supervisor = nil
	e.mu.Unlock()
	e.Launch()
	code, out := e.AwaitExit()
	if code == 0 || !strings.Contains(out, fmt.Sprint(first.cmd.Process.Pid)) {
		t.Errorf("exit code %d, want a refusal that names pid %d:\n%s", code, first.cmd.Process.Pid, out)
	}
	e.mu.Lock()
	e.supervisor = first
	e.mu.Unlock()
	e.Say(521, "say: the first one serves")
	e.AwaitText(521, "the first one serves")
	e.Stop()
}
