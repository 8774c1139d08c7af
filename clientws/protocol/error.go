package protocol

import (
	"encoding/json"
	"fmt"
)

// ErrorCode is the machine-readable part of an error.
type ErrorCode string

// The closed set of codes.
const (
	CodeNotLinked      ErrorCode = "NOT_LINKED"
	CodeNotPaired      ErrorCode = "NOT_PAIRED"
	CodeAgentTimeout   ErrorCode = "AGENT_TIMEOUT"
	CodeInvalidRequest ErrorCode = "INVALID_REQUEST"
	CodeUnavailable    ErrorCode = "UNAVAILABLE"
)

// Error is the error shape of the wire. Retryable and RetryAfterMS are hints;
// RetryAfterMS counts milliseconds from the receipt of the answer.
type Error struct {
	Code         ErrorCode       `json:"code"`
	Message      string          `json:"message"`
	Details      json.RawMessage `json:"details,omitempty"`
	Retryable    *bool           `json:"retryable,omitempty"`
	RetryAfterMS *int64          `json:"retryAfterMs,omitempty"`
}

// Error gives the message, which is written for people.
func (e *Error) Error() string { return e.Message }

// Is reports whether target is an *Error with the same code and, where target
// has one, the same message. So errors.Is works with a bare code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && (t.Message == "" || t.Message == e.Message)
}

// Invalid makes an INVALID_REQUEST.
func Invalid(format string, args ...any) *Error {
	return &Error{Code: CodeInvalidRequest, Message: fmt.Sprintf(format, args...)}
}

// Unavailable makes an UNAVAILABLE.
func Unavailable(format string, args ...any) *Error {
	return &Error{Code: CodeUnavailable, Message: fmt.Sprintf(format, args...)}
}

// WithDetails returns a copy that carries v as details. A v that JSON cannot
// hold is left out.
func (e *Error) WithDetails(v any) *Error {
	c := *e
	if b, err := json.Marshal(v); err == nil {
		c.Details = b
	}
	return &c
}

// WithRetry returns a copy that says whether, and after how many
// milliseconds, it makes sense to try again. Zero leaves the time open.
func (e *Error) WithRetry(retryable bool, afterMS int64) *Error {
	c := *e
	c.Retryable = &retryable
	if afterMS > 0 {
		c.RetryAfterMS = &afterMS
	}
	return &c
}
