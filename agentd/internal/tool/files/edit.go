package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
)

// maxEdit is the largest file that is edited, in bytes.
const maxEdit = 10 << 20

// Edit is the tool "edit".
type Edit struct{}

var _ tool.Tool = Edit{}

// Spec describes the tool.
func (Edit) Spec() tool.Spec {
	return tool.Spec{
		Name:    "edit",
		Summary: "Make precise edits to files",
		Description: "Replace one piece of a text file by another. oldText has to be in the file exactly once, blanks and line breaks included; " +
			"give as many lines round the place as make it unique.",
		Schema: json.RawMessage(`{
			"type": "object",
			"properties": {
				"path": {"type": "string", "description": "File to edit, relative to the workspace or absolute"},
				"file_path": {"type": "string", "description": "Other name of path"},
				"oldText": {"type": "string", "description": "The text to replace"},
				"old_string": {"type": "string", "description": "Other name of oldText"},
				"newText": {"type": "string", "description": "What shall stand in its place"},
				"new_string": {"type": "string", "description": "Other name of newText"}
			}
		}`),
	}
}

// Run edits a file.
func (Edit) Run(_ context.Context, c tool.Call) (tool.Result, error) {
	var args struct {
		Path      string  `json:"path"`
		FilePath  string  `json:"file_path"`
		OldText   *string `json:"oldText"`
		OldString *string `json:"old_string"`
		NewText   *string `json:"newText"`
		NewString *string `json:"new_string"`
	}
	if err := json.Unmarshal(c.Args, &args); err != nil {
		return tool.Result{}, fmt.Errorf("read arguments: %w", err)
	}
	if args.Path == "" {
		args.Path = args.FilePath
	}
	if args.OldText == nil {
		args.OldText = args.OldString
	}
	if args.NewText == nil {
		args.NewText = args.NewString
	}
	switch {
	case args.Path == "":
		return missing("path"), nil
	case args.OldText == nil || *args.OldText == "":
		return missing("oldText"), nil
	case args.NewText == nil:
		return missing("newText"), nil
	}
	path := Resolve(c.Workspace, args.Path)
	before, err := readWhole(path, args.Path)
	if err != nil {
		return tool.Result{}, err
	}
	after, err := substitute(before, *args.OldText, *args.NewText)
	if err != nil {
		return tool.Result{}, fmt.Errorf("%s: %w", args.Path, err)
	}
	if err := replace(path, []byte(after)); err != nil {
		return tool.Result{}, fmt.Errorf("cannot write %s: %w", args.Path, err)
	}
	diff, line := difference(before, after)
	details, err := json.Marshal(map[string]any{"diff": diff, "firstChangedLine": line})
	if err != nil {
		return tool.Result{}, fmt.Errorf("describe the change: %w", err)
	}
	r := tool.Text("Successfully replaced text in %s.", args.Path)
	r.Details = details
	return r, nil
}

// readWhole reads a regular file that is not too large. The name is for errors.
func readWhole(path, name string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("file not found: %s", name)
	}
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", name, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read %s: %w", name, err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a regular file", name)
	case info.Size() > maxEdit:
		return "", fmt.Errorf("%s has %d bytes; at most %d can be edited", name, info.Size(), maxEdit)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxEdit+1))
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", name, err)
	}
	if len(raw) > maxEdit {
		return "", fmt.Errorf("%s grows while it is read", name)
	}
	return string(raw), nil
}

// substitute puts fresh in the place of old, which has to be in text once. Text
// elsewhere stays as it is to the byte; fresh takes on the file's line ends.
func substitute(text, old, fresh string) (string, error) {
	var at, end, count int
	for _, how := range []func(string) view{plain, loose} {
		v, want := how(text), how(old).text
		if want == "" {
			continue
		}
		if count = strings.Count(v.text, want); count > 0 {
			i := strings.Index(v.text, want)
			at, end = v.span(i, i+len(want))
			break
		}
	}
	switch {
	case count == 0:
		return "", errors.New("oldText was not found. It has to be as in the file, blanks and line breaks included; read the file again")
	case count > 1:
		return "", fmt.Errorf("Found %d occurrences of oldText. It must be unique: give more of the lines round the place", count) //nolint:staticcheck // the marker's spelling is given
	}
	fresh = strings.ReplaceAll(fresh, "\r\n", "\n")
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		fresh = strings.ReplaceAll(fresh, "\n", "\r\n")
	}
	if text[at:end] == fresh {
		return "", errors.New("nothing would change: newText is what stands there already")
	}
	return text[:at] + fresh + text[end:], nil
}
