package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestResolvePaths(t *testing.T) {
	home := t.TempDir()
	tests := map[string]struct {
		env           Environ
		profile       string
		state, config string
		port          int
	}{
		"default":         {Environ{"HOME": home}, "", home + "/.openclaw", home + "/.openclaw/openclaw.json", 18789},
		"profile":         {Environ{"HOME": home}, "work", home + "/.openclaw-work", home + "/.openclaw-work/openclaw.json", 18789},
		"profile of env":  {Environ{"HOME": home, "OPENCLAW_PROFILE": "work"}, "", home + "/.openclaw-work", home + "/.openclaw-work/openclaw.json", 18789},
		"default profile": {Environ{"HOME": home, "OPENCLAW_PROFILE": "work"}, "default", home + "/.openclaw", home + "/.openclaw/openclaw.json", 18789},
		"dev":             {Environ{"HOME": home}, "dev", home + "/.openclaw-dev", home + "/.openclaw-dev/openclaw.json", 19001},
		"state dir":       {Environ{"HOME": home, "OPENCLAW_STATE_DIR": "~/s"}, "work", home + "/s", home + "/s/openclaw.json", 18789},
		"config path":     {Environ{"HOME": home, "OPENCLAW_CONFIG_PATH": "/c.json"}, "", home + "/.openclaw", "/c.json", 18789},
		"own home":        {Environ{"HOME": home, "OPENCLAW_HOME": "~/h"}, "", home + "/h/.openclaw", home + "/h/.openclaw/openclaw.json", 18789},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := ResolvePaths(test.env, test.profile)
			if err != nil {
				t.Fatal(err)
			}
			if p.StateDir != test.state || p.ConfigFile != test.config || p.BasePort() != test.port {
				t.Errorf("got %s, %s, %d", p.StateDir, p.ConfigFile, p.BasePort())
			}
		})
	}
	if err := os.Mkdir(filepath.Join(home, ".clawdbot"), 0o700); err != nil {
		t.Fatal(err)
	}
	if p, err := ResolvePaths(Environ{"HOME": home}, ""); err != nil || p.StateDir != home+"/.clawdbot" {
		t.Errorf("old state directory: %s, %v", p.StateDir, err)
	}
	if _, err := ResolvePaths(Environ{"HOME": home}, "../x"); err == nil {
		t.Error("a profile may leave its directory")
	}
}

func TestDotenv(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	text := "# c\nexport A=1\nB = \"x\\n\\\"y\\\"\" # z\nC='a $b'\nD=v # c\nE=\n=x\nnope\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readDotenv(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"A": "1", "B": "x\n\"y\"", "C": "a $b", "D": "v", "E": ""} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	if len(got) != 5 {
		t.Errorf("variables: %v", got)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"port", "bind", "auth", "botToken", "dmPolicy"}
	for word, want := range map[string]string{"prot": "port", "Bind": "bind", "bottoken": "botToken", "dmpolcy": "dmPolicy", "zzz": "", "x": ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
