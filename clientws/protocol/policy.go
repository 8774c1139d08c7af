package protocol

import "time"

// Version is the protocol version that this package describes.
const Version = 3

// Numbers that hello-ok announces as its policy.
const (
	// MaxPayload is the largest frame in bytes that a client may send after
	// the handshake. A larger one closes the connection with CloseTooBig.
	MaxPayload = 512 * 1024
	// MaxBufferedBytes is how much may wait for a slow reader. Above it
	// droppable events are left out, and any other closes the connection.
	MaxBufferedBytes = 3 * 512 * 1024
	// TickInterval is the time between two tick events.
	TickInterval = 30 * time.Second
)

// Numbers that both ends keep without announcing them.
const (
	// MaxPayloadBeforeConnect is the largest first frame.
	MaxPayloadBeforeConnect = 64 * 1024
	// HandshakeTimeout is how long a connection may stay without hello-ok.
	HandshakeTimeout = 10 * time.Second
	// SignatureSkew is how far a device's clock may be off.
	SignatureSkew = 10 * time.Minute
	// ClientMaxPayload is the largest frame a client should accept.
	ClientMaxPayload = 25 * 1024 * 1024
	// CloseReasonMax is the number of bytes a close reason is cut to.
	CloseReasonMax = 120
)

// Close codes of the WebSocket.
const (
	CloseNormal           = 1000
	CloseProtocolMismatch = 1002
	ClosePolicy           = 1008
	CloseTooBig           = 1009
	CloseServiceRestart   = 1012
	// CloseTickTimeout is sent by a client that missed two ticks.
	CloseTickTimeout = 4000
)

// Close reasons that stand for themselves.
const (
	ReasonServiceRestart  = "service restart"
	ReasonSlowConsumer    = "slow consumer"
	ReasonInvalidRequest  = "invalid request frame"
	ReasonProtocolVersion = "protocol mismatch"
)

// CutReason shortens a text to what fits into a close frame, never inside a
// character.
func CutReason(s string) string {
	if len(s) <= CloseReasonMax {
		return s
	}
	n := CloseReasonMax
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
