package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The first texts of a workspace's files. The agent runtime brings the same ones, so that a workspace is alike whoever makes it.
//
//go:embed workspace/*.md
var workspaceTexts embed.FS

// bootstrapFile is made in a workspace that is new as a whole only: the agent deletes it after the first conversation.
const bootstrapFile = "BOOTSTRAP.md"

// makeWorkspace makes the folder and each file that is missing, and gives the names of those it made; it never
// overwrites. With bare only the folder is made.
func makeWorkspace(dir string, bare bool) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the workspace: %w", err)
	}
	if bare {
		return nil, nil
	}
	texts, err := fs.Glob(workspaceTexts, "workspace/*.md")
	if err != nil {
		return nil, err
	}
	isNew := true
	for _, name := range texts {
		if _, err := os.Lstat(filepath.Join(dir, filepath.Base(name))); err == nil && filepath.Base(name) != bootstrapFile {
			isNew = false
		}
	}
	var made []string
	for _, name := range texts {
		base := filepath.Base(name)
		if base == bootstrapFile && !isNew {
			continue
		}
		text, err := workspaceTexts.ReadFile(name)
		if err != nil {
			return made, err
		}
		wrote, err := writeOnce(filepath.Join(dir, base), text)
		if err != nil {
			return made, fmt.Errorf("make the workspace: %w", err)
		}
		if wrote {
			made = append(made, base)
		}
	}
	return made, nil
}

// writeOnce writes a file that is not there yet, and says whether it did.
func writeOnce(path string, text []byte) (bool, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.Write(text)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err == nil, err
}
