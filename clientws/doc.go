// Package clientws is a client of the gateway protocol: it connects, proves who it is, calls methods and hears events.
//
// A [Client] keeps one connection. With Options.Reconnect it keeps it for ever: after a break it comes back by itself,
// and its subscribers are told that they may have missed something ([GapEvent]). All methods of a Client may be called
// from any goroutine. The Client owns its goroutines; after Close has returned none is left.
//
// The package knows the wire and the device files whose paths it is given, nothing else: which gateway to talk to, and
// with which secret, is the caller's business.
package clientws
