package files

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWrite(t *testing.T) {
	tests := []struct{ name, args, path, want, text string }{
		{"new", `{"path":"n","content":"hällo\n"}`, "n", "hällo\n", "Successfully wrote 7 bytes to n"},
		{"with folders", `{"file_path":"a/b/n","content":""}`, "a/b/n", "", "Successfully wrote 0 bytes to a/b/n"},
		{"over another", `{"path":"f","content":"new"}`, "f", "new", "Successfully wrote 3 bytes to f"},
		{"through a link", `{"path":"link","content":"new"}`, "f", "new", "Successfully wrote 3 bytes to link"},
		{"through a link to nothing", `{"path":"dangling","content":"new"}`, "later", "new", "Successfully wrote 3 bytes to dangling"},
		{"no path", `{"content":"x"}`, "f", "old", "Missing required parameter: path"},
		{"no content", `{"path":"f"}`, "f", "old", "Missing required parameter: content"},
		{"folder", `{"path":".","content":"x"}`, "f", "old", "cannot write .: it is not a regular file"},
		{"protected", `{"path":"ro","content":"x"}`, "ro", "kept", "cannot write ro: it is write-protected"},
		{"a link in a circle", `{"path":"circle","content":"x"}`, "f", "old", "cannot write circle: too many symbolic links"},
		{"below a file", `{"path":"f/x","content":"x"}`, "f", "old", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, mode := range map[string]os.FileMode{"f": 0o640, "ro": 0o444} {
				text := map[string]string{"f": "old", "ro": "kept"}[name]
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
					t.Fatal(err)
				}
			}
			for name, target := range map[string]string{"link": "f", "dangling": "later", "circle": "circle"} {
				if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			before, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			r := use(t, Write{}, dir, tt.args)
			if tt.text != "" && r.Content.Text() != tt.text || tt.text == "" && !r.IsError {
				t.Errorf("got %q (error %v), want %q", r.Content.Text(), r.IsError, tt.text)
			}
			if got := content(t, filepath.Join(dir, tt.path)); got != tt.want {
				t.Errorf("file: got %q, want %q", got, tt.want)
			}
			after, err := os.ReadDir(dir)
			if err != nil || len(after) > len(before)+1 {
				t.Errorf("%d entries where %d were, %v", len(after), len(before), err)
			}
		})
	}
}

// TestWriteKeeps: permissions and other names of a file stay what they were.
func TestWriteKeeps(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "f"), filepath.Join(dir, "g")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o766); err != nil {
		t.Fatal(err)
	}
	use(t, Write{}, dir, `{"path":"f","content":"one"}`)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o766 {
		t.Errorf("permissions: %v, %v", info.Mode(), err)
	}
	if err := os.Link(path, other); err != nil {
		t.Fatal(err)
	}
	use(t, Write{}, dir, `{"path":"f","content":"two"}`)
	if got := content(t, other); got != "two" {
		t.Errorf("the other name holds %q", got)
	}
	nothingLeft(t, dir, "f", "g")
}

func TestWriteToAPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "p"), 0o600); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	if r := use(t, Write{}, dir, `{"path":"p","content":"x"}`); !r.IsError || r.Content.Text() != "cannot write p: it is not a regular file" {
		t.Errorf("got %q", r.Content.Text())
	}
}
