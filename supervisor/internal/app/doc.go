// Package app wires everything; it is the only package that knows all others.
//
// App is the program as a type: New decides and opens, Run serves until its context
// ends, Addr tells where. Flags and signals are main's. What two packages may not know of
// each other meets here: the pool's sink, the outbox's deliverer, the runs' planner, the
// control plane's backends.
//
// Concurrency: App's exported methods may be called from any goroutine. All
// goroutines that it starts have ended when Run returns.
package app
