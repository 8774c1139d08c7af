package protocol

import "encoding/json"

// FrameType tells the three frames apart.
type FrameType string

// Frame types.
const (
	FrameRequest  FrameType = "req"
	FrameResponse FrameType = "res"
	FrameEvent    FrameType = "event"
)

// Request is a call from a client. Params may be left out.
type Request struct {
	Type   FrameType       `json:"type"`
	ID     string          `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params,omitempty"`
}

// Response answers the request with the same ID. Error is set exactly when
// OK is false. A method may answer twice under one ID (agent does).
type Response struct {
	Type    FrameType       `json:"type"`
	ID      string          `json:"id"`
	OK      bool            `json:"ok"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

// Event is told to a client without being asked. Seq counts what this
// connection was sent; events meant for one connection alone have none.
type Event struct {
	Type         FrameType       `json:"type"`
	Event        string          `json:"event"`
	Payload      json.RawMessage `json:"payload,omitempty"`
	Seq          *uint64         `json:"seq,omitempty"`
	StateVersion *StateVersion   `json:"stateVersion,omitempty"`
}

// StateVersion counts the changes of the two states that clients mirror.
type StateVersion struct {
	Presence uint64 `json:"presence"`
	Health   uint64 `json:"health"`
}

// Incoming is any frame as a client reads it: the union of Response and
// Event, told apart by Type.
type Incoming struct {
	Type         FrameType       `json:"type"`
	ID           string          `json:"id,omitempty"`
	OK           bool            `json:"ok,omitempty"`
	Payload      json.RawMessage `json:"payload,omitempty"`
	Error        *Error          `json:"error,omitempty"`
	Event        string          `json:"event,omitempty"`
	Seq          *uint64         `json:"seq,omitempty"`
	StateVersion *StateVersion   `json:"stateVersion,omitempty"`
}
