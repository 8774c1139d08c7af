package files

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
)

func numbered(n int) string {
	var sb strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&sb, "line %d\n", i)
	}
	return sb.String()
}

func TestRead(t *testing.T) {
	long := strings.Repeat("y", 100) + "\n"
	tests := []struct {
		name, content, args string
		want                string
		isError             bool
	}{
		{"whole", "a\nb", `{"path":"f"}`, "a\nb", false},
		{"empty", "", `{"path":"f"}`, "", false},
		{"other name of path", "a", `{"file_path":"f"}`, "a", false},
		{"no path", "a", `{}`, "Missing required parameter: path", true},
		{"missing", "a", `{"path":"g"}`, "file not found: g", true},
		{"folder", "a", `{"path":"."}`, ". is not a regular file", true},
		{"window", numbered(5), `{"path":"f","offset":2,"limit":2}`, "line 2\nline 3\n\n[2 more lines in file. Use offset=4 to continue.]", false},
		{"end of window", numbered(5), `{"path":"f","offset":4,"limit":9}`, "line 4\nline 5\n", false},
		{"past the end", numbered(5), `{"path":"f","offset":7}`, "offset 7 is past the end of the file (5 lines)", true},
		{"many lines", numbered(2001), `{"path":"f"}`, numbered(2000) + "\n[Showing lines 1-2000 of 2001. Use offset=2001 to continue.]", false},
		{"many bytes", strings.Repeat(long, 600), `{"path":"f"}`, strings.Repeat(long, 506) + "\n[Showing lines 1-506 of 600 (50.0KB limit). Use offset=507 to continue.]", false},
		{"one long line", "a\n" + strings.Repeat("z", 60000) + "\nb\n", `{"path":"f","offset":2}`,
			"[Line 2 has 60001 bytes, more than the 50.0KB limit. Look at a piece of it: sed -n '2p' f | head -c 51200]", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "f"), []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			r := tool.NewRegistry(Read{}).Select().Run(t.Context(), "read", tool.Call{Workspace: dir, Args: json.RawMessage(tt.args)})
			if r.Content.Text() != tt.want || r.IsError != tt.isError {
				t.Errorf("got %.200q (error %v), want %.200q (error %v)", r.Content.Text(), r.IsError, tt.want, tt.isError)
			}
		})
	}
}

func TestReadImage(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f.txt"), []byte("\x89PNG\r\n\x1a\nrest"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := tool.NewRegistry(Read{}).Select().Run(t.Context(), "read", tool.Call{Workspace: dir, Args: json.RawMessage(`{"path":"f.txt"}`)})
	if len(r.Content) != 2 || r.Content[0].Text != "Read image file [image/png]" || r.Content[1].Type != chat.BlockImage || r.Content[1].Data != "iVBORw0KGgpyZXN0" {
		t.Errorf("got %+v", r)
	}
}

func TestPipeDoesNotHoldTheRun(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "p"), 0o600); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	r := tool.NewRegistry(Read{}).Select().Run(t.Context(), "read", tool.Call{Workspace: dir, Args: json.RawMessage(`{"path":"p"}`)})
	if !r.IsError || r.Content.Text() != "p is not a regular file" {
		t.Errorf("got %+v", r)
	}
}
