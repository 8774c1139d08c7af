package worker

import (
	"slices"
	"strings"
)

// inheritedNames are all that a worker gets of the supervisor's environment: nothing
// that could hold another worker's secret.
var inheritedNames = []string{"PATH", "HOME", "LANG", "TZ", "TMPDIR"}

// workerEnviron is the environment of one worker.
func workerEnviron(host []string, s Spec) []string {
	var env []string
	for _, kv := range host {
		name, _, _ := strings.Cut(kv, "=")
		if slices.Contains(inheritedNames, name) {
			env = append(env, kv)
		}
	}
	env = append(env, s.Env...)
	return append(env, "OPENCLAW_STATE_DIR="+s.StateDir)
}
