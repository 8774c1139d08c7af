// Command openclaw-channel-echo is the echo channel; openclaw-supervisor starts it.
package main

import (
	"github.com/openclaw/openclaw-supervisor/proto/examples/echo"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
)

// Stamped in by the build.
var version = "dev"

func main() { channel.Serve(echo.New(version)) }
