// Command openclaw-channel-telegram is the Telegram worker; openclaw-supervisor starts it.
package main

import (
	"fmt"
	"os"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/workers/telegram"
)

// Stamped in by the build.
var (
	version = "dev"
	commit  = "unknown"
)

func main() {
	if len(os.Args) > 1 && (os.Args[1] == "--version" || os.Args[1] == "-v") {
		fmt.Printf("openclaw-channel-telegram %s (%s)\n", version, commit)
		return
	}
	channel.Serve(telegram.New(telegram.Options{Version: version}))
}
