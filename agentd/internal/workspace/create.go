package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// template is the first text of a file.
type template struct{ name, text string }

func templates() []template {
	return []template{
		{Agents, "# How to work\n\nThis folder is your home. At the start of a session read SOUL.md and USER.md; they are in your prompt already.\n\n" +
			"- Keep what matters in files: short notes of the day in memory/YYYY-MM-DD.md, lasting facts in MEMORY.md.\n" +
			"- Ask before you send anything to third parties or delete what cannot be restored.\n- In group chats speak when you can add something, otherwise stay silent.\n"},
		{Soul, "# Who you are\n\nBe useful rather than polite for its own sake. Have a view, say when you are not sure, keep private things private.\n"},
		{Tools, "# Notes on local tools\n\nNames of machines, paths, habits of this place. This file only informs; it switches no tool on or off.\n"},
		{Identity, "# Identity\n\n- Name:\n- Kind of creature:\n- Manner:\n- Emoji:\n"},
		{User, "# The person you help\n\n- Name:\n- How to address them:\n- Time zone:\n- Notes:\n"},
		{Heartbeat, "# Heartbeat\n\n"},
	}
}

const bootstrapText = "# First conversation\n\nYou have just been set up and know nobody yet. Find out, in a natural talk, what you should be called and how you should be, and whom you " +
	"help. Write the answers into IDENTITY.md, USER.md and SOUL.md. Then delete this file: it is needed only once.\n"

// Ensure creates the workspace and each file that is missing; it never overwrites.
// BOOTSTRAP.md is made only in a workspace that is new as a whole, so that deleting it
// later does not bring it back; such a workspace also becomes a git repository where
// git is at hand. With skip only the folder is made.
func Ensure(ctx context.Context, dir string, skip bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create workspace: %w", err)
	}
	if skip {
		return nil
	}
	isNew := true
	for _, t := range templates() {
		if _, err := os.Lstat(filepath.Join(dir, t.name)); err == nil {
			isNew = false
		}
	}
	all := templates()
	if isNew {
		all = append(all, template{Bootstrap, bootstrapText})
	}
	for _, t := range all {
		if err := createOnce(filepath.Join(dir, t.name), t.text); err != nil {
			return err
		}
	}
	if isNew {
		gitInit(ctx, dir)
	}
	return nil
}

func createOnce(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", filepath.Base(path), err)
	}
	_, err = f.WriteString(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", filepath.Base(path), err)
	}
	return nil
}

// gitInit makes dir a repository if git answers; a failure changes nothing for the agent.
func gitInit(ctx context.Context, dir string) {
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
		return
	}
	probe, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if exec.CommandContext(probe, "git", "--version").Run() != nil {
		return
	}
	work, cancelWork := context.WithTimeout(ctx, 10*time.Second)
	defer cancelWork()
	cmd := exec.CommandContext(work, "git", "init", "-q")
	cmd.Dir = dir
	_ = cmd.Run()
}
