// Package journal is the supervisor's one database file: what arrived, what runs, what
// must still go out, and the session index.
//
// It owns the file and every line of SQL of the product. Callers work with rows and
// with the typed methods of Tx; they decide what a transaction holds.
//
// Durability: when Update returns nil, or Submit calls done(nil), the transaction is
// fsynced. One goroutine writes. It takes everything that waits, runs it in one SQLite
// transaction, each function under a savepoint of its own, and pays one fsync for all;
// an error of one function undoes that function alone. A disk that is full, read-only or
// broken fails all that wait, nothing is half stored, and writing works again by itself once
// the cause is gone (see ErrFull, ErrReadOnly, DB.Condition).
//
// Concurrency: DB may be used from any goroutine. A Tx belongs to the function it was
// given to and is dead when that returns. Functions given to Update and Submit run one
// after the other on the writer, must be quick, and must never call Update, View or Close themselves.
// View reads a snapshot beside the writer and never waits for it.
//
// One process owns the file, by a kernel lock beside it that dies with the process.
package journal
