// Command faultworker is a channel plugin that misbehaves on command, and plays the
// network behind it. Tests of the supervisor run it in a worker's place.
//
// It answers to the id in FAULTWORKER_ID, or to the end of its file's name
// (openclaw-channel-<id>). What it does wrong is said by a Fault: in FAULTWORKER_FAULT, in fault.json of its state
// directory, in the key "fault" of its config, or later by POST /mode of its control address.
//
// The network that it plays lies in files of its state directory, so that it outlives
// the process: messages that the supervisor has not stored are delivered again by the next life.
package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
)

func main() {
	w := newWorker(workerID(os.Args[0]), os.Getenv("OPENCLAW_STATE_DIR"))
	w.beforeHandshake()
	channel.Serve(w)
}

// workerID is who this process is to be.
func workerID(argv0 string) string {
	if id := os.Getenv("FAULTWORKER_ID"); id != "" {
		return id
	}
	if id, ok := strings.CutPrefix(filepath.Base(argv0), "openclaw-channel-"); ok {
		return id
	}
	return "fault"
}
