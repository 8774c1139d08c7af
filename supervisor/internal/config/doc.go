// Package config holds the configuration that the supervisor runs on.
//
// A [Store] owns it: it reads openclaw.json (package clientws/config does the reading and the checking), makes the file
// on the very first run, keeps the last good copy and runs on that when the file is bad, watches the file, and tells
// what a change touches. What everybody else gets is a [Snapshot]: one revision, finished and immutable, from which the
// control plane's socket, each channel's accounts and agentd's block are derived with all secrets resolved.
//
// Store's methods may be called from any goroutine; changes are applied one after the other. The file is written only by
// [Store.Edit] and by the first run, never by starting, stopping or reloading.
package config
