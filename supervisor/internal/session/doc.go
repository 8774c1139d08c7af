// Package session owns the session index: which conversation has which session id,
// levels, overrides, route and counters. It lives in the journal; sessions.json beside the transcripts is its
// mirror, for readers of the reference's files.
//
// Changes are made inside the caller's journal transaction, so that a run's end and its session entry are one;
// reads come from memory and see a change once its transaction is on disk. All methods may be called from any
// goroutine. The package never touches a transcript: those are the agent runtime's.
package session
