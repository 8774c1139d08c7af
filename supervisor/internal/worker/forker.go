package worker

import (
	"context"
	"os"
	"runtime"
)

// forker starts all processes from one OS thread, because the parent-death signal
// belongs to the thread that forked: it is sent when that thread ends.
type forker struct {
	requests chan forkRequest
}

type forkRequest struct {
	path  string
	argv  []string
	attr  *os.ProcAttr
	reply chan forked
}

type forked struct {
	process *os.Process
	err     error
}

func newForker() *forker { return &forker{requests: make(chan forkRequest)} }

// run owns the thread. It must not return before the last process is gone; the thread
// ends with it, since it is never unlocked.
func (f *forker) run(stop <-chan struct{}) {
	runtime.LockOSThread()
	for {
		select {
		case r := <-f.requests:
			p, err := os.StartProcess(r.path, r.argv, r.attr)
			r.reply <- forked{p, err}
		case <-stop:
			return
		}
	}
}

// start is os.StartProcess on the forker's thread.
func (f *forker) start(ctx context.Context, path string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
	r := forkRequest{path: path, argv: argv, attr: attr, reply: make(chan forked, 1)}
	select {
	case f.requests <- r:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	d := <-r.reply
	return d.process, d.err
}
