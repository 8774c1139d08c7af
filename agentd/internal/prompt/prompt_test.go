package prompt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
)

func facts(t *testing.T, files map[string]string) Facts {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Facts{
		AgentID: "main", Workspace: dir, Model: "p/m", DefaultModel: "p/d", Timezone: "Europe/Vienna", MaxFileChars: 100, Direct: true,
		Tools: []tool.Spec{{Name: "zeta", Summary: "last"}, {Name: "exec", Summary: "run"}, {Name: "read", Summary: "look"}},
	}
}

func TestFull(t *testing.T) {
	f := facts(t, map[string]string{"AGENTS.md": "rules\n\n", "SOUL.md": "kind", "MEMORY.md": "facts", "USER.md": "  \n"})
	f.Extra = "the group is about boats"
	text, rep := Build(f)
	at := 0
	for _, want := range []string{
		"## Tooling", "- read: look\n- exec: run\n- zeta: last", "## Safety", "## Workspace\n", f.Workspace, "Time zone: Europe/Vienna", "## Reply Tags", "## Messaging",
		"## Group Chat Context\nthe group is about boats", "# Project Context", "## AGENTS.md\nrules\n", "## SOUL.md\nkind", "## TOOLS.md\n[MISSING] Expected at: " + filepath.Join(f.Workspace, "TOOLS.md"),
		"## MEMORY.md\nfacts", "## Silent Replies", "NO_REPLY", "HEARTBEAT_OK", "Runtime: agent=main | host=", "model=p/m | default_model=p/d", "Reasoning: off",
	} {
		i := strings.Index(text[at:], want)
		if i < 0 {
			t.Fatalf("the prompt lacks %q after byte %d:\n%s", want, at, text)
		}
		at += i
	}
	for _, never := range []string{"## USER.md", "BOOTSTRAP.md", "\n\n\n"} {
		if strings.Contains(text, never) {
			t.Errorf("the prompt holds %q", never)
		}
	}
	if rep.Chars != len(text) || len(rep.Files) == 0 {
		t.Errorf("report: %+v", rep)
	}
	if again, _ := Build(f); again != text {
		t.Error("the same facts gave another prompt")
	}
}

func TestMemoryIsForDirectChats(t *testing.T) {
	f := facts(t, map[string]string{"MEMORY.md": "private facts"})
	f.Direct = false
	if text, _ := Build(f); strings.Contains(text, "private facts") {
		t.Error("memory is shown in a group")
	}
}

func TestMinimalAndNone(t *testing.T) {
	f := facts(t, map[string]string{"AGENTS.md": "rules", "SOUL.md": "kind"})
	f.Mode, f.Extra = Minimal, "the task"
	text, _ := Build(f)
	for want, there := range map[string]bool{"rules": true, "kind": false, "## Subagent Context\nthe task": true, "## Silent Replies": false, "## Tooling": true} {
		if strings.Contains(text, want) != there {
			t.Errorf("minimal prompt: %q there %v, want %v", want, !there, there)
		}
	}
	f.Mode = None
	if text, _ := Build(f); text != identity {
		t.Errorf("prompt without anything: %q", text)
	}
}

func TestLongFilesAreCut(t *testing.T) {
	f := facts(t, map[string]string{"AGENTS.md": strings.Repeat("a", 70) + strings.Repeat("b", 30) + strings.Repeat("c", 20)})
	var warned int
	f.Warn = func(string, ...any) { warned++ }
	text, _ := Build(f)
	want := strings.Repeat("a", 70) + "\n[...truncated, read AGENTS.md for full content...]\n…(truncated AGENTS.md: kept 70+20 chars of 120)…\n" + strings.Repeat("c", 20)
	if !strings.Contains(text, want) || warned != 1 {
		t.Errorf("warned %d times; prompt:\n%s", warned, text)
	}
}
