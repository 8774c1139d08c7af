// Package gateway serves the control plane: protocol version 3 over WebSocket
// and a few HTTP routes, on listeners that it is given.
//
// It owns connections, the handshake, the method table, presence and the
// timing of broadcasts. What a method does is asked of the small interfaces
// in backend.go. It never talks to a worker, a model or the journal itself.
//
// All exported methods may be called from several goroutines. Requests of one
// connection run side by side, up to a bound; only Serve starts goroutines,
// and it returns after all of them have ended.
package gateway
