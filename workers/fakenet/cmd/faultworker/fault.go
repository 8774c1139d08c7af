package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Fault says what goes wrong. The zero value is a well-behaved worker.
type Fault struct {
	// Lives limits everything below to the first so many processes; 0 = all.
	Lives int `json:"lives,omitempty"`
	// Handshake: "never" prints nothing, "text" prints something else, "contract" offers
	// another version of the contract, "exit" ends with code 7.
	Handshake string `json:"handshake,omitempty"`
	// Describe: "hang", "id" gives a wrong id.
	Describe string `json:"describe,omitempty"`
	// Configure: "hang", "invalid" refuses the key "fault", "crash" does Crash at once.
	Configure string `json:"configure,omitempty"`
	// Health: "hang".
	Health string `json:"health,omitempty"`
	// Drain: "hang" never ends, so that SIGTERM is ignored too.
	Drain string `json:"drain,omitempty"`
	// Crash is how to die: "exit:<code>", "panic", "stack", "abort", "segv", "kill".
	Crash string `json:"crash,omitempty"`
	// CrashAfterMS is the time from Attach to the crash; CrashAfterEvents the number of
	// inbound messages reported. 0 = not by it.
	CrashAfterMS     int `json:"crashAfterMs,omitempty"`
	CrashAfterEvents int `json:"crashAfterEvents,omitempty"`
	// FloodBytes are written to stderr at once after Attach, and before a crash.
	FloodBytes int `json:"floodBytes,omitempty"`
	// LeakMBPerS makes the process grow from Attach on.
	LeakMBPerS int `json:"leakMbPerS,omitempty"`
	// Phase is the account's: "connected" where empty, else "needs_login", "terminal" or "connecting".
	Phase string `json:"phase,omitempty"`
	// Sends are the answers to the next sends, one each; after them everything is sent.
	Sends []SendFault `json:"sends,omitempty"`
	// Reconcile: "cannot_tell"; otherwise what the network knows is told.
	Reconcile string `json:"reconcile,omitempty"`
	// Named makes the network know messages by their delivery id, and take none twice.
	Named bool `json:"named,omitempty"`
	// Children starts so many sleeping processes, whose pids go to the file "children".
	Children int `json:"children,omitempty"`
	// Calls makes one call to the supervisor after Attach, as only the agent runtime may.
	Calls bool `json:"calls,omitempty"`
}

// SendFault is the answer to one send.
type SendFault struct {
	// Outcome: "sent" where empty, "refused", "not_sent", "unknown".
	Outcome string `json:"outcome,omitempty"`
	// Accept puts the message on the network even though the answer is another.
	Accept       bool   `json:"accept,omitempty"`
	DelayMS      int    `json:"delayMs,omitempty"`
	RetryAfterMS int64  `json:"retryAfterMs,omitempty"`
	Code         string `json:"code,omitempty"`
	// Then comes after the network has taken the message, or not: "hang" or a Crash.
	Then string `json:"then,omitempty"`
}

// startFault reads what is known before the config is.
func startFault(stateDir string) (Fault, error) {
	var f Fault
	raw := []byte(os.Getenv("FAULTWORKER_FAULT"))
	if len(raw) == 0 && stateDir != "" {
		b, err := os.ReadFile(filepath.Join(stateDir, "fault.json"))
		if err != nil && !os.IsNotExist(err) {
			return f, fmt.Errorf("read fault: %w", err)
		}
		raw = b
	}
	if len(raw) == 0 {
		return f, nil
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return f, fmt.Errorf("read fault: %w", err)
	}
	return f, nil
}

// countLife adds this process to those that ran in a state directory before.
func countLife(stateDir string) int {
	if stateDir == "" {
		return 1
	}
	name := filepath.Join(stateDir, "lives")
	b, _ := os.ReadFile(name)
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	n++
	_ = os.WriteFile(name, []byte(strconv.Itoa(n)), 0o600)
	return n
}

// in gives the fault as it holds in the n-th life.
func (f Fault) in(life int) Fault {
	if f.Lives > 0 && life > f.Lives {
		return Fault{Named: f.Named}
	}
	return f
}
