package worker

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// TestStartsThatCannotSucceed shows that each of them says why and what to do, and that
// nobody else waits for it.
func TestStartsThatCannotSucceed(t *testing.T) {
	write := func(name, content string, mode os.FileMode) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	cases := []struct {
		name   string
		fault  map[string]any
		path   string
		code   string
		text   string // a part of it
		action string
	}{
		{name: "other program", fault: map[string]any{"handshake": "text"}, code: CodeNotAPlugin, text: `"Usage: some other program [options]"`},
		{name: "other contract", fault: map[string]any{"handshake": "contract"}, code: CodeWrongContract, text: "the supervisor speaks version 1, the plugin 9: upgrade openclaw-supervisor"},
		{name: "other id", fault: map[string]any{"describe": "id"}, code: CodeWrongID, text: `"other-id-other"`, action: "openclaw-channel-other-id-other"},
		{name: "refused config", fault: map[string]any{"configure": "invalid"}, code: CodeInvalidConfig, text: "fault: is refused on command"},
		{name: "missing file", path: filepath.Join(t.TempDir(), "none"), code: CodeMissing, text: "does not exist"},
		{name: "no execute bit", path: write("plugin", "#!/bin/sh\n", 0o644), code: CodeNotExecutable, action: "chmod +x"},
		{name: "wrong architecture", path: write("plugin", "\x7fELF\x02\x01\x01 of another machine", 0o755), code: CodeWrongArch, text: "not a program that this machine can run"},
		{name: "no interpreter", path: write("plugin", "#!/no/such/interpreter\n", 0o755), code: CodeWrongArch, text: "interpreter"},
	}
	b := runPool(t, Config{Policy: quick()})
	specs := []Spec{b.fault("good", nil)}
	for _, c := range cases {
		s := b.fault(strings.ReplaceAll(c.name, " ", "-"), c.fault)
		if c.path != "" {
			s.Path = c.path
		}
		specs = append(specs, s)
	}
	b.apply(specs...)
	b.sink.awaitEvent(t, 0, "the good one running", is("good", Running))
	for i, c := range cases {
		id := specs[i+1].ID
		e, _ := b.sink.awaitEvent(t, 0, c.name+" terminal", is(id, Terminal))
		if e.Condition == nil || e.Condition.Code != c.code || !strings.Contains(e.Condition.Text, c.text) || !strings.Contains(e.Condition.Action, c.action) {
			t.Errorf("%s: condition is %+v, want code %s, text with %q, action with %q", c.name, e.Condition, c.code, c.text, c.action)
		}
		if e.Restarts != 0 {
			t.Errorf("%s: tried %d times again", c.name, e.Restarts)
		}
		_, err := b.Get(id)
		var not *NotRunningError
		if !errors.As(err, &not) || not.State != Terminal || not.Transient() {
			t.Errorf("%s: handle: %v", c.name, err)
		}
	}
}

func TestAStartHasABound(t *testing.T) {
	p := quick()
	p.StartTimeout = 700 * time.Millisecond
	for _, c := range []struct {
		name  string
		fault map[string]any
	}{
		{"handshake", map[string]any{"lives": 1, "handshake": "never"}},
		{"describe", map[string]any{"lives": 1, "describe": "hang"}},
		{"configure", map[string]any{"lives": 1, "configure": "hang"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := runPool(t, Config{Policy: p})
			b.apply(b.fault("a", c.fault))
			dead, n := b.sink.awaitEvent(t, 0, "the end", func(e Event) bool { return e.Exit != nil })
			if dead.Exit.Kind != ExitStartTimeout || dead.Condition == nil || dead.Condition.Code != CodeStartTimeout {
				t.Errorf("event is %s", describe([]Event{dead}))
			}
			b.sink.awaitEvent(t, n, "running", is("a", Running))
		})
	}
}

func TestABadConfigIsTriedAgainWhenItChanges(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	var config atomic.Value
	config.Store(`{"fault":{"configure":"invalid"}}`)
	spec := b.fault("a", nil)
	spec.Configure = func(context.Context) (plugin.Configuration, error) {
		return plugin.Configuration{JSON: json.RawMessage(config.Load().(string))}, nil
	}
	b.apply(spec)
	_, n := b.sink.awaitEvent(t, 0, "terminal", is("a", Terminal))
	err := b.Restart(within(t), "a")
	var invalid *plugin.InvalidConfigError
	if !errors.As(err, &invalid) || invalid.Path != "fault" {
		t.Errorf("restart says %v, want the worker's own error", err)
	}
	config.Store(`{}`)
	b.apply(spec)
	b.sink.awaitEvent(t, n, "running", is("a", Running))

	config.Store(`{"fault":{"configure":"invalid"}}`)
	if err := b.Reconfigure(within(t), "a"); !errors.As(err, &invalid) {
		t.Errorf("reconfigure says %v", err)
	}
	if s, _ := b.Status("a"); s.State != Running || s.Restarts != 0 {
		t.Errorf("a refused change left it %s after %d restarts", s.State, s.Restarts)
	}
	config.Store(`{}`)
	if err := b.Reconfigure(within(t), "a"); err != nil {
		t.Errorf("reconfigure: %v", err)
	}
}

// TestSettingsOfTheSupervisorItself covers an error that comes before the worker is asked.
func TestSettingsThatCannotBeResolved(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	spec := b.fault("a", nil)
	spec.Configure = func(context.Context) (plugin.Configuration, error) {
		return plugin.Configuration{}, &plugin.InvalidConfigError{Path: "tokenFile", Message: "cannot be read"}
	}
	b.apply(spec)
	e, _ := b.sink.awaitEvent(t, 0, "terminal", is("a", Terminal))
	if e.Condition.Code != CodeInvalidConfig || e.Condition.Text != "tokenFile: cannot be read" {
		t.Errorf("condition is %+v", e.Condition)
	}
	awaitDead(t, time.Second, e.PID)
}

func TestWhatIsUnavailableIsSaid(t *testing.T) {
	b := runPool(t, Config{Policy: quick()})
	b.apply(Spec{ID: "a", Kind: plugin.KindChannel, Unavailable: &Condition{Code: CodeUnavailable, Text: "no plugin provides the channel a", Action: "install one"}})
	e, n := b.sink.awaitEvent(t, 0, "terminal", is("a", Terminal))
	if e.Condition.Text != "no plugin provides the channel a" {
		t.Errorf("condition is %+v", e.Condition)
	}
	b.apply(b.fault("a", nil))
	b.sink.awaitEvent(t, n, "running once it is there", is("a", Running))
}
