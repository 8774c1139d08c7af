package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write makes a state directory with the given files and gives the options to load it.
func write(t *testing.T, files map[string]string) Options {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Options{Paths: Paths{Home: dir, StateDir: dir, ConfigFile: filepath.Join(dir, FileName)}, Environ: Environ{}}
}

func load(t *testing.T, opts Options) *Loaded {
	t.Helper()
	loaded, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestProblemsSayWhereAndWhat(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"syntax":               {"{\n  gateway: {\n    port: 1\n    bind: 'lan' } }", []string{`expected "," or "}" after the value of "port", found "bind"|line 3, column 12`}},
		"unknown key":          {"{\n  gateway: {\n    prot: 1 } }", []string{`gateway.prot: Unrecognized key: "prot"|line 3, column 5|Did you mean "port"?`}},
		"unknown section":      {"{ chanels: {} }", []string{`chanels: Unrecognized key: "chanels"|line 1, column 3|Did you mean "channels"?`}},
		"key of a section":     {"{ dmScope: 'main' }", []string{`dmScope: Unrecognized key|There is "session.dmScope"`}},
		"nothing near":         {"{ xyzzy: 1 }", []string{`xyzzy: Unrecognized key|openclaw doctor --fix`}},
		"wrong type":           {"{\n gateway: { port: '18789' } }", []string{`gateway.port: expected a whole number, got "18789"|line 2, column 19|Write it without quotes: 18789`}},
		"number as text":       {"{ session: { mainKey: 5 } }", []string{`session.mainKey: expected a string, got the number 5|Put it in quotes`}},
		"fraction":             {"{ gateway: { port: 1.5 } }", []string{`gateway.port: expected a whole number, got the number 1.5`}},
		"bool as text":         {"{ cron: { enabled: 'true' } }", []string{`cron.enabled: expected true or false, got "true"|Write it without quotes: true`}},
		"scalar for list":      {"{ gateway: { trustedProxies: '10.0.0.1' } }", []string{`gateway.trustedProxies: expected a list of strings, got "10.0.0.1"|["10.0.0.1"]`}},
		"enum":                 {"{ gateway: { bind: 'lopback' } }", []string{`gateway.bind: expected one of "auto", "lan", "loopback", "custom", "tailnet", got "lopback"|Did you mean "loopback"?`}},
		"range":                {"{ gateway: { port: 70000 } }", []string{`gateway.port: expected at most 65535, got 70000`}},
		"zero":                 {"{ agents: { defaults: { timeoutSeconds: 0 } } }", []string{`agents.defaults.timeoutSeconds: expected at least 1, got 0`}},
		"missing key":          {"{ bindings: [ {agentId: 'x'} ] }", []string{`bindings[0]: the key "match" is missing`}},
		"agent id":             {"{ agents: { list: [ {id: 'No Good'} ] } }", []string{`agents.list[0].id: "No Good" does not have the form`}},
		"model of wrong kind":  {"{ agents: { defaults: { model: 5 } } }", []string{`agents.defaults.model: expected a string or an object { … }, got the number 5`}},
		"key of a model":       {"{ agents: { defaults: { model: {primry: 'a/b'} } } }", []string{`agents.defaults.model.primry: Unrecognized key|Did you mean "primary"?`}},
		"no secret in message": {"{ gateway: { auth: { token: ['hunter2hunter2'] } } }", []string{`gateway.auth.token: expected a string, got a list`}},
		"unset variable":       {"{ gateway: { auth: { token: '${NOPE}' } } }", []string{`gateway.auth.token: the environment variable NOPE is not set|line 1, column 29`}},
		"open without star":    {"{ channels: { telegram: { dmPolicy: 'open', allowFrom: [1] } } }", []string{`channels.telegram.dmPolicy: "open" lets everybody|Add allowFrom: ["*"]`}},
		"account inherits":     {"{ channels: { telegram: { dmPolicy: 'open', allowFrom: ['*'], accounts: { a: { allowFrom: [1], dmPolicy: 'open' } } } } }", []string{`channels.telegram.accounts.a.dmPolicy: "open"`}},
		"allow and alsoAllow":  {"{ tools: { allow: ['x'], alsoAllow: ['y'] } }", []string{`tools.alsoAllow: allow and alsoAllow cannot both be set`}},
		"agent twice":          {"{ agents: { list: [{id: 'a'}, {id: 'a'}] } }", []string{`agents.list[1].id: "a" is already the id of agents.list[0]`}},
		"no object":            {"[]", []string{"the file must hold one object { … }, got a list"}},
		"empty":                {"", []string{"the file is empty"}},
		"old section":          {"{ agent: { model: 'x' } }", []string{"agent: the key agent is of an older version|agents.defaults"}},
		"several at once":      {"{ gateway: { port: 'x', prot: 1 }, cron: { enabled: 1 } }", []string{"cron.enabled", "gateway.port", "gateway.prot"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			loaded := load(t, write(t, map[string]string{FileName: test.text}))
			if len(loaded.Problems) != len(test.want) {
				t.Fatalf("got %v\nwant %d problems", loaded.Err(), len(test.want))
			}
			for i, want := range test.want {
				got := loaded.Problems[i].String()
				for part := range strings.SplitSeq(want, "|") {
					if !strings.Contains(got, part) {
						t.Errorf("problem %d is\n  %s\nwithout\n  %s", i, got, part)
					}
				}
				if strings.Contains(got, "hunter2") {
					t.Errorf("a secret is shown: %s", got)
				}
			}
		})
	}
}

func TestLoadResolves(t *testing.T) {
	opts := write(t, map[string]string{
		FileName: `{
			$include: ['base.json5', './parts/more.json5'],
			env: { vars: { FROM_CONFIG: 'c' }, INLINE: 'i' },
			gateway: { auth: { token: '${TOKEN}-${FROM_CONFIG}-${INLINE}-$${KEPT}-${lower}' } },
			channels: { telegram: { $include: 'telegram.json5', enabled: true } },
		}`,
		"base.json5":          `{ gateway: { port: 1, trustedProxies: ['a'] }, ui: { seamColor: '#000000' } }`,
		"parts/more.json5":    `{ $include: '../deep.json5', gateway: { port: 3.0, trustedProxies: ['b'] } }`,
		"deep.json5":          `{ logging: { level: 'debug' } }`,
		"telegram.json5":      `{ botToken: '${TG}', allowFrom: [123456789012345678] }`,
		".env":                "TG='from dotenv'\nTOKEN=overridden # no\n",
		"unrelated/ignored.x": "",
	})
	opts.Environ = Environ{"TOKEN": "t", "EMPTY": ""}
	loaded := load(t, opts)
	if err := loaded.Err(); err != nil {
		t.Fatal(err)
	}
	c := loaded.Config
	if got, want := c.Gateway.Auth.Token, "t-c-i-${KEPT}-${lower}"; got != want {
		t.Errorf("token = %q, want %q", got, want)
	}
	if c.Gateway.Port != 3 || c.UI.SeamColor != "#000000" || c.Logging.Level != "debug" {
		t.Errorf("includes give port %d, colour %q, level %q", c.Gateway.Port, c.UI.SeamColor, c.Logging.Level)
	}
	if diff := cmp.Diff(c.Gateway.TrustedProxies, []string{"a", "b"}); diff != "" {
		t.Errorf("lists of includes are not joined:\n%s", diff)
	}
	var telegram struct {
		BotToken  string
		Enabled   bool
		AllowFrom []json.Number
	}
	if err := json.Unmarshal(c.Channels.Blocks["telegram"], &telegram); err != nil {
		t.Fatal(err)
	}
	if telegram.BotToken != "from dotenv" || !telegram.Enabled || telegram.AllowFrom[0] != "123456789012345678" {
		t.Errorf("telegram = %+v", telegram)
	}
	if len(loaded.Includes) != 4 {
		t.Errorf("includes = %q", loaded.Includes)
	}
	if c.Session.DMScope != "main" || c.Supervisor.StartTimeoutMs != 20000 || c.Messages.Queue.Mode != "collect" || c.Agents.Defaults.BlockStreamingChunk.MaxChars != 1200 {
		t.Errorf("defaults are missing: %+v", c.Session)
	}
}

func TestIncludeErrors(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"missing":           {map[string]string{FileName: "{\n  $include: 'gone.json5' }"}, `cannot include "gone.json5"|there is no such file|line 2, column 3`},
		"cycle":             {map[string]string{FileName: "{ $include: 'a' }", "a": "{ $include: 'b' }", "b": "{ $include: 'a' }"}, "include each other|→"},
		"syntax in include": {map[string]string{FileName: "{ $include: 'a' }", "a": "{\n\n x }"}, "a, line 3, column 4"},
		"key in include":    {map[string]string{FileName: "{ $include: 'a' }", "a": "{\n gateway: { prot: 1 } }"}, "a, line 2, column 13"},
		"no object":         {map[string]string{FileName: "{ ui: { $include: 'a', seamColor: 'x' } }", "a": "[1]"}, "must hold an object"},
		"no name":           {map[string]string{FileName: "{ $include: 5 }"}, "must be a file name"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := load(t, write(t, test.files)).Err()
			if err == nil {
				t.Fatal("accepted")
			}
			for part := range strings.SplitSeq(test.want, "|") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %v\nwant …%s…", err, part)
				}
			}
		})
	}
}

func TestLegacyKeysAreReadAndTheFileStays(t *testing.T) {
	const text = `{ whatsapp: { allowFrom: ['+15550001'] }, gateway: { token: 'old', port: 5 }, channels: { whatsapp: { name: 'n' } }, bindings: [{agentId: 'main', match: {channel: 'x', accountID: 'y'}}], routing: { queue: { cap: 7 } }, bridge: {} }`
	opts := write(t, map[string]string{FileName: text})
	loaded := load(t, opts)
	if err := loaded.Err(); err != nil {
		t.Fatal(err)
	}
	c := loaded.Config
	if c.Gateway.Auth.Token != "old" || c.Messages.Queue.Cap != 7 || c.Bindings[0].Match.AccountID != "y" {
		t.Errorf("read as token %q, cap %d, binding %+v", c.Gateway.Auth.Token, c.Messages.Queue.Cap, c.Bindings)
	}
	if got, want := string(c.Channels.Blocks["whatsapp"]), `{"allowFrom":["+15550001"],"name":"n"}`; got != want {
		t.Errorf("whatsapp = %s, want %s", got, want)
	}
	if len(loaded.Legacy) != 5 {
		t.Errorf("warnings: %v", loaded.Legacy)
	}
	if data, err := os.ReadFile(opts.Paths.ConfigFile); err != nil || string(data) != text {
		t.Errorf("the file was changed: %s, %v", data, err)
	}
	broken := load(t, write(t, map[string]string{FileName: "{\n whatsapp: {\n  dmPolcy: 'x' } }"}))
	if err := broken.Err(); err == nil || !strings.Contains(err.Error(), "line 3, column 3") {
		t.Errorf("a problem under an old name has no place: %v", err)
	}
}

func TestUnknownChannelIsNoError(t *testing.T) {
	loaded := load(t, write(t, map[string]string{FileName: "{ channels: { matrix: { whatever: [1] }, telegrm: {} } }"}))
	if err := loaded.Err(); err != nil {
		t.Fatal(err)
	}
	if len(loaded.Warnings) != 2 || !strings.Contains(loaded.Warnings[1].String(), `Did you mean "telegram"`) {
		t.Errorf("warnings: %v", loaded.Warnings)
	}
}

func TestMissingFileHasDefaults(t *testing.T) {
	loaded := load(t, write(t, nil))
	if loaded.Exists || loaded.Hash != "" || loaded.Err() != nil || loaded.Config.Gateway.Port != DefaultPort {
		t.Errorf("missing file: %+v", loaded)
	}
	if id := loaded.Config.DefaultAgentID(); id != "main" {
		t.Errorf("default agent = %q", id)
	}
}
