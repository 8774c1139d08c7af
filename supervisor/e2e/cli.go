package e2e

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"time"
)

// Result is what a command came to.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// CLI runs the command line in this Env's home.
func (e *Env) CLI(args ...string) Result {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), 2*time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(e.Bin.Dir, cliBinary), args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = e.dir("work"), e.environ(), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		e.t.Fatalf("openclaw %q: %v", args, err)
	}
	return Result{Code: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errs.String()}
}

// MustCLI runs a command that must exit with 0, and gives its output.
func (e *Env) MustCLI(args ...string) string {
	e.t.Helper()
	r := e.CLI(args...)
	if r.Code != 0 {
		e.t.Fatalf("openclaw %q: exit code %d\n%s%s", args, r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}
