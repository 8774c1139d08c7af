// Command openclaw is the command line of an installation. It talks to a running gateway over its WebSocket, and to the
// configuration file; everything else belongs to the supervisor.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// version and commit are stamped in by the build.
var (
	version = "dev"
	commit  = ""
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], build{version, commit}, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
