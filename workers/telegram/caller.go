package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	ta "github.com/mymmrac/telego/telegoapi"
)

// Bounds of the connection.
const (
	dialTimeout = 10 * time.Second
	// idleTimeout is short, so that a send rarely meets a connection that died unseen.
	idleTimeout = 20 * time.Second
	// maxAnswer bounds an answer of the Bot API in bytes: 100 updates are far below it.
	maxAnswer = 16 << 20
)

// transportError is a call that got no whole answer.
type transportError struct {
	// written is false only when Telegram certainly did not get the whole request.
	written bool
	err     error
}

func (e *transportError) Error() string { return e.err.Error() }
func (e *transportError) Unwrap() error { return e.err }

// statusError is an answer that is not the Bot API's JSON.
type statusError struct {
	status     int
	retryAfter time.Duration
}

func (e *statusError) Error() string { return fmt.Sprintf("HTTP status %d", e.status) }

// newHTTPClient makes the client of one account. HTTP/1.1 only: a poll that hangs must
// not share its connection with a send.
func newHTTPClient(proxy string) (*http.Client, error) {
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: dialTimeout, IdleConnTimeout: idleTimeout, MaxIdleConnsPerHost: 8,
		Protocols: new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	if proxy != "" {
		u, err := url.Parse(proxy)
		if err != nil {
			return nil, errors.New("the proxy's URL cannot be read")
		}
		t.Proxy = http.ProxyURL(u)
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// caller makes one HTTP request per call, never a second one, and tells how far a
// failed one got. It is telego's way to the network.
type caller struct {
	http    *http.Client
	timeout time.Duration
}

var _ ta.Caller = (*caller)(nil)

// Call implements telego's Caller. Its errors never hold the URL, which holds the token.
func (c *caller) Call(ctx context.Context, target string, data *ta.RequestData) (*ta.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var trace progress
	body := &countedBody{}
	switch {
	case data.BodyRaw != nil:
		body.Reader, body.length = bytes.NewReader(data.BodyRaw), int64(len(data.BodyRaw))
	case data.BodyStream != nil:
		body.Reader, body.length = data.BodyStream, -1
		if sized, ok := data.BodyStream.(interface{ Len() int64 }); ok {
			body.length = sized.Len()
		}
	default:
		return nil, errors.New("a call without a body")
	}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace.hooks()), http.MethodPost, target, body)
	if err != nil {
		return nil, &transportError{err: errors.New("the API root cannot be used")}
	}
	r.ContentLength = body.length
	r.Header.Set("Content-Type", data.ContentType)
	res, err := c.http.Do(r)
	if err != nil {
		return nil, &transportError{written: trace.mayBeWritten() && body.whole(), err: withoutURL(err)}
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, &transportError{written: true, err: fmt.Errorf("read the answer: %w", withoutURL(err))}
	}
	var out struct {
		OK          *bool           `json:"ok"`
		Result      json.RawMessage `json:"result"`
		Description string          `json:"description"`
		ErrorCode   int             `json:"error_code"`
		Parameters  *ta.ResponseParameters
	}
	if err := json.Unmarshal(raw, &out); err != nil || out.OK == nil {
		return nil, &statusError{status: res.StatusCode, retryAfter: retryAfter(res.Header)}
	}
	answer := &ta.Response{Ok: *out.OK, Result: out.Result}
	if !*out.OK {
		answer.Error = &ta.Error{Description: out.Description, ErrorCode: out.ErrorCode, Parameters: out.Parameters}
	}
	return answer, nil
}

func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// withoutURL takes the request's URL, and with it the token, out of an error.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// redact takes the token out of a text, whatever put it there.
func redact(token, text string) string {
	if token == "" {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, token, "<token>"), url.PathEscape(token), "<token>")
}

// progress watches how far a request gets. The hooks run in the transport's goroutines.
type progress struct {
	connected atomic.Bool
	failed    atomic.Bool
}

func (p *progress) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			p.connected.Store(true)
			p.failed.Store(false)
		},
		WroteRequest: func(i httptrace.WroteRequestInfo) { p.failed.Store(i.Err != nil) },
	}
}

// mayBeWritten is true unless there was no connection, or writing to it failed: the
// moment between the last byte and its hook counts as written.
func (p *progress) mayBeWritten() bool { return p.connected.Load() && !p.failed.Load() }

// countedBody tells whether the whole body was taken to be written.
type countedBody struct {
	io.Reader
	length int64
	n      atomic.Int64
	ended  atomic.Bool
}

// Read implements io.Reader.
func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.n.Add(int64(n))
	if errors.Is(err, io.EOF) {
		b.ended.Store(true)
	}
	return n, err
}

func (b *countedBody) whole() bool {
	if b.length >= 0 {
		return b.n.Load() >= b.length
	}
	return b.ended.Load()
}
