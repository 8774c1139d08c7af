// Package worker owns the supervisor's child processes: channel workers and the
// agent runtime.
//
// A Pool holds one Worker per child. Each Worker has one owner goroutine, which alone
// starts, probes, drains and ends the process and alone decides the one next step;
// there is one failure count per worker, which falls only with running time or by an explicit
// command of the operator. All figures come from one Policy.
//
// What it promises: never two live processes for one worker; an exit is known by
// waiting on the process and by the break of its line, not by polling; no descendant outlives the supervisor (on
// Linux by the parent-death signal, everywhere by the lifeline on stdin); a process that is not
// ours by pid, start time and executable is never signalled.
//
// Concurrency: all methods of Pool may be called from any goroutine. Every goroutine of
// the package is waited for by Pool.Run. The package knows no channel, stores nothing by itself
// (Store) and handles no event (Sink).
package worker
