package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

// pairingReply is what a stranger is sent; the first group is the code.
func pairingReply(chat int64) *regexp.Regexp {
	return regexp.MustCompile(fmt.Sprintf("^OpenClaw: access not configured\\.\n\nYour Telegram user id: %d\n\nPairing code: ([A-HJ-NP-Z2-9]{8})\n\n"+
		"Ask the bot owner to approve with:\nopenclaw pairing approve telegram <code>$", chat))
}

// AwaitCode waits until a stranger was sent a code, and gives it.
func (e *Env) AwaitCode(chat int64) string {
	e.t.Helper()
	text := e.AwaitReply(chat).Text
	found := pairingReply(chat).FindStringSubmatch(text)
	if found == nil {
		e.t.Fatalf("chat %d was sent %q", chat, text)
	}
	return found[1]
}

// pairingByDefault takes the policy out of the configuration.
func (e *Env) pairingByDefault() {
	e.t.Helper()
	e.Configure(func(c Config) {
		telegram := c["channels"].(map[string]any)["telegram"].(map[string]any)
		delete(telegram, "dmPolicy")
		delete(telegram, "allowFrom")
	})
}

// TestStrangerIsPaired: somebody writes, is sent a code once, is let in by the owner, and is answered.
func TestStrangerIsPaired(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.pairingByDefault()
	e.Start()

	e.Say(31, "say: let me in")
	code := e.AwaitCode(31)
	e.Say(31, "say: hello?")
	e.Say(31, "/help")
	e.AwaitSettled(3, 31)
	if got := e.Texts(31); len(got) != 1 {
		t.Errorf("the stranger was sent %q, want the code once", got)
	}
	if n := len(e.Model.Requests()); n != 0 {
		t.Errorf("the model was asked %d times about a stranger", n)
	}
	var list protocol.PairingListResult
	if err := json.Unmarshal([]byte(e.MustCLI("pairing", "list", "telegram", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Requests) != 1 || list.Requests[0].Code != code || list.Requests[0].ID != "31" || list.Requests[0].Meta["firstName"] != "Person31" {
		t.Errorf("waiting are %+v", list.Requests)
	}
	if r := e.CLI("pairing", "approve", "telegram", "ZZZZZZZZ"); r.Code != 1 || !strings.Contains(r.Stderr, "No pending pairing request found for code: ZZZZZZZZ\n→ openclaw pairing list telegram\n") {
		t.Errorf("a wrong code: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if r := e.CLI("pairing", "list", "telegarm"); r.Code != 1 || !strings.Contains(r.Stderr, `unknown channel "telegarm" (configured are: telegram)`) {
		t.Errorf("an unknown channel: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	if got, want := e.MustCLI("pairing", "approve", "telegram", strings.ToLower(code), "--notify"), "Approved telegram sender 31.\n"; got != want {
		t.Errorf("approve says %q, want %q", got, want)
	}
	e.AwaitText(31, "✅ OpenClaw access approved. Send a message to start chatting.")
	e.Say(31, "say: welcome")
	e.AwaitText(31, "welcome")
	e.AwaitSettled(4, 31)
	if got, want := e.MustCLI("pairing", "list", "telegram"), "No pending telegram pairing requests.\n"; got != want {
		t.Errorf("list says %q, want %q", got, want)
	}
	for _, r := range e.Model.Requests() {
		if strings.Contains(r.LastUser(), "let me in") || strings.Contains(r.LastUser(), "hello?") {
			t.Error("the model was shown what was written before anybody was let in")
		}
	}

	// What was let in once stays so over a restart, and what another program writes holds at once.
	e.Stop()
	e.Start()
	e.Say(31, "say: again")
	e.AwaitText(31, "again")
	file := filepath.Join(e.State, "credentials", "telegram-allowFrom.json")
	if got, want := read(t, file), "{\n  \"version\": 1,\n  \"allowFrom\": [\n    \"31\"\n  ]\n}\n"; got != want {
		t.Errorf("%s holds %q", file, got)
	}
	if err := os.WriteFile(file, []byte(`{"version":1,"allowFrom":["32"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	e.Say(32, "say: by hand")
	e.AwaitText(32, "by hand")
	e.AwaitSettled(1, 31, 32)
	e.Stop()
}

// TestApprovedThoughNobodyCanBeTold: the owner's word holds while the channel is stopped, and
// the command says that the sender was not told.
func TestApprovedThoughNobodyCanBeTold(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.pairingByDefault()
	e.Start()
	e.Say(61, "hi")
	code := e.AwaitCode(61)
	e.AwaitSettled(1, 61)
	e.MustCLI("workers", "stop", telegramID)
	r := e.CLI("pairing", "approve", "--channel", "telegram", code, "--notify")
	if r.Code != 0 || r.Stdout != "Approved telegram sender 61.\n" || !strings.Contains(r.Stderr, "could not be told: channel telegram is stopped by the operator") {
		t.Errorf("approve: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	e.MustCLI("workers", "start", telegramID)
	e.Say(61, "say: in")
	e.AwaitText(61, "in")
	e.AwaitSettled(2, 61)
	if got := e.Texts(61); len(got) != 2 {
		t.Errorf("chat 61 was sent %q, want the code and the answer", got)
	}
	e.Stop()
}

// TestThreeStrangersWait: a fourth gets nothing until one of them is gone.
func TestThreeStrangersWait(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.pairingByDefault()
	e.Start()
	var code string
	for _, chat := range []int64{41, 42, 43} {
		e.Say(chat, "hi")
		code = e.AwaitCode(chat)
	}
	e.Say(44, "hi")
	e.AwaitSettled(1, 41, 42, 43, 44)
	e.ExpectTexts(44)
	e.MustCLI("pairing", "reject", "telegram", code)
	e.Say(44, "and now?")
	e.AwaitCode(44)
	e.Stop()
}

// TestCodeSurvivesTheSupervisor: killed at the moment a stranger writes, it tells the code
// that it keeps, and not twice.
func TestCodeSurvivesTheSupervisor(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.pairingByDefault()
	e.Start()
	requests := filepath.Join(e.State, "credentials", "telegram-pairing.json")
	e.Say(51, "hi")
	e.Await("the request in its file", patience, func() error {
		_, err := os.Stat(requests)
		return err
	})
	e.KillSupervisor()
	e.Start()
	e.AwaitSettled(1, 51)
	rows, err := e.Outbox(51)
	if err != nil || len(rows) != 1 || !strings.HasPrefix(rows[0].Run, "pair:") {
		t.Fatalf("the outbox holds %+v, %v, want the one reply", rows, err)
	}
	// The death may have fallen into the sending: then it is not known whether it arrived, and it is not sent again.
	copies := e.Telegram.Copies(func(s telegram.Sent) bool { return s.Chat == 51 })
	if copies > 1 || copies == 0 && rows[0].State != "unknown" {
		t.Errorf("the code was told %d times, its delivery is %s", copies, rows[0].State)
	}
	if copies == 1 {
		if code := e.AwaitCode(51); !strings.Contains(read(t, requests), code) {
			t.Errorf("the code %s that was told is not the one that is kept: %s", code, read(t, requests))
		}
	}
	e.Stop()
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
