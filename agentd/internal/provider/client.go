package provider

import (
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
