package event

import (
	"errors"
	"sync"
)

// ErrClosed says that a queue takes no more frames.
var ErrClosed = errors.New("queue is closed")

// ErrOverflow says that a reader was too slow.
var ErrOverflow = errors.New("queue is full")

// Frame is one message for a connection. Bytes must not be changed any more;
// they may be shared with other queues. Recycle, where set, is called with
// Bytes once they are written or dropped.
type Frame struct {
	Bytes   []byte
	Recycle func([]byte)
}

func (f Frame) done() {
	if f.Recycle != nil {
		f.Recycle(f.Bytes)
	}
}

// QueueConfig is what a Queue needs.
type QueueConfig struct {
	// Write sends one frame and returns when it is handed to the network. It
	// is never called twice at once.
	Write func([]byte) error
	// Cork and Uncork, which may be nil, stand around the writes of a batch: what is written
	// between them may be handed over together, and Uncork says how that went.
	Cork   func()
	Uncork func() error
	// Spawn runs f on a goroutine that the caller waits for.
	Spawn func(f func())
	// Fail is told once why the queue gave up: an error of Write, or
	// ErrOverflow. It must not block.
	Fail func(error)
	// MaxBytes bounds what waits to be written.
	MaxBytes int
}

// Queue holds what a connection has still to be sent, in order. A goroutine
// exists only while there is something to write.
type Queue struct {
	cfg QueueConfig

	mu      sync.Mutex
	frames  []Frame
	spare   []Frame // the other half of a swapped pair
	bytes   int
	seq     uint64
	held    bool
	running bool
	closed  bool
	done    func() // called once nothing is left to write
}

// NewQueue makes a queue that keeps everything back until Open.
func NewQueue(cfg QueueConfig) *Queue {
	return &Queue{cfg: cfg, held: true}
}

// Open sends first, and then whatever came in meanwhile.
func (q *Queue) Open(first Frame) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		first.done()
		return ErrClosed
	}
	q.held = false
	q.frames = append(q.frames, Frame{})
	copy(q.frames[1:], q.frames)
	q.frames[0] = first
	q.bytes += len(first.Bytes)
	q.start()
	q.mu.Unlock()
	return nil
}

// Send queues a frame that must not be lost. It never blocks.
func (q *Queue) Send(f Frame) error {
	q.mu.Lock()
	err := q.add(f)
	if err == nil {
		q.start()
	}
	q.mu.Unlock()
	return q.settle(f, err)
}

// SendHere queues a frame as Send does, but writes on the caller's goroutine
// where nobody else is writing. It may block as long as Write does.
func (q *Queue) SendHere(f Frame) error {
	q.mu.Lock()
	err := q.add(f)
	mine := err == nil && !q.running && !q.held
	if mine {
		q.running = true
	}
	q.mu.Unlock()
	if mine {
		q.drain()
	}
	return q.settle(f, err)
}

// sendNumbered queues an event under the connection's next number; render
// gives the frame for it. An event that is dropped uses its number up, so
// that the reader sees a gap when, and only when, it missed something.
func (q *Queue) sendNumbered(size int, droppable bool, render func(seq uint64) []byte) {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return
	}
	q.seq++
	if droppable && q.bytes > 0 && q.bytes+size > q.cfg.MaxBytes {
		q.mu.Unlock()
		return
	}
	f := Frame{Bytes: render(q.seq)}
	err := q.add(f)
	if err == nil {
		q.start()
	}
	q.mu.Unlock()
	_ = q.settle(f, err)
}

// Seq is the number of the last event that was meant for the connection.
func (q *Queue) Seq() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.seq
}

// Finish takes no more frames, and calls done, on a goroutine of its own, when
// those that wait are written or have failed.
func (q *Queue) Finish(done func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	if q.running {
		q.done = done
		return
	}
	q.cfg.Spawn(done)
}

// Close drops what waits and takes no more. A write under way goes on. It may
// be called more than once.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	frames := q.frames
	q.frames, q.spare, q.bytes = nil, nil, 0
	q.mu.Unlock()
	for _, f := range frames {
		f.done()
	}
}

// add appends with q.mu held.
func (q *Queue) add(f Frame) error {
	if q.closed {
		return ErrClosed
	}
	// A frame larger than the bound passes when nothing else waits.
	if q.bytes > 0 && q.bytes+len(f.Bytes) > q.cfg.MaxBytes {
		q.closed = true
		return ErrOverflow
	}
	q.frames = append(q.frames, f)
	q.bytes += len(f.Bytes)
	return nil
}

// settle finishes what could not be done under the lock.
func (q *Queue) settle(f Frame, err error) error {
	if err == nil {
		return nil
	}
	f.done()
	if errors.Is(err, ErrOverflow) {
		q.Close()
		q.cfg.Fail(ErrOverflow)
	}
	return err
}

// start runs a writer where there is none, with q.mu held.
func (q *Queue) start() {
	if q.running || q.held || len(q.frames) == 0 {
		return
	}
	q.running = true
	q.cfg.Spawn(q.drain)
}

// drain writes until nothing is left. The caller has set running.
func (q *Queue) drain() {
	for {
		q.mu.Lock()
		if len(q.frames) == 0 {
			q.running = false
			if cap(q.spare) > 64 {
				q.spare = nil
			}
			done := q.done
			q.done = nil
			q.mu.Unlock()
			if done != nil {
				done()
			}
			return
		}
		batch := q.frames
		q.frames, q.spare = q.spare[:0], nil
		q.mu.Unlock()
		if !q.write(batch) {
			return
		}
		clear(batch)
		q.mu.Lock()
		q.spare = batch[:0]
		q.mu.Unlock()
	}
}

// write sends a batch. After a failure the queue is closed, and stays marked
// as running so that no other writer starts.
func (q *Queue) write(batch []Frame) bool {
	corked := len(batch) > 1 && q.cfg.Cork != nil
	if corked {
		q.cfg.Cork()
	}
	for i, f := range batch {
		err := q.cfg.Write(f.Bytes)
		if corked && i == len(batch)-1 && err == nil {
			err = q.cfg.Uncork()
		}
		n := len(f.Bytes)
		f.done()
		if err != nil {
			for _, rest := range batch[i+1:] {
				rest.done()
			}
			q.Close()
			q.mu.Lock()
			done := q.done
			q.done = nil
			q.mu.Unlock()
			if done != nil {
				done()
			}
			q.cfg.Fail(err)
			return false
		}
		q.mu.Lock()
		if q.bytes -= n; q.bytes < 0 {
			q.bytes = 0 // closed meanwhile
		}
		q.mu.Unlock()
	}
	return true
}
