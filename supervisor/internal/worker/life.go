package worker

import (
	"syscall"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// launcher makes processes. It is an interface so that the owner's decisions can be
// tested without any.
type launcher interface {
	// launch begins one process and returns at once. number is the life's; restarts is for the log.
	launch(spec Spec, number uint64, restarts int64, out *output) life
}

// life is one process from its birth to its end, as its owner sees it. All methods
// return at once; what comes of them arrives as an event.
type life interface {
	// events ends with one gone, after which nothing of the process is left.
	events() <-chan lifeEvent
	// cancel gives up a start and the calls in hand; it does not end the process.
	cancel()
	// retire ends the context of Sink.Running: the process is to go.
	retire()
	probe(timeout time.Duration)
	drain(timeout time.Duration)
	configure(spec Spec)
	// signal does nothing once the process has ended. SIGKILL reaches the whole process group.
	signal(sig syscall.Signal)
}

// lifeEvent is something that became of a life; each of them is one of the types below.
type lifeEvent any

type (
	// born: the process exists.
	born struct {
		pid        int
		startTicks uint64
		executable string // as the system tells it
	}
	// failed: the start went wrong. gone follows, by itself or after a signal.
	failed startFailure
	// running: handshake, Describe, Configure and Attach are done.
	running struct{ handle Handle }
	// accountTold: an account's state arrived.
	accountTold struct{ state plugin.AccountState }
	// lost: the line broke.
	lost struct{ err error }
	// probed answers probe.
	probed struct {
		report   plugin.HealthReport
		resident int64
		err      error
	}
	// drained answers drain.
	drained struct{ err error }
	// configured answers configure.
	configured struct{ err error }
	// gone is the last one. exit holds the facts alone; its kind is set where it never ran.
	gone struct {
		exit     Exit
		panicked bool
		words    []string
	}
)

// startFailure says why a start went wrong.
type startFailure struct {
	condition Condition
	// terminal: trying again cannot help.
	terminal bool
	// hang: the process did not answer; its goroutine dump is wanted.
	hang bool
	err  error
}
