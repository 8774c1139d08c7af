package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Names of the binaries.
const (
	supervisorBinary = "openclaw-supervisor"
	cliBinary        = "openclaw"
	agentdBinary     = "openclaw-agentd"
	telegramBinary   = "openclaw-channel-telegram"
	echoBinary       = "openclaw-channel-echo"
	faultBinary      = "openclaw-channel-fault"
)

// Binaries is a folder with everything built: the bundled workers beside the supervisor,
// plugins apart from them.
type Binaries struct {
	// Dir holds the supervisor, the command line, agentd and the bundled workers.
	Dir string
	// Plugins holds what a test drops into a plugins folder: echo and fault.
	Plugins string
}

// built is the one build of a test run.
var built struct {
	once sync.Once
	root string
	bin  Binaries
	err  error
}

// Build compiles all binaries, once in a test run. With E2E_BIN it takes those that a former
// build has left in that folder.
func Build(ctx context.Context, repo string) (Binaries, error) {
	built.once.Do(func() {
		if dir := os.Getenv("E2E_BIN"); dir != "" {
			built.bin = Binaries{Dir: filepath.Join(dir, "bin"), Plugins: filepath.Join(dir, "plugins")}
			return
		}
		built.root, built.err = os.MkdirTemp("", "oce2e-bin-")
		if built.err == nil {
			built.bin, built.err = build(ctx, repo, built.root)
		}
	})
	return built.bin, built.err
}

// RemoveBinaries deletes what Build made. The last test has ended by then.
func RemoveBinaries() error {
	if built.root == "" {
		return nil
	}
	return os.RemoveAll(built.root)
}

func build(ctx context.Context, repo, root string) (Binaries, error) {
	b := Binaries{Dir: filepath.Join(root, "bin"), Plugins: filepath.Join(root, "plugins")}
	for _, dir := range []string{b.Dir, b.Plugins} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return b, err
		}
	}
	for _, step := range []struct {
		out      string
		packages []string
	}{
		{b.Dir + "/", []string{
			"./clientws/cmd/" + cliBinary, "./supervisor/cmd/" + supervisorBinary, "./agentd/cmd/" + agentdBinary,
			"./workers/telegram/cmd/" + telegramBinary,
		}},
		{filepath.Join(b.Plugins, faultBinary), []string{"./workers/fakenet/cmd/faultworker"}},
		{filepath.Join(b.Plugins, echoBinary), []string{"./proto/examples/echo/cmd/" + echoBinary}},
	} {
		args := []string{"build", "-trimpath", "-ldflags", "-s -w -X main.version=1.0.0-e2e", "-o", step.out}
		cmd := exec.CommandContext(ctx, "go", append(args, step.packages...)...)
		cmd.Dir = repo
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if os.Getenv("E2E_RACE") != "" {
			cmd.Args = append([]string{"go", "build", "-race", "-o", step.out}, step.packages...)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return b, fmt.Errorf("build %s: %w\n%s", strings.Join(step.packages, " "), err, out)
		}
	}
	return b, nil
}

// workersWithout makes a folder of bundled workers like the built one, but with one of them
// missing, and gives its path.
func (e *Env) workersWithout(id string) string {
	e.t.Helper()
	dir := e.dir("bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		e.t.Fatal(err)
	}
	for _, w := range []struct{ id, file string }{{agentdID, agentdBinary}, {telegramID, telegramBinary}} {
		if w.id == id {
			continue
		}
		if err := copyFile(filepath.Join(e.Bin.Dir, w.file), filepath.Join(dir, w.file)); err != nil {
			e.t.Fatal(err)
		}
	}
	return dir
}

// copyFile copies a program.
func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}
