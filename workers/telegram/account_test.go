package telegram_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	fake "github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
	"github.com/openclaw/openclaw-supervisor/workers/telegram"
)

func TestSelfIsKnownOnceConnected(t *testing.T) {
	e := connected(t)
	st := e.AwaitPhase("default", plugin.AccountConnected)
	if st.Self == nil || st.Self.Username != e.bot.Username || st.Send.Code != "ok" {
		t.Errorf("got %+v", st)
	}
}

func TestUnusableTokensAreTerminal(t *testing.T) {
	for _, c := range []struct{ name, config, code, text, action string }{
		{"none", `{}`, "not_configured", "no token", "TELEGRAM_BOT_TOKEN"},
		{"malformed", `{"botToken":"123:abc"}`, "not_configured", "malformed token", "BotFather"},
		{"unknown", "", "unauthorized", "does not know this token", "BotFather"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := unconnected(t, fast())
			cfg := []byte(c.config)
			if c.config == "" {
				e.net.Revoke(fake.Token)
				cfg = settings(e.net, "default")
			}
			e.StartAccount("default", 1, cfg)
			st := e.AwaitPhase("default", plugin.AccountTerminal)
			if st.Code != c.code || !strings.Contains(st.Text, c.text) || !strings.Contains(st.Action, c.action) || st.Receive.Code != c.code {
				t.Errorf("got %+v", st)
			}
			e.StartAccount("second", 1, settings(e.net, "second"))
			e.AwaitPhase("second", plugin.AccountConnected)
			if n := e.net.Count("getMe"); n > 2 {
				t.Errorf("getMe was called %d times: a terminal account tries again", n)
			}
		})
	}
}

func TestTokenRevokedMidRun(t *testing.T) {
	l := captureLogs(t, slog.LevelDebug)
	e := connected(t)
	e.net.Revoke(fake.Token)
	st := e.AwaitPhase("default", plugin.AccountTerminal)
	if st.Code != "unauthorized" || st.Action == "" {
		t.Errorf("got %+v", st)
	}
	withoutToken(t, "the state", st.Text+st.Action)
	withoutToken(t, "the log", l.String())
}

func TestConflictIsWaitedOutQuietly(t *testing.T) {
	l := captureLogs(t, slog.LevelInfo)
	e := connected(t)
	f := e.net.Inject(&fake.Fault{Method: "getUpdates", Status: 409, Description: "Conflict: terminated by other getUpdates request"})
	said := e.bot.Say(42, person, "during the conflict") // ends the open poll
	st := e.AwaitPhase("default", plugin.AccountDegraded)
	if st.Code != "conflict" || st.Receive.Code != "conflict" || st.Action == "" || st.Send.Code != "ok" {
		t.Errorf("got %+v", st)
	}
	if err := f.Await(e.ctx, 10); err != nil {
		t.Fatal(err)
	}
	f.Remove()
	e.AwaitPhase("default", plugin.AccountConnected)
	e.AwaitEvents(1)
	if err := e.bot.AwaitConfirmed(e.ctx, said.UpdateID); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(l.String(), "cannot receive"); n != 1 {
		t.Errorf("%d log lines for one conflict, want 1:\n%s", n, l)
	}
}

func TestNetworkDownAndBack(t *testing.T) {
	l := captureLogs(t, slog.LevelDebug)
	e := connected(t)
	e.net.Stop()
	st := e.AwaitPhase("default", plugin.AccountDegraded)
	if st.Code != "network" || st.Receive.LastProofMS == 0 {
		t.Errorf("got %+v", st)
	}
	withoutToken(t, "the state", st.Text)
	e.bot.Say(42, person, "while it was down")
	if err := e.net.Restart(); err != nil {
		t.Fatal(err)
	}
	e.AwaitPhase("default", plugin.AccountConnected)
	if m := e.next(1).Inbound; m.Text != "while it was down" {
		t.Errorf("got %+v", m)
	}
	withoutToken(t, "the log", l.String())
}

func TestNeverConnectedIsConnecting(t *testing.T) {
	e := unconnected(t, fast())
	e.net.Stop()
	e.StartAccount("default", 1, settings(e.net, "default"))
	e.AwaitState("default", "waits for the network", func(s channel.AccountState) bool {
		return s.Phase == plugin.AccountConnecting && s.Code == "network"
	})
}

func TestHalfOpenPollIsNoticed(t *testing.T) {
	o := fast()
	o.PollTimeout, o.PollMargin = time.Second, 100*time.Millisecond
	e := unconnected(t, o)
	e.StartAccount("default", 1, settings(e.net, "default"))
	e.AwaitPhase("default", plugin.AccountConnected)
	hang := e.net.Inject(&fake.Fault{Method: "getUpdates", Times: 1, Hold: true})
	e.bot.Say(42, person, "wake the open poll")
	st := e.AwaitPhase("default", plugin.AccountDegraded)
	if st.Code != "timeout" {
		t.Errorf("got %+v", st)
	}
	if hang.Hits() != 1 {
		t.Errorf("the poll hung %d times", hang.Hits())
	}
	e.AwaitPhase("default", plugin.AccountConnected)
}

func TestRateLimitOfPollsIsHonoured(t *testing.T) {
	e := unconnected(t, fast())
	f := e.net.Inject(&fake.Fault{Method: "getUpdates", Times: 1, Status: 429, RetryAfter: 1, Description: "Too Many Requests"})
	begin := time.Now()
	e.StartAccount("default", 1, settings(e.net, "default"))
	e.AwaitPhase("default", plugin.AccountConnected)
	if waited := time.Since(begin); f.Hits() != 1 || waited < time.Second {
		t.Errorf("polled again after %v, want at least 1 s", waited)
	}
}

func TestWebhookIsRemoved(t *testing.T) {
	e := unconnected(t, fast())
	e.bot.SetWebhook("https://example.org/hook")
	e.StartAccount("default", 1, settings(e.net, "default"))
	e.AwaitPhase("default", plugin.AccountConnected)
	if n := e.net.Count("deleteWebhook"); n != 1 {
		t.Errorf("deleteWebhook was called %d times", n)
	}
}

func TestSecondAccountIsSeparate(t *testing.T) {
	e := connected(t)
	other := e.net.Bot(fake.TokenOf(2))
	e.StartAccount("second", 1, settings(e.net, "second"))
	e.AwaitPhase("second", plugin.AccountConnected)
	other.Say(42, person, "to the second")
	m := e.next(1).Inbound
	if m.Account != "second" || m.Text != "to the second" {
		t.Fatalf("got %+v", m)
	}
	if r := e.Send("second", "42", "from the second"); r.ID == "" || len(e.bot.Sent()) != 0 || other.Sent()[0].Text != "from the second" {
		t.Errorf("got %+v", r)
	}
	e.net.Revoke(fake.TokenOf(2))
	e.AwaitPhase("second", plugin.AccountTerminal)
	e.bot.Say(42, person, "the first goes on")
	if m := e.next(2).Inbound; m.Account != "default" {
		t.Errorf("got %+v", m)
	}
}

func TestOffsetNeverPassesWhatIsNotStored(t *testing.T) {
	e := unconnected(t, fast())
	e.HoldAcks()
	e.StartAccount("default", 1, settings(e.net, "default"))
	e.AwaitPhase("default", plugin.AccountConnected)
	one := e.bot.Say(42, person, "one")
	e.AwaitEvents(1)
	two := e.bot.Say(42, person, "two")
	if e.bot.Confirmed(one.UpdateID) || e.bot.HandedOut(two.UpdateID) != 0 {
		t.Error("the worker polled on before the first message was stored")
	}
	e.Events()[0].Stored()
	e.AwaitEvents(2)
	if !e.bot.Confirmed(one.UpdateID) || e.bot.Confirmed(two.UpdateID) {
		t.Error("after the first is stored, it and only it is confirmed")
	}
}

func TestMenuOfCustomCommands(t *testing.T) {
	e := unconnected(t, fast())
	cfg := strings.TrimSuffix(string(settings(e.net, "default")), "}") + `,"customCommands":[{"command":"/Backup","description":"save"},{"command":"no good","description":"x"}]}`
	e.StartAccount("default", 1, []byte(cfg))
	e.AwaitPhase("default", plugin.AccountConnected)
	if got := e.bot.Commands(); len(got) != 1 || got[0].(map[string]any)["command"] != "backup" {
		t.Errorf("menu is %v", got)
	}
}

func TestConfigErrorsNameTheKey(t *testing.T) {
	e := unconnected(t, telegram.Options{})
	for block, path := range map[string]string{
		`{"apiRoot":"ftp://x"}`: "apiRoot", `{"proxy":"nonsense"}`: "proxy", `{"timeoutSeconds":"soon"}`: "timeoutSeconds", `{"mediaMaxMb":-1}`: "mediaMaxMb",
		`{"webhookUrl":"https://example.org"}`: "webhookSecret", `{"botToken":5}`: "botToken",
	} {
		err := e.Base.Configure(e.ctx, plugin.Configuration{JSON: []byte(block), StateDir: t.TempDir(), Revision: 2})
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: got %v, want an error at %s", block, err, path)
		}
	}
}
