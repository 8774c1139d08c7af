package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws"
)

// TestBadConfigIsRefused: the supervisor does not start, and says what, where and what was meant.
func TestBadConfigIsRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []struct {
		name, text string
		says       []string
	}{
		{"syntax", "{\n  gateway: { mode: \"local\" },\n  agents: { defaults: ] },\n}\n", []string{"line 3", "column 23"}},
		{"unclosed", "{\n  gateway: { mode: \"local\",\n", []string{"line"}},
		{"unknown key", "{\n  gateway: { mode: \"local\", prot: 1 },\n}\n", []string{"gateway.prot", "port", "line 2"}},
		{"unknown section", "{\n  gateway: { mode: \"local\" },\n  chanels: {},\n}\n", []string{"chanels", "channels", "line 3"}},
		{"wrong type", "{\n  gateway: { mode: \"local\", port: \"high\" },\n}\n", []string{"gateway.port", "line 2"}},
		{"wrong word", "{\n  gateway: { mode: \"local\", bind: \"everywhere\" },\n}\n", []string{"gateway.bind", "loopback"}},
		{"missing variable", "{\n  gateway: { mode: \"local\", auth: { token: \"${NO_SUCH_VARIABLE}\" } },\n}\n", []string{"NO_SUCH_VARIABLE"}},
	} {
		t.Run(bad.name, func(t *testing.T) {
			t.Parallel()
			e := New(t)
			e.WriteConfig(bad.text)
			e.Launch()
			code, out := e.AwaitExit()
			if code == 0 {
				t.Error("the exit code is 0")
			}
			for _, part := range append(bad.says, "openclaw.json") {
				if !strings.Contains(out, part) {
					t.Errorf("%q is not in\n%s", part, out)
				}
			}
			if now := readFile(e.ConfigFile()); now != bad.text {
				t.Errorf("the file was changed:\n%s", now)
			}
			// The command line says the same, and does not crash either.
			r := e.CLI("agent", "--message", "hello")
			if r.Code == 0 || !strings.Contains(r.Stderr+r.Stdout, bad.says[0]) {
				t.Errorf("openclaw agent: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
			}
		})
	}
}

// TestBadConfigWhileRunning: a file that is bad in mid-life changes nothing but what health says.
func TestBadConfigWhileRunning(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	pids := e.Workers()
	good := readFile(e.ConfigFile())
	e.WriteConfig("{ gateway: ")
	e.Await("the bad file to be shown", patience, func() error {
		var shown string
		for _, c := range e.conditions() {
			shown += c.Code + " " + c.Text + "\n"
		}
		if !strings.Contains(shown, "line") {
			return errorText("conditions are " + shown)
		}
		return nil
	})
	e.Say(201, "say: still served")
	e.AwaitText(201, "still served")
	e.WriteConfig(good)
	e.Await("the condition to go away", patience, func() error {
		for _, c := range e.conditions() {
			if strings.Contains(c.Text, "line") {
				return errorText(c.Text)
			}
		}
		return nil
	})
	for id, w := range e.Workers() {
		if w.PID != pids[id].PID {
			t.Errorf("%s was restarted for nothing", id)
		}
	}
	e.Stop()
}

// TestWrongToken: refused with a reason, for the library and for the command line, and nobody else notices.
func TestWrongToken(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	client := e.Client()
	o := e.dialOptions()
	o.Token, o.DeviceFile, o.DeviceTokenFile = "wrong", "", ""
	ctx, cancel := e.within()
	defer cancel()
	_, err := clientws.Dial(ctx, o)
	var refused *clientws.ConnectError
	if !errors.As(err, &refused) || refused.Refused == nil {
		t.Fatalf("dial with a wrong token: %v, want a refusal", err)
	}
	if strings.Contains(err.Error(), e.Token) {
		t.Error("the refusal tells the right token")
	}
	r := e.CLI("health", "--url", e.URL(), "--token", "wrong")
	if r.Code == 0 || !strings.Contains(r.Stderr, "token") {
		t.Errorf("openclaw health with a wrong token: exit code %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	e.Call("health", nil, nil)
	if e.Client() != client {
		t.Error("another connection was lost")
	}
	e.Stop()
}

// TestGarbage: what is no protocol closes that connection, and no other.
func TestGarbage(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Start()
	client := e.Client()
	e.Call("health", nil, nil)
	for _, g := range []struct {
		name   string
		frames []string
		binary bool
	}{
		{"no JSON", []string{"\x00\x01 hello"}, false},
		{"not an object", []string{"[1,2,3]"}, false},
		{"another method first", []string{`{"type":"req","id":"1","method":"health"}`}, false},
		{"connect without sense", []string{`{"type":"req","id":"1","method":"connect","params":{"minProtocol":"x"}}`}, false},
		{"deep", []string{strings.Repeat("[", 100_000)}, false},
		{"binary", []string{"\xff\xfe"}, true},
		{"too big", []string{`{"type":"req","id":"` + strings.Repeat("x", 1<<20) + `"}`}, false},
	} {
		t.Run(g.name, func(t *testing.T) {
			ctx, cancel := e.within()
			defer cancel()
			ws, _, err := websocket.Dial(ctx, e.URL(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ws.CloseNow() }()
			kind := websocket.MessageText
			if g.binary {
				kind = websocket.MessageBinary
			}
			for _, f := range g.frames {
				if err := ws.Write(ctx, kind, []byte(f)); err != nil {
					break // closed while it wrote
				}
			}
			if err := readToEnd(ctx, ws); ctx.Err() != nil {
				t.Errorf("the connection was not closed: %v", err)
			}
		})
	}
	t.Run("no HTTP", func(t *testing.T) {
		ctx, cancel := e.within()
		defer cancel()
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", e.Port))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("\x16\x03\x01\x02\x00\x01\x00garbage\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		for {
			if _, err := c.Read(buf); err != nil {
				var timeout net.Error
				if errors.As(err, &timeout) && timeout.Timeout() {
					t.Error("the connection was not closed")
				}
				return
			}
		}
	})
	e.Call("health", nil, nil)
	if e.Client() != client {
		t.Error("another connection was lost")
	}
	e.Stop()
}

// readToEnd reads until the other side closes, and gives that as an error.
func readToEnd(ctx context.Context, ws *websocket.Conn) error {
	ws.SetReadLimit(8 << 20)
	for {
		if _, _, err := ws.Read(ctx); err != nil {
			return err
		}
	}
}
