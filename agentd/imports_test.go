// Package agentd_test holds the agent runtime's packages to who may import whom.
package agentd_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/openclaw/openclaw-supervisor/agentd/"

// mayImport lists, for each package of this module, the packages of it that it may
// import. What is not listed here imports none of them.
var mayImport = map[string][]string{
	"cmd/openclaw-agentd": {"internal/guard", "internal/provider", "internal/provider/anthropic", "internal/provider/demo", "internal/provider/openai",
		"internal/service", "internal/tool", "internal/tool/exec", "internal/tool/files"},
	"internal/service":            {"internal/chat", "internal/model", "internal/provider", "internal/settings", "internal/tool", "internal/transcript", "internal/turn", "internal/workspace"},
	"internal/turn":               {"internal/chat", "internal/model", "internal/prompt", "internal/provider", "internal/settings", "internal/tool", "internal/transcript", "internal/workspace"},
	"internal/prompt":             {"internal/tool", "internal/workspace"},
	"internal/model":              {"internal/chat", "internal/provider", "internal/provider/demo", "internal/settings"},
	"internal/provider":           {"internal/chat"},
	"internal/provider/demo":      {"internal/chat", "internal/provider"},
	"internal/provider/anthropic": {"internal/chat", "internal/provider"},
	"internal/provider/openai":    {"internal/chat", "internal/provider"},
	"internal/tool":               {"internal/chat", "internal/settings"},
	"internal/tool/exec":          {"internal/guard", "internal/settings", "internal/tool", "internal/tool/files"},
	"internal/tool/files":         {"internal/chat", "internal/tool"},
	"internal/transcript":         {"internal/chat"},
}

// TestWhoImportsWhom keeps the loop on top: what it uses knows nothing of it, one
// package knows the model library, and only two know the supervisor's contract.
func TestWhoImportsWhom(t *testing.T) {
	packages := 0
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		packages++
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(file))
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			own, isOwn := strings.CutPrefix(name, module)
			switch {
			case isOwn && !slices.Contains(mayImport[dir], own):
				t.Errorf("%s imports %s: the order of packages does not allow it", file, own)
			case strings.HasPrefix(name, "github.com/openai/") && dir != "internal/provider/openai":
				t.Errorf("%s imports %s: one package alone knows the library", file, name)
			case strings.HasPrefix(name, "github.com/anthropics/") && dir != "internal/provider/anthropic":
				t.Errorf("%s imports %s: one package alone knows the library", file, name)
			case strings.Contains(name, "/proto/sdk/") && !slices.Contains([]string{"cmd/openclaw-agentd", "internal/service", "internal/turn"}, dir):
				t.Errorf("%s imports %s: the contract is known to the loop and the service alone", file, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if packages < len(mayImport) {
		t.Errorf("only %d files were looked at", packages)
	}
}
