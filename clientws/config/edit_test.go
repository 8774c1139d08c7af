package config

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

func set(path string, value any) func(*json5.Document) error {
	return func(doc *json5.Document) error {
		steps, err := json5.ParsePath(path)
		if err != nil {
			return err
		}
		return doc.Set(steps, value)
	}
}

func TestEditKeepsTheUsersFile(t *testing.T) {
	const text = "// mine\n{\n  gateway: {\n    port: 1, // one\n    auth: { token: '${T}' },\n  },\n}\n"
	opts := write(t, map[string]string{FileName: text})
	opts.Environ = Environ{"T": "secret"}
	now := time.UnixMilli(1_700_000_000_000)
	loaded, err := Edit(t.Context(), opts, Change{Apply: set("gateway.port", 2), Version: "9.9", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(opts.Paths.ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	want := "// mine\n{\n  gateway: {\n    port: 2, // one\n    auth: { token: '${T}' },\n  },\n  meta: {\n    lastTouchedVersion: \"9.9\",\n    lastTouchedAt: \"2023-11-14T22:13:20.000Z\"\n  },\n}\n"
	if string(got) != want {
		t.Errorf("file is\n%s\nwant\n%s", got, want)
	}
	if loaded.Config.Gateway.Port != 2 || loaded.Config.Gateway.Auth.Token != "secret" {
		t.Errorf("result = %+v", loaded.Config.Gateway)
	}
	if backup, err := os.ReadFile(opts.Paths.ConfigFile + ".bak"); err != nil || string(backup) != text {
		t.Errorf("backup = %s, %v", backup, err)
	}
	before, _ := os.Stat(opts.Paths.ConfigFile)
	if _, err := Edit(t.Context(), opts, Change{Apply: set("gateway.port", 2), Version: "9.9", Now: now}); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(opts.Paths.ConfigFile); !after.ModTime().Equal(before.ModTime()) {
		t.Error("a change of nothing wrote the file")
	}
}

func TestEditRefuses(t *testing.T) {
	const text = "{ gateway: { port: 1, bind: 'lan', mode: 'local' }, ui: { seamColor: 'x' }, cron: { enabled: true }, logging: { level: 'info' } }"
	opts := write(t, map[string]string{FileName: text})
	hash := load(t, opts).Hash
	shrink := func(doc *json5.Document) error { return doc.Set(nil, map[string]any{"ui": map[string]any{}}) }
	boom := errors.New("boom")
	var invalid *InvalidError
	tests := map[string]struct {
		change Change
		check  func(error) bool
	}{
		"no hash":       {Change{NeedHash: true, Apply: set("gateway.port", 2)}, func(err error) bool { return errors.Is(err, ErrHashRequired) }},
		"stale hash":    {Change{BaseHash: "00", Apply: set("gateway.port", 2)}, func(err error) bool { return errors.Is(err, ErrHashConflict) }},
		"invalid":       {Change{BaseHash: hash, Apply: set("gateway.port", "x")}, func(err error) bool { return errors.As(err, &invalid) }},
		"half the keys": {Change{BaseHash: hash, Apply: shrink}, func(err error) bool { return errors.Is(err, ErrShrinks) }},
		"own error":     {Change{Apply: func(*json5.Document) error { return boom }}, func(err error) bool { return errors.Is(err, boom) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Edit(t.Context(), opts, test.change); !test.check(err) {
				t.Errorf("got %v", err)
			}
			if got, _ := os.ReadFile(opts.Paths.ConfigFile); string(got) != text {
				t.Errorf("the file became %s", got)
			}
		})
	}
	if _, err := Edit(t.Context(), opts, Change{BaseHash: hash, AllowShrink: true, Apply: shrink}); err != nil {
		t.Errorf("confirmed shrinking = %v", err)
	}
	opts.Environ = Environ{"OPENCLAW_NIX_MODE": "1"}
	if _, err := Edit(t.Context(), opts, Change{Apply: set("gateway.port", 2)}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("read-only mode = %v", err)
	}
}

func TestEditMakesTheFile(t *testing.T) {
	opts := write(t, nil)
	if _, err := Edit(t.Context(), opts, Change{NeedHash: true, Apply: set("gateway.mode", "local")}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(opts.Paths.ConfigFile)
	if err != nil || string(got) != "{\n  \"gateway\": {\n    \"mode\": \"local\"\n  }\n}\n" {
		t.Errorf("file = %q, %v", got, err)
	}
}

func TestMergePatch(t *testing.T) {
	base := map[string]any{"a": map[string]any{"b": "1", "c": "2"}, "d": []any{"x"}}
	got := MergePatch(base, map[string]any{"a": map[string]any{"b": nil, "e": "3"}, "d": []any{"y"}})
	want := map[string]any{"a": map[string]any{"c": "2", "e": "3"}, "d": []any{"y"}}
	if !json5.Equal(got, any(want)) {
		t.Errorf("got %v, want %v", got, want)
	}
}
