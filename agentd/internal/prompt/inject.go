package prompt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/workspace"
)

// inject returns a section for each of the workspace's files that belongs into
// the prompt, and notes their sizes.
func inject(f Facts, rep *Report) []string {
	var names []string
	if f.Mode == Minimal {
		names = []string{workspace.Agents, workspace.Tools}
	} else {
		names = []string{workspace.Agents, workspace.Soul, workspace.Tools, workspace.Identity, workspace.User, workspace.Heartbeat, workspace.Bootstrap}
		if f.Direct {
			names = append(names, workspace.Memory, workspace.MemoryLower)
		}
	}
	var out []string
	var memory os.FileInfo
	for _, name := range names {
		path := filepath.Join(f.Workspace, name)
		optional := name == workspace.Bootstrap || name == workspace.Memory || name == workspace.MemoryLower
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			if !optional {
				out = append(out, "## "+name, "[MISSING] Expected at: "+path)
				rep.Files = append(rep.Files, FileReport{Name: name, Path: path, Missing: true})
			}
			continue
		}
		if err != nil {
			f.warn("workspace file cannot be read", "file", name, "error", err)
			continue
		}
		if strings.HasPrefix(strings.ToLower(name), "memory") {
			info, err := os.Stat(path)
			if err != nil || (memory != nil && os.SameFile(memory, info)) {
				continue
			}
			memory = info
		}
		text := strings.TrimRight(string(raw), " \t\r\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		cut, truncated := truncate(name, text, f.MaxFileChars)
		if truncated {
			f.warn("workspace file is cut in the prompt", "file", name, "limit_chars", f.MaxFileChars)
		}
		out = append(out, "## "+name, cut)
		rep.Files = append(rep.Files, FileReport{Name: name, Path: path, RawChars: len([]rune(text)), Chars: len([]rune(cut)), Truncated: truncated})
		if name == workspace.Soul {
			out = append(out, "Speak and act as SOUL.md describes you, without quoting it.")
		}
	}
	return out
}

// truncate keeps 70 % of the limit from the front of a text and 20 % from its end.
func truncate(name, text string, limit int) (string, bool) {
	r := []rune(text)
	if limit <= 0 || len(r) <= limit {
		return text, false
	}
	head, tail := limit*7/10, limit*2/10
	return fmt.Sprintf("%s\n[...truncated, read %s for full content...]\n…(truncated %s: kept %d+%d chars of %d)…\n%s",
		string(r[:head]), name, name, head, tail, len(r), string(r[len(r)-tail:])), true
}

func (f Facts) warn(msg string, args ...any) {
	if f.Warn != nil {
		f.Warn(msg, args...)
	}
}
