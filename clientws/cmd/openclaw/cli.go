package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
)

// build is what the build stamped in.
type build struct{ version, commit string }

func (b build) String() string {
	if b.commit == "" || strings.Contains(b.version, b.commit) {
		return b.version
	}
	return b.version + " (" + b.commit + ")"
}

// cli is the command tree; each family has its own file.
type cli struct {
	Profile string           `help:"Use the state directory ~/.openclaw-NAME." placeholder:"NAME"`
	Dev     bool             `help:"Use the profile dev, with its own state and port 19001."`
	NoColor bool             `help:"No colours in the output."`
	Version kong.VersionFlag `short:"V" help:"Print the version and leave."`

	Setup     setupCmd      `cmd:"" help:"Make the configuration and the agent's folder."`
	Onboard   onboardCmd    `cmd:"" help:"Be led through the set-up: model, gateway, channels."`
	Gateway   gatewayCmd    `cmd:"" help:"Run the gateway, or talk to a running one."`
	Message   messageCmd    `cmd:"" help:"Send messages over the channels."`
	Agent     agentCmd      `cmd:"" help:"Send the agent a message and print its answer."`
	Health    healthCmd     `cmd:"" help:"Ask the running gateway for its health."`
	Status    statusCmd     `cmd:"" help:"Show the installation at a glance."`
	Workers   workersCmd    `cmd:"" help:"List and control the channel and agent processes."`
	Channels  channelsCmd   `cmd:"" help:"Show, add and remove channels and their accounts."`
	Sessions  sessionsCmd   `cmd:"" help:"List the stored conversations."`
	Pairing   pairingCmd    `cmd:"" help:"Let people in who wrote to a channel."`
	Outbox    outboxCmd     `cmd:"" help:"Show what is on its way to the networks, and decide on what is in doubt."`
	Models    modelsCmd     `cmd:"" help:"Show the models that can be used."`
	Logs      logsCmd       `cmd:"" help:"Show the gateway's log."`
	Dashboard dashboardCmd  `cmd:"" help:"Print a link that opens the Control UI, good once."`
	Config    configCmd     `cmd:"" help:"Read and change the configuration file."`
	Doctor    doctorCmd     `cmd:"" help:"Check the installation and say what to do."`
	Complete  completionCmd `cmd:"" name:"completion" help:"Print the script that completes commands in a shell."`
	Ver       versionCmd    `cmd:"" name:"version" help:"Print the version."`
}

// tool is what a command works with.
type tool struct {
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	build    build
	env      config.Environ
	paths    config.Paths
	color    bool
	// program is how hints call this program, with the active profile.
	program string
}

// failure is an error with one line that says what is wrong and one that says what to do.
type failure struct{ what, remedy string }

// Error gives the first line.
func (f *failure) Error() string { return f.what }

func fail(remedy, format string, args ...any) error {
	return &failure{what: fmt.Sprintf(format, args...), remedy: remedy}
}

// errSilent ends with exit code 1 after everything has been said.
var errSilent = errors.New("")

// run is the whole program; it gives the exit code.
func run(ctx context.Context, args []string, b build, out, errOut io.Writer) int {
	var c cli
	t := &tool{ctx: ctx, in: os.Stdin, out: out, err: errOut, build: b, env: config.ProcessEnviron(), program: "openclaw"}
	left := -1
	parser, err := kong.New(&c, kong.Name("openclaw"),
		kong.Description("One assistant on your own machine, reachable from the chat networks you use."),
		kong.Writers(out, errOut), kong.Exit(func(code int) { left = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": b.String()})
	if err != nil {
		return t.report(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if args[0] == "help" {
		args = append(args[1:], "--help")
	}
	if args[0] == completeWord {
		return t.complete(parser.Model, args[1:])
	}
	parsed, err := parser.Parse(args)
	if left >= 0 { // help, or the version, was asked for and given
		return left
	}
	if err != nil {
		return t.report(fail("run: openclaw --help", "%v", err))
	}
	if err := t.prepare(c); err != nil {
		return t.report(err)
	}
	return t.report(parsed.Run(t))
}

// prepare finds the paths of the chosen profile.
func (t *tool) prepare(c cli) error {
	profile := c.Profile
	if c.Dev && profile == "" {
		profile = "dev"
	}
	paths, err := config.ResolvePaths(t.env, profile)
	if err != nil {
		return err
	}
	t.paths = paths
	switch {
	case c.Dev:
		t.program += " --dev"
	case paths.Profile != "" && profile != "":
		t.program += " --profile " + paths.Profile
	}
	file, isFile := t.out.(*os.File)
	t.color = isFile && isTerminal(file) && !c.NoColor && t.env.Get("NO_COLOR") == ""
	return nil
}

// report prints an error and gives the exit code: 0 without one, else 1.
func (t *tool) report(err error) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, errCancelled) {
		_, _ = fmt.Fprintln(t.err, "Cancelled.")
		return 0
	}
	if errors.Is(err, errSilent) {
		return 1
	}
	var f *failure
	text, remedy := err.Error(), ""
	if errors.As(err, &f) {
		text, remedy = f.what, f.remedy
	}
	_, _ = fmt.Fprintln(t.err, strings.TrimRight(text, "\n"))
	if remedy != "" {
		_, _ = fmt.Fprintln(t.err, "→ "+remedy)
	}
	return 1
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(t *tool) error {
	t.print("openclaw %s", t.build)
	return nil
}
