package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"openclaw": main})
}

// TestScripts runs the command line as a person does. Each script has its own home.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("STATE", filepath.Join(env.WorkDir, "home", ".openclaw"))
			env.Setenv("NO_COLOR", "1")
			return os.MkdirAll(filepath.Join(env.WorkDir, "home", ".openclaw"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"gateway": startGateway, "freeport": freePort, "unstamp": unstamp},
	})
}

// freePort puts a port that nobody listens on into $PORT.
func freePort(ts *testscript.TestScript, _ bool, _ []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(err)
	ts.Check(listener.Close())
	ts.Setenv("PORT", port)
}

// unstamp is the script command `unstamp FILE`: it takes out the stamp of the last write, which no script can foresee.
func unstamp(ts *testscript.TestScript, _ bool, args []string) {
	doc, err := json5.NewDocument([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	was, err := doc.Unset(json5.Path{"meta"})
	ts.Check(err)
	if !was {
		ts.Fatalf("%s was not stamped", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), doc.Bytes(), 0o600))
}

// answer is what the scripted gateway says to a method: frames under the request's id, then the connection goes on.
type answer struct {
	Result json.RawMessage   `json:"result"`
	Final  json.RawMessage   `json:"final"`
	Error  *protocol.Error   `json:"error"`
	Events []json.RawMessage `json:"events"`
	Close  string            `json:"close"`
}

// scripted is a gateway that answers from a file and writes down what it is asked.
type scripted struct {
	answers map[string]answer
	token   string

	mu       sync.Mutex
	requests *os.File
}

// startGateway is the script command `gateway ANSWERS`: it serves until the script ends, puts its port into
// $OPENCLAW_GATEWAY_PORT, takes the token "secret", and writes every request to requests.jsonl.
func startGateway(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gateway ANSWERS")
	}
	g := &scripted{token: "secret"}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &g.answers))
	var err error
	g.requests, err = os.Create(ts.MkAbs("requests.jsonl"))
	ts.Check(err)
	server := httptest.NewServer(http.HandlerFunc(g.handle))
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
		_ = g.requests.Close()
	})
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	ts.Check(err)
	ts.Setenv("OPENCLAW_GATEWAY_PORT", port)
	ts.Setenv("OPENCLAW_GATEWAY_TOKEN", g.token)
}

func (g *scripted) handle(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	ctx := r.Context()
	send(ctx, ws, protocol.Event{Type: protocol.FrameEvent, Event: protocol.EventChallenge, Payload: json.RawMessage(`{"nonce":"n","ts":1}`)})
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return
		}
		var request protocol.Request
		if json.Unmarshal(data, &request) != nil || !g.serve(ctx, ws, request) {
			return
		}
	}
}

// serve answers one request; false ends the connection.
func (g *scripted) serve(ctx context.Context, ws *websocket.Conn, request protocol.Request) bool {
	if request.Method == protocol.MethodConnect {
		return g.connect(ctx, ws, request)
	}
	g.mu.Lock()
	_, _ = g.requests.WriteString(request.Method + " " + string(request.Params) + "\n")
	g.mu.Unlock()
	a, known := g.answers[request.Method]
	if !known {
		a.Error = protocol.Invalid("unknown method: %s", request.Method)
	}
	if a.Close != "" {
		_ = ws.Close(protocol.CloseServiceRestart, a.Close)
		return false
	}
	if a.Result != nil {
		send(ctx, ws, protocol.Response{Type: protocol.FrameResponse, ID: request.ID, OK: true, Payload: a.Result})
	}
	for _, event := range a.Events {
		send(ctx, ws, protocol.Event{Type: protocol.FrameEvent, Event: protocol.EventAgent, Payload: event})
	}
	switch {
	case a.Error != nil:
		send(ctx, ws, protocol.Response{Type: protocol.FrameResponse, ID: request.ID, Error: a.Error, Payload: a.Final})
	case a.Final != nil:
		send(ctx, ws, protocol.Response{Type: protocol.FrameResponse, ID: request.ID, OK: true, Payload: a.Final})
	}
	return true
}

func (g *scripted) connect(ctx context.Context, ws *websocket.Conn, request protocol.Request) bool {
	var params protocol.ConnectParams
	if json.Unmarshal(request.Params, &params) != nil || params.Auth == nil || params.Auth.Token != g.token {
		refusal := protocol.Invalid("unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)")
		send(ctx, ws, protocol.Response{Type: protocol.FrameResponse, ID: request.ID, Error: refusal})
		_ = ws.Close(protocol.ClosePolicy, refusal.Message)
		return false
	}
	hello := protocol.HelloOK{
		Type: protocol.TypeHelloOK, Protocol: protocol.Version, Policy: protocol.DefaultPolicy(),
		Server:   protocol.ServerInfo{Version: "1.2.3", ConnID: "c1"},
		Snapshot: protocol.Snapshot{Health: g.answers["health"].Result, UptimeMS: 61_000, SessionDefaults: &protocol.SessionDefaults{MainSessionKey: "agent:main:main"}},
	}
	if hello.Snapshot.Health == nil {
		hello.Snapshot.Health = json.RawMessage(`{"ok":true}`)
	}
	payload, err := json.Marshal(hello)
	if err != nil {
		return false
	}
	send(ctx, ws, protocol.Response{Type: protocol.FrameResponse, ID: request.ID, OK: true, Payload: payload})
	return true
}

func send(ctx context.Context, ws *websocket.Conn, frame any) {
	if data, err := json.Marshal(frame); err == nil {
		_ = ws.Write(ctx, websocket.MessageText, data)
	}
}
