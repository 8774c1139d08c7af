package clientws

import (
	"errors"
	"fmt"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// ErrClosed is given by calls on a Client that was closed by its owner.
var ErrClosed = errors.New("the client is closed")

// CloseError says that the gateway, or the network, ended the connection. Code is the WebSocket close code, -1 where
// the connection broke without one.
type CloseError struct {
	Code   int
	Reason string
	// Err is the cause where there was no close frame.
	Err error
}

// Error gives code, its meaning, and the reason.
func (e *CloseError) Error() string {
	if e.Code < 0 {
		return fmt.Sprintf("gateway closed: connection lost: %v", e.Err)
	}
	text := fmt.Sprintf("gateway closed (%d", e.Code)
	if hint := closeHint(e.Code); hint != "" {
		text += " " + hint
	}
	text += ")"
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// Unwrap gives the cause.
func (e *CloseError) Unwrap() error { return e.Err }

func closeHint(code int) string {
	switch code {
	case protocol.CloseNormal:
		return "normal closure"
	case protocol.CloseProtocolMismatch:
		return "protocol error"
	case protocol.ClosePolicy:
		return "policy violation"
	case protocol.CloseTooBig:
		return "message too big"
	case protocol.CloseServiceRestart:
		return "service restart"
	case protocol.CloseTickTimeout:
		return "tick timeout"
	}
	return ""
}

// ConnectError says that no connection came about.
type ConnectError struct {
	URL string
	// Refused is the gateway's answer where it gave one: wrong secret, device not paired, version.
	Refused *protocol.Error
	// Err is the cause where nobody answered.
	Err error
}

// Error gives the gateway's text, or why nobody could be reached.
func (e *ConnectError) Error() string {
	if e.Refused != nil {
		return fmt.Sprintf("gateway %s refused the connection: %s", e.URL, e.Refused.Message)
	}
	return fmt.Sprintf("gateway %s cannot be reached: %v", e.URL, e.Err)
}

// Unwrap gives the gateway's answer or the cause.
func (e *ConnectError) Unwrap() error {
	if e.Refused != nil {
		return e.Refused
	}
	return e.Err
}
