// Package protocol holds the types of the gateway protocol, version 3, that
// a server and its clients share: frames, errors, the handshake, and the
// payloads of methods and events.
//
// It owns names, shapes and numbers, and the two derivations both ends must
// make alike (a device's id and the text a device signs). It does no I/O,
// starts nothing, keeps no state, and imports the standard library alone.
// All values may be used from several goroutines as long as nobody writes.
//
// Times are unix milliseconds UTC, durations are milliseconds.
package protocol
