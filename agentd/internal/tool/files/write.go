package files

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
)

// Write is the tool "write".
type Write struct{}

var _ tool.Tool = Write{}

// Spec describes the tool.
func (Write) Spec() tool.Spec {
	return tool.Spec{
		Name:        "write",
		Summary:     "Create or overwrite files",
		Description: "Write a file as a whole. Folders that are missing are made; a file that is there is overwritten. To change a part of a file use edit.",
		Schema: json.RawMessage(`{
			"type": "object",
			"properties": {
				"path": {"type": "string", "description": "File to write, relative to the workspace or absolute"},
				"file_path": {"type": "string", "description": "Other name of path"},
				"content": {"type": "string", "description": "What the file shall hold"}
			}
		}`),
	}
}

// Run writes a file.
func (Write) Run(_ context.Context, c tool.Call) (tool.Result, error) {
	var args struct {
		Path     string  `json:"path"`
		FilePath string  `json:"file_path"`
		Content  *string `json:"content"`
	}
	if err := json.Unmarshal(c.Args, &args); err != nil {
		return tool.Result{}, fmt.Errorf("read arguments: %w", err)
	}
	if args.Path == "" {
		args.Path = args.FilePath
	}
	switch {
	case args.Path == "":
		return missing("path"), nil
	case args.Content == nil:
		return missing("content"), nil
	}
	path := Resolve(c.Workspace, args.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return tool.Result{}, fmt.Errorf("cannot make the folder of %s: %w", args.Path, err)
	}
	if err := replace(path, []byte(*args.Content)); err != nil {
		return tool.Result{}, fmt.Errorf("cannot write %s: %w", args.Path, err)
	}
	return tool.Text("Successfully wrote %d bytes to %s", len(*args.Content), args.Path), nil
}

func missing(name string) tool.Result { return tool.Failure("Missing required parameter: %s", name) }
