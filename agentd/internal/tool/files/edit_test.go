package files

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
)

// use calls a tool in a folder.
func use(t *testing.T, tl tool.Tool, dir, args string) tool.Result {
	t.Helper()
	return tool.NewRegistry(tl).Select().Run(t.Context(), tl.Spec().Name, tool.Call{Workspace: dir, Args: json.RawMessage(args)})
}

func content(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// nothingLeft fails where a folder holds more than these.
func nothingLeft(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff(got, names); diff != "" {
		t.Errorf("folder (-got +want):\n%s", diff)
	}
}

func TestEdit(t *testing.T) {
	const notFound = "f: oldText was not found. It has to be as in the file, blanks and line breaks included; read the file again"
	tests := []struct {
		name, file, args string
		want             string // of the file
		text             string // of an error
	}{
		{"exact", "a\nb\nc\n", `{"path":"f","oldText":"b","newText":"B"}`, "a\nB\nc\n", ""},
		{"other names", "a\nb\n", `{"file_path":"f","old_string":"b\n","new_string":""}`, "a\n", ""},
		{"no path", "a", `{"oldText":"a","newText":"b"}`, "a", "Missing required parameter: path"},
		{"no old text", "a", `{"path":"f","newText":"b"}`, "a", "Missing required parameter: oldText"},
		{"empty old text", "a", `{"path":"f","oldText":"","newText":"b"}`, "a", "Missing required parameter: oldText"},
		{"no new text", "a", `{"path":"f","oldText":"a"}`, "a", "Missing required parameter: newText"},
		{"not there", "a", `{"path":"f","oldText":"z","newText":"b"}`, "a", notFound},
		{"twice", "x x", `{"path":"f","oldText":"x","newText":"b"}`, "x x", "f: Found 2 occurrences of oldText. It must be unique: give more of the lines round the place"},
		{"no change", "x", `{"path":"f","oldText":"x","newText":"x"}`, "x", "f: nothing would change: newText is what stands there already"},
		{"no such file", "x", `{"path":"g","oldText":"x","newText":"y"}`, "x", "file not found: g"},
		{"folder", "x", `{"path":".","oldText":"x","newText":"y"}`, "x", ". is not a regular file"},
		{"CRLF stays", "a\r\nb\r\nc\r\n", `{"path":"f","oldText":"a\nb","newText":"1\n2\r\n3"}`, "1\r\n2\r\n3\r\nc\r\n", ""},
		{"mixed line ends elsewhere stay", "a\nb\r\nc\n", `{"path":"f","oldText":"b","newText":"x\ny"}`, "a\nx\ny\r\nc\n", ""},
		{"BOM stays", "\uFEFFa\r\nb", `{"path":"f","oldText":"a\n","newText":"z\n"}`, "\uFEFFz\r\nb", ""},
		{"BOM stays with bare line feeds", "\uFEFFa\nb", `{"path":"f","oldText":"b","newText":"c"}`, "\uFEFFa\nc", ""},
		{"blanks at the end", "if x {  \n\ty()\t\n}\nz  \n", `{"path":"f","oldText":"if x {\n\ty()\n}","newText":"w()"}`, "w()\nz  \n", ""},
		{"blanks in what is searched", "a\nb\n", `{"path":"f","oldText":"a  \nb","newText":"c"}`, "c\n", ""},
		{"quotes, dashes and spaces", "say “it’s” – now\u00a0! “rest”", `{"path":"f","oldText":"\"it's\" - now !","newText":"no"}`, "say no “rest”", ""},
		{"exact goes first", "“a” \"a\"", `{"path":"f","oldText":"\"a\"","newText":"b"}`, "“a” b", ""},
		{"loose and twice", "“a” „ “a”", `{"path":"f","oldText":"\"a\"","newText":"b"}`, "“a” „ “a”", "f: Found 2 occurrences of oldText. It must be unique: give more of the lines round the place"},
		{"only blanks", "ab", `{"path":"f","oldText":"  ","newText":"b"}`, "ab", notFound},
		{"bytes that are no text", "\xff\xfe’x\xff", `{"path":"f","oldText":"'x","newText":"y"}`, "\xff\xfey\xff", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "f")
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			want, isError := "Successfully replaced text in f.", tt.text != ""
			if isError {
				want = tt.text
			}
			r := use(t, Edit{}, dir, tt.args)
			if r.IsError != isError || r.Content.Text() != want {
				t.Errorf("got %q (error %v), want %q", r.Content.Text(), r.IsError, want)
			}
			if got := content(t, path); got != tt.want {
				t.Errorf("file: got %q, want %q", got, tt.want)
			}
			nothingLeft(t, dir, "f")
		})
	}
}

func TestEditTellsTheChange(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte(numbered(12)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := use(t, Edit{}, dir, `{"path":"f","oldText":"line 6\nline 7\n","newText":"six\n"}`)
	var got struct {
		Diff             string
		FirstChangedLine int
	}
	if err := json.Unmarshal(r.Details, &got); err != nil {
		t.Fatalf("%v: %s", err, r.Content.Text())
	}
	want := "  2 line 2\n  3 line 3\n  4 line 4\n  5 line 5\n- 6 line 6\n- 7 line 7\n+ 6 six\n  7 line 8\n  8 line 9\n  9 line 10\n 10 line 11"
	if diff := cmp.Diff(got.Diff, want); diff != "" || got.FirstChangedLine != 6 {
		t.Errorf("line %d, diff (-got +want):\n%s", got.FirstChangedLine, diff)
	}
}

func TestEditRefusesWhatIsTooLarge(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "f"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(maxEdit + 1); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if r := use(t, Edit{}, dir, `{"path":"f","oldText":"a","newText":"b"}`); !r.IsError || !strings.Contains(r.Content.Text(), "can be edited") {
		t.Errorf("got %q", r.Content.Text())
	}
}

// FuzzSubstitute: what is not replaced stays to the byte.
func FuzzSubstitute(f *testing.F) {
	f.Add("a “b” c\r\nd  \n", "\"b\" c\nd", "x\ny")
	f.Add("\uFEFFa\xff\r\n", "a", "")
	f.Fuzz(func(t *testing.T, text, old, fresh string) {
		if old == "" || len(text)+len(fresh) > 1<<10 {
			return
		}
		got, err := substitute(text, old, fresh)
		if err != nil {
			return
		}
		fresh = strings.ReplaceAll(fresh, "\r\n", "\n")
		crlf := strings.ReplaceAll(fresh, "\n", "\r\n")
		for at := range len(text) + 1 {
			for _, f := range []string{fresh, crlf} {
				if strings.HasPrefix(got, text[:at]+f) && strings.HasSuffix(text[at:], got[at+len(f):]) {
					return
				}
			}
		}
		t.Errorf("%q with %q for %q became %q", text, fresh, old, got)
	})
}
