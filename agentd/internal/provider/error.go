package provider

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind is the class of a failure; it decides what is tried next.
type Kind string

// Kinds of failure.
const (
	KindAuth       Kind = "auth"
	KindBilling    Kind = "billing"
	KindRateLimit  Kind = "rate_limit"
	KindTimeout    Kind = "timeout"
	KindFormat     Kind = "format"
	KindOverflow   Kind = "context_overflow"
	KindServer     Kind = "server"
	KindConnection Kind = "connection"
	KindRefusal    Kind = "refusal"
	KindUnknown    Kind = "unknown"
)

// Error is a failed model call. Its text names the provider, the status and what
// can be done, and is meant for people.
type Error struct {
	Kind     Kind
	Provider string
	Model    string
	// Status is the HTTP status; 0 = no answer came.
	Status int
	// Detail is the server's own text, without secrets.
	Detail string
	// RetryAfter is the pause that the server asked for; 0 = none.
	RetryAfter time.Duration
	// Err is the cause, if there is one beyond Detail.
	Err error
}

// Retryable reports whether the same call may succeed a little later.
func (e *Error) Retryable() bool {
	switch e.Kind {
	case KindRateLimit, KindServer, KindConnection, KindTimeout:
		return true
	}
	return false
}

// Failover reports whether another model may be tried in its place.
func (e *Error) Failover() bool {
	return e.Kind != KindOverflow && e.Kind != KindRefusal && e.Kind != KindUnknown
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Error says what happened and what to do about it.
func (e *Error) Error() string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "model %s/%s: ", e.Provider, e.Model)
	switch e.Kind {
	case KindAuth:
		sb.WriteString("the provider refused the key")
	case KindBilling:
		sb.WriteString("the provider asks for payment")
	case KindRateLimit:
		sb.WriteString("the provider's rate limit is reached")
	case KindTimeout:
		sb.WriteString("the provider did not answer in time")
	case KindFormat:
		sb.WriteString("the provider refused the request")
	case KindOverflow:
		sb.WriteString("the conversation no longer fits into the model's context window")
	case KindServer:
		sb.WriteString("the provider failed")
	case KindConnection:
		sb.WriteString("the connection to the provider broke")
	case KindRefusal:
		sb.WriteString("the model declined to answer")
	default:
		sb.WriteString("the model call failed")
	}
	if e.Status != 0 {
		fmt.Fprintf(&sb, " (HTTP %d)", e.Status)
	}
	if e.Detail != "" {
		fmt.Fprintf(&sb, ": %s", e.Detail)
	} else if e.Err != nil {
		fmt.Fprintf(&sb, ": %v", e.Err)
	}
	if r := e.remedy(); r != "" {
		fmt.Fprintf(&sb, ". %s", r)
	}
	return sb.String()
}

func (e *Error) remedy() string {
	switch e.Kind {
	case KindAuth:
		return fmt.Sprintf("Set a valid key in models.providers.%s.apiKey or in the provider's environment variable", e.Provider)
	case KindBilling:
		return "Add credit at the provider, or choose another model with /model"
	case KindRateLimit:
		return "Wait a little, or add a fallback in agents.defaults.model.fallbacks"
	case KindOverflow:
		return "Start afresh with /new, or shorten the session with /compact"
	case KindRefusal:
		return "Put it in other words, or choose another model with /model; if it goes on, start afresh with /new"
	case KindConnection:
		return fmt.Sprintf("Check that models.providers.%s.baseUrl is right and can be reached", e.Provider)
	}
	return ""
}

// AsError returns the *Error in err, or makes one of unknown kind.
func AsError(err error, providerID, model string) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: KindUnknown, Provider: providerID, Model: model, Err: err}
}

// signs are texts by which a failure is known where the status does not tell.
var signs = []struct {
	kind  Kind
	texts []string
}{
	{KindOverflow, []string{"context_length_exceeded", "context length", "context window", "maximum context", "prompt is too long", "too many tokens"}},
	{KindBilling, []string{"payment required", "insufficient credits", "insufficient_quota", "credit balance", "plans & billing"}},
	{KindRateLimit, []string{"rate limit", "rate_limit", "too many requests", "exceeded quota", "resource exhausted", "usage limit", "overloaded"}},
	{KindAuth, []string{"invalid api key", "incorrect api key", "incorrect key", "invalid token", "unauthorized", "no credentials found"}},
}

// Classify tells the kind of a failure from its HTTP status and text.
func Classify(status int, text string) Kind {
	low := strings.ToLower(text)
	if status < 500 {
		for _, s := range signs {
			for _, t := range s.texts {
				if strings.Contains(low, t) {
					return s.kind
				}
			}
		}
	}
	switch {
	case status == 401 || status == 403:
		return KindAuth
	case status == 402:
		return KindBilling
	case status == 408:
		return KindTimeout
	case status == 413:
		return KindOverflow
	case status == 429:
		return KindRateLimit
	case status >= 500:
		return KindServer
	case status >= 400:
		return KindFormat
	}
	return KindUnknown
}

// Scrub takes the key out of a text, should a server have repeated it.
func Scrub(text, key string) string {
	if len(key) < 6 {
		return text
	}
	return strings.ReplaceAll(text, key, "***")
}
