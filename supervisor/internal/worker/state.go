package worker

import (
	"fmt"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// State is where a process stands.
type State string

// The states. Running means that handshake, Describe, Configure and Attach are done.
const (
	Stopped  State = "stopped"
	Starting State = "starting"
	Running  State = "running"
	Draining State = "draining"
	Backoff  State = "backoff"
	// Terminal: trying again cannot help; the Condition says what a person must do.
	Terminal State = "terminal"
)

// ExitKind says how, or why, a process ended.
type ExitKind string

// The kinds of exit.
const (
	// ExitEnded: it ended by itself with code 0, which no worker is to do unasked.
	ExitEnded ExitKind = "ended"
	// ExitFailed: it ended by itself with another code.
	ExitFailed ExitKind = "failed"
	// ExitPanic: its last words are a Go panic or a fatal error of the runtime.
	ExitPanic ExitKind = "panic"
	// ExitSignal: a signal that we did not send ended it.
	ExitSignal ExitKind = "signal"
	// ExitNotStarted: the system could not run the file.
	ExitNotStarted ExitKind = "not_started"
	// ExitStart: it ran, and could not be brought to running.
	ExitStart ExitKind = "start_failed"
	// ExitStartTimeout: it was not running in time and was ended.
	ExitStartTimeout ExitKind = "start_timeout"
	// ExitStalled: it did not answer its health probe and was ended.
	ExitStalled ExitKind = "stalled"
	// ExitLineLost: its line broke, and it was ended.
	ExitLineLost ExitKind = "line_lost"
	// ExitMemory: it grew over its memory limit and was ended.
	ExitMemory ExitKind = "memory"
	// ExitKilled: the operator killed it.
	ExitKilled ExitKind = "killed"
	// ExitDrained: it was asked to go.
	ExitDrained ExitKind = "drained"
)

// asked reports whether the exit is our own wish and no failure.
func (k ExitKind) asked() bool { return k == ExitDrained || k == ExitKilled }

// Exit is the end of one process.
type Exit struct {
	Kind ExitKind `json:"kind"`
	// Code is the exit code; -1 where a signal ended it or it never ran.
	Code int `json:"code"`
	// Signal is the name of the signal that ended it, such as "SIGKILL"; empty for none.
	Signal string `json:"signal,omitempty"`
	// AtMS is when it was known, in unix milliseconds.
	AtMS int64 `json:"at,omitempty"`
}

// String gives one line for people.
func (e Exit) String() string {
	var b strings.Builder
	b.WriteString(string(e.Kind))
	switch {
	case e.Signal != "":
		fmt.Fprintf(&b, " (%s)", e.Signal)
	case e.Code >= 0 && e.Kind != ExitEnded && e.Kind != ExitNotStarted:
		fmt.Fprintf(&b, " (exit code %d)", e.Code)
	}
	return b.String()
}

// Codes of conditions.
const (
	CodeCrashed       = "crashed"
	CodeBackingOff    = "backing_off"
	CodeStoppedByUser = "stopped_by_operator"
	CodeWrongContract = "wrong_contract"
	CodeWrongID       = "wrong_id"
	CodeInvalidConfig = "invalid_config"
	CodeNotAPlugin    = "not_a_plugin"
	CodeNotExecutable = "not_executable"
	CodeWrongArch     = "wrong_architecture"
	CodeMissing       = "missing"
	CodeStartFailed   = "start_failed"
	CodeStartTimeout  = "start_timeout"
	CodeStalled       = "stalled"
	CodeMemory        = "memory_limit"
	CodeUnavailable   = "unavailable"
)

// Condition says why a worker is where it is, and what a person can do.
type Condition struct {
	// Code is for machines, Text for people, Action what to do; empty = nothing.
	Code   string
	Text   string
	Action string
}

// Event is one transition of a process, or, where Account is set, of one of its accounts.
type Event struct {
	Worker string
	Kind   plugin.Kind
	State  State
	PID    int
	// Restarts counts the starts after the first one, over the worker's whole record.
	Restarts  int64
	Exit      *Exit
	Condition *Condition
	Account   *plugin.AccountState
	// LastWords are the last lines of a process that ended unasked.
	LastWords []string
	// TSMS is the time in unix milliseconds.
	TSMS int64
}

// Status is one worker as it is now.
type Status struct {
	ID    string
	Kind  plugin.Kind
	State State
	// StoppedByOperator is true where an operator's stop holds, over any restart.
	StoppedByOperator bool
	PID               int
	Version           string
	Executable        string
	// Since is when State began.
	Since    time.Time
	Restarts int64
	// Failures is the decaying count that decides the next wait.
	Failures float64
	// NextTry is when a worker in Backoff is started again.
	NextTry   time.Time
	LastExit  *Exit
	LastWords []string
	Condition *Condition
	// Accounts are the accounts as the worker last told, by id. They mean nothing unless Running.
	Accounts []AccountStatus
	// Health is the last answer to the probe, Resident the memory in use at it, in bytes;
	// 0 where the system does not tell.
	Health   plugin.HealthReport
	Resident int64
}

// AccountStatus is an account's last state and when it came into its phase.
type AccountStatus struct {
	plugin.AccountState
	Since time.Time
}
