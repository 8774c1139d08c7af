// Package router decides what becomes of a stored message: whether its sender is let
// in, which agent and session it belongs to, what the model is to read, and where the
// answer goes. A stranger on a channel with pairing is sent a code, and nothing else is done with
// what they wrote. Then it hands commands to package command and everything else to a lane.
//
// Concurrency: Decide is pure and may be called from any goroutine; Router.Take is called
// for one row after the other and never blocks for long. The package never sends
// anything itself and holds nothing that is not in the journal.
package router
