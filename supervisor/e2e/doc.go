// Package e2e runs the product as its owner does: the real binaries, built and executed,
// between fake networks and a fake model, with real signals.
//
// A test reads as a story: New makes a home, Start a supervisor in it, Say lets a person
// write, AwaitReply waits for the answer, Kill takes a process away. Nothing here waits
// for a time to pass: every wait is for something to happen, and has a deadline. What a
// test leaves behind is looked at when it ends: processes, files outside the state
// directory, panics in what was logged.
//
// An Env belongs to one test; its methods may be called from several goroutines of it.
// The package imports no part of the product but the client's library.
package e2e
