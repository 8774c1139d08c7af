// Package plugin is the base contract of every child process of the supervisor,
// for both ends of the line.
//
// A worker calls Serve (through sdk/channel or sdk/agent): it answers Describe,
// Configure, Health and Drain, and reports over one Line. The host takes HostPlugins
// for go-plugin, Dispense for the Client, and Client.Attach for the one long-lived stream,
// whose break is the first sign of a death.
//
// Concurrency: all exported types may be used from several goroutines. Events that one
// goroutine reports keep their order on the wire. The package never restarts,
// retries or stores anything: that is the supervisor's.
package plugin
