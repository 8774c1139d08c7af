// Package event carries events to connections: one Bus for all, one Queue for
// each connection.
//
// It owns the order and numbering of what a connection is sent, and the rule
// for slow readers: a queue is bounded in bytes; where an event does not fit
// a droppable one is left out, any other ends the connection. The number of
// an event is given after that decision, so that a gap means a loss.
//
// Publishing never waits for a reader. Everything may be used from several
// goroutines. The package knows nothing of sockets: a Queue is given a
// function that writes one frame.
//
// Lock order: Bus.mu before Queue.mu.
package event
