// Package event carries events to connections: one Bus for all, one Queue for
// each connection.
//
// It owns the order and numbering of what a connection is sent, and the rule
// for slow readers: a queue is bounded in bytes; where an event does not fit
// a droppable one is left out, any other ends the connection. A connection's
// numbers count the events it may see; one that is left out uses its number
// up, so that a gap is seen if and only if something was missed.
//
// Publishing never waits for a reader. Everything may be used from several
// goroutines. The package knows nothing of sockets: a Queue is given a
// function that writes one frame.
//
// Lock order: Bus.mu before Queue.mu.
package event
