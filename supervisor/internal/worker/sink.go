package worker

import (
	"context"
	"encoding/json"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Sink takes what workers report and what becomes of them. Its methods are called from
// the goroutines of several workers at once.
type Sink interface {
	// HandleEvent takes one event; of one worker they come one after the other, in order.
	// ack must be called exactly once, now or later. To block is to stop reading that worker.
	HandleEvent(worker string, ev plugin.Event, ack func(plugin.Ack))
	// HandleCall answers a call of the agent runtime. ctx ends with its process.
	HandleCall(ctx context.Context, worker string, c plugin.Call) (json.RawMessage, *plugin.CallError)
	// WorkerEvent tells of a transition. It must not block.
	WorkerEvent(ev Event)
	// Running is called once per process, when it became running, in a goroutine of its own: here
	// accounts are started. It may block, and must return soon after ctx ended, which it does when
	// the process is gone or is to go. The next process is not started before it returned.
	Running(ctx context.Context, h Handle)
	// Gone is called after a Running process is no more, after Running returned. It must not block.
	Gone(worker string)
}

// Store keeps what must outlive the supervisor.
type Store interface {
	// LoadWorkers gives all records.
	LoadWorkers(ctx context.Context) ([]Record, error)
	// SaveWorker writes one record, durably. It is called from one goroutine.
	SaveWorker(ctx context.Context, r Record) error
}

// Record is what is remembered of one worker.
type Record struct {
	ID string
	// Off is an operator's stop.
	Off      bool
	Restarts int64
	// LastExit is an Exit as JSON; empty for none.
	LastExit string
	// PID, StartTicks and Executable identify the living process; PID 0 = none.
	PID        int
	StartTicks uint64
	Executable string
}

// Handle is a running worker. Its Client fails once the process is gone.
type Handle struct {
	ID          string
	Description plugin.Description
	Client      *plugin.Client
	PID         int
	// Life is different for every process of this pool.
	Life uint64
}
