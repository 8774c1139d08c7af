// Command openclaw-supervisor is the one long-lived process of an installation: it
// serves the control plane, stores and routes messages, and keeps one subprocess per channel and one for the agent.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/app"
)

// version and commit are stamped in by the build.
var (
	version = "dev"
	commit  = ""
)

type flags struct {
	Port              int              `help:"Port of the control plane; 0 takes the configuration's (18789)." placeholder:"N"`
	Bind              string           `help:"Where to listen: loopback, lan, tailnet, auto or custom." placeholder:"MODE"`
	Auth              string           `help:"How clients prove themselves: token or password." placeholder:"MODE"`
	Token             string           `help:"Shared token; better kept in the configuration, since other users see command lines." placeholder:"SECRET"`
	Password          string           `help:"Shared password; see --token." placeholder:"SECRET"`
	Profile           string           `help:"Use the state directory ~/.openclaw-NAME." placeholder:"NAME"`
	AllowUnconfigured bool             `help:"Start without gateway.mode=local, and make a configuration on the very first run."`
	Dev               bool             `help:"As --allow-unconfigured, with the profile dev and its ports."`
	WorkersDir        string           `help:"Folder of the bundled workers; default: beside this program." placeholder:"DIR" type:"existingdir"`
	Verbose           bool             `help:"Say more at the console."`
	Version           kong.VersionFlag `help:"Print the version and leave."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("openclaw-supervisor"), kong.Vars{"version": "openclaw-supervisor " + version + " " + commit},
		kong.Description("Serve the control plane of OpenClaw and supervise its workers. Stop with SIGTERM or Ctrl-C."))
	if err := run(f); err != nil {
		fmt.Fprintln(os.Stderr, "Gateway failed to start: "+err.Error())
		os.Exit(1)
	}
}

func run(f flags) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	a, err := app.New(ctx, app.Options{
		Version: version, Commit: commit, Profile: f.Profile, AllowUnconfigured: f.AllowUnconfigured, Dev: f.Dev, Verbose: f.Verbose,
		Port: f.Port, Bind: f.Bind, AuthMode: f.Auth, Token: f.Token, Password: f.Password, WorkersDir: f.WorkersDir, Console: os.Stdout,
	})
	if err != nil {
		return err
	}
	go a.Signals(signals, stop)
	return a.Run(ctx)
}
