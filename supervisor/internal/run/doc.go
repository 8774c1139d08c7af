// Package run takes a run from its admission to its end.
//
// Runner owns: the run row and its attempts, the stream from the agent runtime, what
// clients are told of it, the answer's way into the outbox, aborts, and the resuming of
// every run that a death interrupted. The rules are those of the contract's message walk: the
// route and the inputs are frozen at admission (T2), a part is stored before it is sent (T4), and a run,
// its session entry, its outbox rows and its inbox rows end in one transaction (T5); only then is anybody told.
//
// Concurrency: all methods may be called from any goroutine; runs of one session are
// serialised by package lane. Runner never chooses an agent, a session or a target:
// that is router's; and never calls a model or touches a transcript: that is the agent runtime's.
package run
