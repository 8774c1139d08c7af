package provider

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// tailWait and tailSize bound what is read of an answer after its last event, so that
	// its connection can serve the next call: a stream ends a few bytes after that event.
	tailWait = 50 * time.Millisecond
	tailSize = 4 << 10
	// idlePerHost is how many connections to one server are kept for the next calls: a turn
	// in each of many conversations is usual, and the standard library keeps two.
	idlePerHost = 32
)

// DefaultStall is how long a server may send nothing before a call is given up.
const DefaultStall = 5 * time.Minute

// ErrStalled is the cause of a call that was given up for silence.
var ErrStalled = errors.New("the server sent nothing for too long")

// ClientConfig is what the client of any dialect is made with.
type ClientConfig struct {
	// HTTP is used for all calls; nil = NewHTTPClient.
	HTTP *http.Client
	// Stall is the longest silence of a server; 0 = DefaultStall.
	Stall time.Duration
}

// WithDefaults returns c with its unset fields filled in.
func (c ClientConfig) WithDefaults() ClientConfig {
	if c.HTTP == nil {
		c.HTTP = NewHTTPClient()
	}
	if c.Stall <= 0 {
		c.Stall = DefaultStall
	}
	return c
}

// Response is what is known of a server's answer whatever a library makes of it; its
// zero value says that there was none.
type Response struct {
	Status int
	Header http.Header
}

// Note remembers res, which may be nil.
func (r *Response) Note(res *http.Response) {
	if res != nil {
		r.Status, r.Header = res.StatusCode, res.Header
	}
}

// FailTransport lays down in out what err means where the server did not say it in its own form.
func (r Response) FailTransport(out *Error, err error) {
	switch {
	case errors.Is(err, ErrStalled):
		out.Kind, out.Detail = KindTimeout, ErrStalled.Error()
	case r.Status >= http.StatusBadRequest:
		out.Status, out.Kind = r.Status, Classify(r.Status, err.Error())
	case r.Status != 0:
		out.Kind, out.Detail = KindConnection, "the stream broke off: "+err.Error()
	default:
		out.Kind, out.Detail = KindConnection, err.Error()
	}
}

// Finish completes the error of a call: the pause that the server asks for, a text fit to
// be shown, and no key in it. A library's own error is not kept in it: it holds the request, key included.
func (r Response) Finish(out *Error, key string) *Error {
	if out.Status != 0 {
		out.RetryAfter = RetryAfter(r.Header)
	}
	out.Detail = Shorten(Scrub(out.Detail, key))
	if out.Detail == "" {
		out.Detail = http.StatusText(out.Status)
	}
	return out
}

// NewHTTPClient returns a client for model calls. It has no time limit of its own, and
// keeps a connection over an answer of which the last bytes were not read: a reader of
// events stops at the last event, and would make each call set up a connection anew.
func NewHTTPClient() *http.Client {
	base := http.DefaultTransport
	if t, ok := base.(*http.Transport); ok {
		t = t.Clone()
		t.MaxIdleConnsPerHost = idlePerHost
		base = t
	}
	return &http.Client{Transport: tailReader{base}}
}

type tailReader struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t tailReader) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.base.RoundTrip(req)
	if err == nil && res.Body != nil {
		res.Body = tailBody{res.Body}
	}
	return res, err
}

type tailBody struct{ io.ReadCloser }

// Close reads what little is left. A call that was cancelled has nothing left to read.
func (b tailBody) Close() error {
	watch := time.AfterFunc(tailWait, func() { _ = b.ReadCloser.Close() })
	_, _ = io.CopyN(io.Discard, b.ReadCloser, tailSize)
	watch.Stop()
	return b.ReadCloser.Close()
}
