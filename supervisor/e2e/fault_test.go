package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
)

// TestEveryWayToDie lets a plugin die in every way that a process can: each is told with its
// kind and last words, the plugin comes back, and the others are not touched.
func TestEveryWayToDie(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Tolerated = []string{"fault on command", "stack overflow", "goroutine stack exceeds", "fatal error: ", "SIGABRT", "SIGSEGV"}
	fault := e.InstallFault(nil)
	e.Start()
	health := e.probe()
	before := e.Workers()
	for i, way := range []struct{ crash, says, word string }{
		{"exit:0", "", "exiting with code 0"},
		{"exit:7", "7", "exiting with code 7"},
		{"panic", "", "panic: fault on command"},
		{"stack", "", "stack exceeds"},
		{"abort", "", ""},
		{"segv", "", ""},
		{"kill", "SIGKILL", ""},
	} {
		events := e.Hear(protocol.EventWorker)
		pid := e.Worker("fault").PID
		fault.Mode(map[string]any{"crash": way.crash, "lives": i + 1})
		var told protocol.WorkerEvent
		if err := events.Await("of the death by "+way.crash, tellsExit("fault")).Decode(&told); err != nil {
			t.Fatal(err)
		}
		events.Close()
		if text := fmt.Sprintf("%s %d %s", told.Exit.Kind, told.Exit.Code, told.Exit.Signal); !strings.Contains(text, way.says) || told.Exit.Kind == "" {
			t.Errorf("death by %s is told as %q", way.crash, text)
		}
		w := e.AwaitWorker("fault", pid)
		if words := strings.Join(told.LastWords, "\n"); !strings.Contains(words, way.word) {
			t.Errorf("death by %s: the last words are %q", way.crash, words)
		}
		if w.LastExit == nil || w.LastExit.Kind != told.Exit.Kind {
			t.Errorf("death by %s: the list shows %+v, the event %+v", way.crash, w.LastExit, told.Exit)
		}
		text := fmt.Sprintf("alive after %d", i)
		fault.Say("friends", "say: "+text)
		fault.AwaitText("friends", text)
	}
	for _, id := range []string{agentdID, telegramID} {
		if w := e.Worker(id); w.PID != before[id].PID {
			t.Errorf("%s is another process than before", id)
		}
	}
	health.end(e)
	e.Stop()
}

// TestPluginThatNeverComesUp backs off for itself, is shown with its last words, and comes
// up by itself when the fault ends.
func TestPluginThatNeverComesUp(t *testing.T) {
	t.Parallel()
	e := New(t)
	fault := e.InstallFault(map[string]any{"fault": map[string]any{"configure": "crash", "crash": "exit:9", "lives": 8}})
	e.Launch()
	e.Await("the plugin to be shown as backing off", patience, func() error {
		w, ok := e.Workers()["fault"]
		if !ok || w.LastExit == nil || w.Restarts < 5 {
			return fmt.Errorf("the plugin is %+v", w)
		}
		if words := strings.Join(w.LastWords, "\n"); !strings.Contains(words, "exiting with code 9") {
			return fmt.Errorf("the last words are %q", words)
		}
		return nil
	})
	e.Say(901, "say: not my business")
	e.AwaitText(901, "not my business")
	e.AwaitReady()
	fault.Say("late", "say: better late")
	fault.AwaitText("late", "better late")
	e.Stop()
}

// TestPoisonIsParked: a message at which agentd dies each time is given up after three
// charges, said once, and the conversation goes on.
func TestPoisonIsParked(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	poison := e.Model.Inject(&model.Fault{Hold: true, Match: func(r model.Request) bool { return strings.Contains(r.LastUser(), "poison") }})
	e.Say(911, "say: poison")
	deaths := 0
	e.Await("the message to be parked", 2*patience, func() error {
		if poison.Hits() > deaths {
			deaths++
			e.Kill(agentdID, syscall.SIGKILL)
		}
		if n, err := e.inboxCount(911); err != nil || n == 0 {
			return fmt.Errorf("%d messages are stored: %w", n, err)
		}
		return e.unsettled(911)
	})
	// The first death comes after progress: the message was put into the transcript.
	if deaths < 3 || deaths > 4 {
		t.Errorf("agentd died %d times, want three charges", deaths)
	}
	texts := e.Texts(911)
	if len(texts) != 1 || !strings.HasPrefix(texts[0], "⚠️") {
		t.Errorf("sent were %q, want one warning", texts)
	}
	e.AwaitReady()
	e.Say(911, "say: life goes on")
	e.AwaitText(911, "life goes on")
	e.Stop()
}

// TestInnocentIsNotParked: deaths of the supervisor and kills by the operator charge nothing.
func TestInnocentIsNotParked(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	held := e.Model.Inject(&model.Fault{Hold: true, Match: func(r model.Request) bool { return strings.Contains(r.LastUser(), "innocent") }})
	ctx, cancel := e.within()
	defer cancel()
	e.Say(921, "say: innocent")
	for i := range 6 {
		if err := held.Await(ctx, i+1); err != nil {
			t.Fatalf("the model was asked %d times: %v", held.Hits(), err)
		}
		if i%2 == 0 {
			e.KillSupervisor()
			e.Start()
		} else {
			e.MustCLI("workers", "kill", agentdID)
		}
	}
	held.Remove()
	e.AwaitText(921, "innocent")
	e.AwaitSettled(1, 921)
	e.ExpectTexts(921, "innocent")
	e.Stop()
}
