package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/model"
	"github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

// patience is how long an await waits where nothing else is said. It is no measurement:
// a loaded machine may take its time.
const patience = 30 * time.Second

// Env is an installation of its own: a home, a state directory, the fake networks around
// it, and the supervisor that runs in it.
type Env struct {
	// Bin is where the binaries lie; WorkersDir, if set, is passed as --workers-dir.
	Bin        Binaries
	WorkersDir string
	// Root holds everything of this Env. Home stays empty, State is the state directory.
	Root, Home, State string
	// Telegram and Model are the far sides of the sockets, already serving.
	Telegram *telegram.Server
	Model    *model.Server
	// Port and Token are the control plane's.
	Port  int
	Token string
	// Vars are further variables of the supervisor's and the command line's environment.
	Vars []string
	// Args are further arguments of the supervisor.
	Args []string
	// Tolerated are texts that the log may hold although they look like a breakdown.
	Tolerated []string

	t      testing.TB
	repo   string
	cfg    Config
	wrap   func(argv []string) []string
	clones uintptr
	clean  bool // the last supervisor was stopped, and ended well
	plain  bool // no variables of ours: everything lies where it does for a person

	mu         sync.Mutex // guards what follows
	supervisor *process
	client     *clientws.Client
	starts     int
}

// New makes an Env whose configuration is that of config, with nothing running in it but
// the fakes. What is left at the test's end is looked at, and removed.
func New(t testing.TB) *Env {
	t.Helper()
	repo := repoDir(t)
	bin, err := Build(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.MkdirTemp("", "oce2e-")
	if err != nil {
		t.Fatal(err)
	}
	e := &Env{
		t: t, repo: repo, Bin: bin, Root: root, Home: filepath.Join(root, "home"), State: filepath.Join(root, "state"),
		Token: "token-of-this-test", Telegram: &telegram.Server{PollCap: 5 * time.Second}, Model: &model.Server{},
	}
	for _, dir := range []string{e.Home, e.Workspace(), e.dir("work"), e.dir("run"), e.dir("tmp"), e.dir("client")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	e.Port = freePort(t)
	for _, start := range []func() error{e.Telegram.Start, e.Model.Start} {
		if err := start(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(e.end)
	e.cfg = e.config()
	e.writeConfig()
	return e
}

// dir is a folder of this Env beside the state directory.
func (e *Env) dir(name string) string { return filepath.Join(e.Root, name) }

// end stops what runs, looks at what is left, and removes it.
func (e *Env) end() {
	e.CloseClient()
	if p := e.running(); p != nil {
		e.stop(p)
	}
	e.Telegram.Close()
	e.Model.Close()
	e.checkNothingLives()
	e.checkLitter()
	e.checkOutput()
	if e.t.Failed() {
		e.dump()
	}
	if os.Getenv("E2E_KEEP") != "" {
		e.t.Logf("kept: %s", e.Root)
		return
	}
	if err := os.RemoveAll(e.Root); err != nil {
		e.t.Error(err)
	}
}

// environ is the environment of what this Env runs: the home and the folders are its own.
func (e *Env) environ() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + e.Home, "LANG=C.UTF-8", "TZ=UTC", "TMPDIR=" + e.dir("tmp"), "NO_COLOR=1",
		"XDG_RUNTIME_DIR=" + e.dir("run"),
	}
	if e.plain {
		env = append(env, "OPENCLAW_GATEWAY_PORT="+strconv.Itoa(e.Port))
	} else {
		env = append(env, "OPENCLAW_STATE_DIR="+e.State, "OPENCLAW_CONFIG_PATH="+e.ConfigFile())
	}
	return append(env, e.Vars...)
}

// freePort finds a port that nobody listens on.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// repoDir is the checkout's top folder: the one that holds go.work.
func repoDir(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.work above the test's folder")
		}
	}
}
