package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Fault is the network behind the plugin faultworker, and its misbehaviour, by its control address.
type Fault struct {
	e   *Env
	id  string
	dir string
}

// FaultSent is a message that the played network took.
type FaultSent struct {
	Conversation string `json:"conversation"`
	Text         string `json:"text"`
}

// InstallFault drops the plugin that misbehaves on command into the plugins folder, as the
// channel "fault", and configures it.
func (e *Env) InstallFault(settings map[string]any) *Fault {
	e.t.Helper()
	e.install(faultBinary)
	const id = "fault"
	block := map[string]any{"enabled": true, "dmPolicy": "open", "allowFrom": []any{"*"}, "control": "127.0.0.1:0"}
	for key, value := range settings {
		block[key] = value
	}
	e.Configure(func(c Config) { c.Set("channels."+id, block) })
	return &Fault{e: e, id: id, dir: filepath.Join(e.State, "supervisor", "workers", id)}
}

// install drops a plugin's binary into the plugins folder of the state directory.
func (e *Env) install(name string) {
	e.t.Helper()
	dir := filepath.Join(e.State, "plugins")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		e.t.Fatal(err)
	}
	if err := copyFile(filepath.Join(e.Bin.Plugins, name), filepath.Join(dir, name)); err != nil {
		e.t.Fatal(err)
	}
}

// Say lets somebody write on the played network.
func (f *Fault) Say(conversation, text string) {
	f.e.t.Helper()
	f.post("/inbound", map[string]any{"conversation": conversation, "text": text})
}

// Mode makes the worker misbehave from now on.
func (f *Fault) Mode(fault map[string]any) {
	f.e.t.Helper()
	f.post("/mode", fault)
}

// Sent lists what the network took, over all lives of the worker.
func (f *Fault) Sent() ([]FaultSent, error) {
	data, err := os.ReadFile(filepath.Join(f.dir, "network", "sent.jsonl"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var list []FaultSent
	for line := range strings.Lines(string(data)) {
		var s FaultSent
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// AwaitText waits until the network took a text.
func (f *Fault) AwaitText(conversation, text string) {
	f.e.t.Helper()
	f.e.Await(fmt.Sprintf("%q in %s", text, conversation), patience, func() error {
		sent, err := f.Sent()
		if err != nil {
			return err
		}
		for _, s := range sent {
			if s.Conversation == conversation && s.Text == text {
				return nil
			}
		}
		return fmt.Errorf("sent were %+v", sent)
	})
}

// post asks the worker's control address, of whichever life answers.
func (f *Fault) post(path string, body any) {
	f.e.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		f.e.t.Fatal(err)
	}
	f.e.Await("the control address to take "+path, patience, func() error {
		address, err := os.ReadFile(filepath.Join(f.dir, "control.addr"))
		if err != nil {
			return err
		}
		ctx, cancel := f.e.within()
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+string(address)+path, bytes.NewReader(data))
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
		if err == nil && answer.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d: %s", answer.StatusCode, text)
		}
		return err
	})
}
