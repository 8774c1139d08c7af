package clientws

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// step is a line of a transcript.
type step struct {
	line int
	kind string
	text string
}

func readTranscript(t *testing.T, file string) []step {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	for i, line := range strings.Split(string(data), "\n") {
		kind, text, _ := strings.Cut(line, " ")
		if kind == "" || kind == "#" {
			continue
		}
		steps = append(steps, step{i + 1, kind, text})
	}
	return steps
}

// TestTranscripts replays transcripts/*.txt: the gateway's lines by a fake, the owner's lines by the test.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("transcripts/*.txt")
	if err != nil || len(files) < 6 {
		t.Fatalf("transcripts: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			steps := readTranscript(t, file)
			wire := make(chan error, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				wire <- replayGateway(w, r, steps)
			}))
			defer server.Close()
			dir := t.TempDir()
			var events *Subscription
			client, err := Dial(within(t), Options{
				URL: "ws" + strings.TrimPrefix(server.URL, "http"), Token: "secret", Scopes: []protocol.Scope{protocol.ScopeAdmin},
				DeviceFile: filepath.Join(dir, "device.json"), OnOpen: func(c *Client) { events = c.Subscribe() },
			})
			replayOwner(t, client, events, err, steps)
			if client != nil {
				_ = client.Close()
			}
			if err := <-wire; err != nil {
				t.Errorf("%s: %v", file, err)
			}
		})
	}
}

// replayGateway sends and expects the frames of a transcript.
func replayGateway(w http.ResponseWriter, r *http.Request, steps []step) error {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return err
	}
	defer func() { _ = ws.CloseNow() }()
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	id := ""
	for _, s := range steps {
		switch s.kind {
		case "<":
			if err := ws.Write(ctx, websocket.MessageText, []byte(strings.ReplaceAll(s.text, "{{id}}", id))); err != nil {
				return fmt.Errorf("line %d: %w", s.line, err)
			}
		case ">":
			_, data, err := ws.Read(ctx)
			if err != nil {
				return fmt.Errorf("line %d: %w", s.line, err)
			}
			var got map[string]any
			var want any
			if err := json.Unmarshal(data, &got); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(s.text), &want); err != nil {
				return fmt.Errorf("line %d: %w", s.line, err)
			}
			if !covers(got, want) {
				return fmt.Errorf("line %d: the client sent %s", s.line, data)
			}
			id, _ = got["id"].(string)
		case "x":
			code, reason, _ := strings.Cut(s.text, " ")
			n, err := strconv.Atoi(code)
			if err != nil {
				return fmt.Errorf("line %d: %w", s.line, err)
			}
			_ = ws.Close(websocket.StatusCode(n), reason)
			return nil
		}
	}
	// The owner may still read; the connection ends when it closes.
	_, _, _ = ws.Read(ctx)
	return nil
}

// covers tells whether a value holds everything that is wanted of it.
func covers(got, want any) bool {
	if want == "*" {
		return got != nil
	}
	object, ok := want.(map[string]any)
	if !ok {
		return reflect.DeepEqual(got, want)
	}
	have, ok := got.(map[string]any)
	if !ok {
		return false
	}
	for key, value := range object {
		if !covers(have[key], value) {
			return false
		}
	}
	return true
}

// replayOwner makes the calls of a transcript and compares what comes of them and what is heard.
func replayOwner(t *testing.T, client *Client, events *Subscription, err error, steps []step) {
	t.Helper()
	var result json.RawMessage
	for _, s := range steps {
		switch s.kind {
		case "$", "$$":
			method, params, _ := strings.Cut(s.text, " ")
			var options []CallOption
			if s.kind == "$$" {
				options = append(options, Final(nil))
			}
			result = nil
			err = client.Call(within(t), method, json.RawMessage(params), &result, options...)
		case "=":
			if err != nil || !sameJSON(t, result, s.text) {
				t.Errorf("line %d: the call gave %s, %v", s.line, result, err)
			}
		case "!":
			if err == nil || !strings.Contains(err.Error(), s.text) {
				t.Errorf("line %d: the error is %v", s.line, err)
			}
		case "e":
			name, payload, _ := strings.Cut(s.text, " ")
			event, err := events.Next(within(t))
			switch {
			case err != nil || event.Name != name:
				t.Errorf("line %d: heard %q, %v", s.line, event.Name, err)
			case name == GapEvent && event.Gap != payload:
				t.Errorf("line %d: the gap is %q", s.line, event.Gap)
			case name != GapEvent && !sameJSON(t, event.Payload, payload):
				t.Errorf("line %d: %s says %s", s.line, name, event.Payload)
			}
		}
	}
}

func sameJSON(t *testing.T, got json.RawMessage, want string) bool {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	return json.Unmarshal(got, &a) == nil && reflect.DeepEqual(a, b)
}
