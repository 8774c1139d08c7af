package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

// victims are the processes that a message crosses, each with the way to take it away and have it back.
var victims = []struct {
	name string
	kill func(*Env)
}{
	{telegramID, func(e *Env) { e.AwaitWorker(telegramID, e.Kill(telegramID, syscall.SIGKILL)) }},
	{agentdID, func(e *Env) { e.AwaitWorker(agentdID, e.Kill(agentdID, syscall.SIGKILL)) }},
	{"supervisor", func(e *Env) {
		killed := e.KillSupervisor()
		e.ExpectGoneBy(killed)
		e.Start()
	}},
}

// seed is E2E_SEED, or a new one; it is printed, so that a failure can be repeated.
func seed(t *testing.T) *rand.Rand {
	t.Helper()
	n := rand.Uint64()
	if text := os.Getenv("E2E_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("E2E_SEED: %v", err)
		}
	}
	t.Logf("seed: E2E_SEED=%d", n)
	return rand.New(rand.NewPCG(n, 0))
}

// kills is how often each process is killed: E2E_KILLS, or 30.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("E2E_KILLS")
	if text == "" {
		return 30
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("E2E_KILLS=%s is no number of kills", text)
	}
	return n
}

// verdict says what became of the answer to one message, once all is settled.
func (e *Env) verdict(chat int64, answer string) (unknown bool) {
	e.t.Helper()
	copies := e.Telegram.Copies(telegram.Saying(chat, answer))
	rows, err := e.Outbox(chat)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, r := range rows {
		unknown = unknown || r.State == "unknown"
	}
	switch {
	case copies > 1:
		e.t.Errorf("chat %d was answered %d times", chat, copies)
	case copies == 0 && !unknown:
		e.t.Errorf("chat %d was not answered, and no row says so: %+v", chat, rows)
	case len(rows) != 1:
		e.t.Errorf("chat %d has %d rows in the outbox, want 1: %+v", chat, len(rows), rows)
	}
	if others := len(e.Texts(chat)) - copies; others > 0 {
		e.t.Errorf("chat %d was sent something else than the answer: %q", chat, e.Texts(chat))
	}
	return unknown
}

// TestKilledAtRandomMoments takes each process away at random moments before, during and
// after a run: exactly one answer arrives, or at most one where the send itself was
// interrupted, and then a row says unknown. The transcript holds each message once.
func TestKilledAtRandomMoments(t *testing.T) {
	for _, victim := range victims {
		t.Run(victim.name, func(t *testing.T) {
			t.Parallel()
			random, n := seed(t), kills(t)
			e := New(t)
			// A run of about 150 ms, so that a random moment meets each of its steps.
			e.Model.Answer = func(r model.Request) (model.Answer, bool) {
				a := model.Script(r)
				a.Gap = 15 * time.Millisecond
				return a, true
			}
			e.Telegram.Inject(&telegram.Fault{Method: "sendMessage", Delay: 20 * time.Millisecond})
			e.Start()
			var unknown int
			for i := range n {
				chat := int64(1000 + i)
				answer := fmt.Sprintf("the answer to question %d is here and it has ten words", i)
				moment := time.NewTimer(time.Duration(random.Int64N(int64(250 * time.Millisecond))))
				e.Say(chat, "say: "+answer)
				<-moment.C
				victim.kill(e)
				e.AwaitSettled(1, chat)
				if e.verdict(chat, answer) {
					unknown++
				}
				if n := e.Heard(answer); n != 1 {
					t.Errorf("the transcripts hold the message of chat %d %d times, want once", chat, n)
				}
				if t.Failed() {
					t.Fatalf("kill %d of %d", i+1, n)
				}
			}
			t.Logf("%d kills, %d sends of unknown outcome", n, unknown)
			if victim.name == agentdID && unknown > 0 {
				t.Errorf("%d sends of unknown outcome, though nobody died who sends", unknown)
			}
			e.Stop()
		})
	}
}

// step is a moment of a message's way at which everything stands still until the victim is dead.
type step struct {
	name string
	// hold makes the moment come, await waits for it, release ends it.
	hold func(e *Env) (await func(), release func())
	// copies are how many answers there must be in the end; unknown that a row says so.
	copies  int
	unknown bool
}

func holdModel(f *model.Fault) func(e *Env) (func(), func()) {
	return func(e *Env) (func(), func()) {
		e.Model.Inject(f)
		return func() {
			ctx, cancel := e.within()
			defer cancel()
			if err := f.Await(ctx, 1); err != nil {
				e.t.Fatal(err)
			}
		}, f.Remove
	}
}

func holdNetwork(f *telegram.Fault) func(e *Env) (func(), func()) {
	return func(e *Env) (func(), func()) {
		e.Telegram.Inject(f)
		return func() {
			ctx, cancel := e.within()
			defer cancel()
			if err := f.Await(ctx, 1); err != nil {
				e.t.Fatal(err)
			}
		}, f.Remove
	}
}

// TestKilledAtEachStep holds a message at one step and takes each process away there.
func TestKilledAtEachStep(t *testing.T) {
	for _, victim := range victims {
		t.Run(victim.name, func(t *testing.T) {
			t.Parallel()
			e := New(t)
			e.Start()
			// Steps have their own faults: a fault belongs to one server.
			steps := []step{
				{"before the model answers", holdModel(&model.Fault{Hold: true}), 1, false},
				{"in the middle of the model's answer", holdModel(&model.Fault{StallAfter: 300}), 1, false},
				{"before the network takes the answer", holdNetwork(&telegram.Fault{Method: "sendMessage", Hold: true}), 0, true},
				{"after the network has taken the answer", holdNetwork(&telegram.Fault{Method: "sendMessage", HoldAnswer: true}), 1, true},
			}
			for i, s := range steps {
				t.Run(s.name, func(t *testing.T) {
					chat := int64(2000 + i)
					answer := fmt.Sprintf("this is the one answer to step %d", i)
					await, release := s.hold(e)
					e.Say(chat, "say: "+answer)
					await()
					if victim.name == agentdID && s.unknown {
						// The answer has left agentd: its death is no business of the send.
						s.copies, s.unknown = 1, false
					}
					victim.kill(e)
					release()
					e.AwaitSettled(1, chat)
					if got := e.verdict(chat, answer); got != s.unknown {
						t.Errorf("a row says unknown: %v, want %v", got, s.unknown)
					}
					if got := e.Telegram.Copies(telegram.Saying(chat, answer)); got != s.copies {
						t.Errorf("%d answers, want %d", got, s.copies)
					}
					if s.unknown {
						e.expectInDoubt(chat)
					}
					if n := e.Heard(answer); n != 1 {
						t.Errorf("the transcripts hold the message %d times, want once", n)
					}
					// The conversation goes on.
					e.Say(chat, "say: and on we go")
					e.AwaitText(chat, "and on we go")
				})
			}
			e.Stop()
		})
	}
}

// expectInDoubt fails unless the operator is shown that an answer may not have arrived.
func (e *Env) expectInDoubt(chat int64) {
	e.t.Helper()
	var list protocol.OutboxListResult
	e.Call(protocol.MethodOutboxList, protocol.OutboxListParams{States: []string{"unknown"}}, &list)
	if !slices.ContainsFunc(list.Deliveries, func(d protocol.Delivery) bool { return d.Conversation == fmt.Sprint(chat) }) {
		e.t.Errorf("outbox.list does not show the delivery to chat %d as unknown: %+v", chat, list.Deliveries)
	}
	if out := e.MustCLI("outbox", "list", "--state", "unknown"); !strings.Contains(out, fmt.Sprint(chat)) {
		e.t.Errorf("openclaw outbox does not show chat %d:\n%s", chat, out)
	}
}

// TestAnswerIsNotPaidTwice: what the model has answered is not asked for again, whoever dies
// between the end of the run and the send.
func TestAnswerIsNotPaidTwice(t *testing.T) {
	for _, victim := range victims {
		t.Run(victim.name, func(t *testing.T) {
			t.Parallel()
			e := New(t)
			e.Start()
			// The network refuses for a moment: the answer is stored and waits.
			down := e.Telegram.Inject(&telegram.Fault{Method: "sendMessage", Status: 429, Description: "Too Many Requests: retry after 1", RetryAfter: 1})
			e.Say(41, "say: once is enough")
			ctx, cancel := e.within()
			defer cancel()
			if err := down.Await(ctx, 1); err != nil {
				t.Fatal(err)
			}
			// Before the refusal is stored the send is in doubt: then silence is the promise, not a second try.
			e.Await("the refused delivery to be back in line", patience, func() error {
				rows, err := e.Outbox(41)
				if err == nil && (len(rows) != 1 || rows[0].State != "queued") {
					err = fmt.Errorf("deliveries are %+v", rows)
				}
				return err
			})
			victim.kill(e)
			down.Remove()
			e.AwaitText(41, "once is enough")
			e.AwaitSettled(1, 41)
			e.ExpectTexts(41, "once is enough")
			if n := e.Model.Calls(func(r model.Request) bool { return strings.Contains(r.LastUser(), "once is enough") }); n != 1 {
				t.Errorf("the model was asked %d times, want once", n)
			}
			e.Stop()
		})
	}
}

// TestKilledWhileToolRuns: a tool is not run twice without the model being told.
func TestKilledWhileToolRuns(t *testing.T) {
	t.Parallel()
	for _, victim := range victims[1:] {
		t.Run(victim.name, func(t *testing.T) {
			t.Parallel()
			e := New(t)
			e.Start()
			e.Say(42, "tool: exec echo ran >> ran.txt; sleep 300")
			e.Await("the command to run", patience, func() error {
				if readFile(e.Workspace()+"/ran.txt") != "ran\n" {
					return fmt.Errorf("ran.txt is not there")
				}
				return nil
			})
			victim.kill(e)
			got := e.AwaitReply(42).Text
			if !strings.Contains(got, "interrupted") {
				t.Errorf("the model was told %q, want that the call was interrupted", got)
			}
			e.AwaitSettled(1, 42)
			if text := readFile(e.Workspace() + "/ran.txt"); text != "ran\n" {
				t.Errorf("the command ran again: %q", text)
			}
			e.Await("the command to be gone", orphanLimit, func() error {
				for _, l := range e.Living() {
					if strings.Contains(l.Command, "sleep 300") {
						return fmt.Errorf("pid %d: %s", l.PID, l.Command)
					}
				}
				return nil
			})
			e.Stop()
		})
	}
}

// TestSupervisorKilledLeavesNothing: after SIGKILL of the supervisor nothing of ours lives
// after two seconds: workers, commands of the exec tool, and what these put into the background.
func TestSupervisorKilledLeavesNothing(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	commands := []string{
		"sleep 301",
		"sleep 302 & sleep 303",
		"setsid sleep 304 & setsid -f sleep 305; sleep 306",
		"(setsid sh -c 'sleep 307 & sleep 308' &) ; nohup sleep 309 >/dev/null 2>&1 & sleep 310",
	}
	for i, command := range commands {
		e.Say(int64(50+i), "tool: exec "+command)
	}
	e.Await("the commands to run", patience, func() error {
		var all []string
		for _, l := range e.Living() {
			all = append(all, l.Command)
		}
		text := strings.Join(all, "\n")
		for n := 301; n <= 310; n++ {
			if !strings.Contains("\n"+text+"\n", fmt.Sprintf("\nsleep %d\n", n)) {
				return fmt.Errorf("sleep %d does not run", n)
			}
		}
		return nil
	})
	e.ExpectGoneBy(e.KillSupervisor())
	// The next start finds the port free and needs no help.
	e.Start()
	e.Say(60, "say: here again")
	e.AwaitText(60, "here again")
	e.Stop()
}

// TestManyChatsThroughManyDeaths: conversations go on side by side while one process after
// the other dies; each message is answered in its own chat, at most once, and where it is
// not, a row says unknown.
func TestManyChatsThroughManyDeaths(t *testing.T) {
	t.Parallel()
	random := seed(t)
	e := New(t)
	e.Model.Answer = func(r model.Request) (model.Answer, bool) {
		a := model.Script(r)
		a.Gap = 10 * time.Millisecond
		return a, true
	}
	e.Telegram.Inject(&telegram.Fault{Method: "sendMessage", Delay: 15 * time.Millisecond})
	e.Start()
	answer := func(i int) string { return fmt.Sprintf("what was asked here is number %d and nothing else", i) }
	var chats []int64
	// agentd dies three times at most: a run that was handed over to three of them without
	// an entry may rightly be given up, which chance all but excludes.
	order := []int{0, 1, 2, 0, 1, 2, 0, 1}
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for _, next := range order {
		for range 5 {
			i := len(chats)
			chats = append(chats, int64(3000+i))
			e.Say(chats[i], "say: "+answer(i))
		}
		moment := time.NewTimer(time.Duration(random.Int64N(int64(200 * time.Millisecond))))
		<-moment.C
		victims[next].kill(e)
	}
	e.AwaitSettled(1, chats...)
	unknown := 0
	for i, chat := range chats {
		if e.verdict(chat, answer(i)) {
			unknown++
		}
		if n := e.Heard(answer(i)); n != 1 {
			t.Errorf("the transcripts hold the message of chat %d %d times, want once", chat, n)
		}
	}
	t.Logf("%d chats, %d sends of unknown outcome", len(chats), unknown)
	e.Stop()
}

// TestStoppedInMidStart: SIGTERM at any moment of a start ends everything, cleanly.
func TestStoppedInMidStart(t *testing.T) {
	t.Parallel()
	random := seed(t)
	e := New(t)
	for range 10 {
		e.Launch()
		// Before its handler is there the signal ends the process in the system's way: wait for its first word.
		e.Await("the first word of a start", patience, func() error {
			if e.Output() == "" {
				return errorText("nothing yet")
			}
			return nil
		})
		moment := time.NewTimer(time.Duration(random.Int64N(int64(120 * time.Millisecond))))
		<-moment.C
		e.Stop()
		e.checkNothingLives()
	}
	e.Start()
	e.Say(951, "say: all is well")
	e.AwaitText(951, "all is well")
	e.Stop()
}
