// Package anthropic talks the Anthropic Messages dialect, streamed, to any server
// that speaks it, through the official client library.
//
// A Client makes one attempt per call; it reads nothing from the environment and is
// safe for concurrent use.
package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
)

// Client makes calls.
type Client struct {
	cfg provider.ClientConfig
}

var _ provider.Provider = (*Client)(nil)

// New returns a Client; it opens no connection.
func New(cfg provider.ClientConfig) *Client { return &Client{cfg: cfg.WithDefaults()} }

// Stream makes one call.
func (c *Client) Stream(ctx context.Context, req provider.Request, emit func(provider.Event) error) (provider.Answer, error) {
	params, err := encode(req)
	if err != nil {
		return provider.Answer{}, &provider.Error{Kind: provider.KindFormat, Provider: req.Endpoint.Provider, Model: req.Model, Err: err}
	}
	call, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(c.cfg.Stall, func() { cancel(provider.ErrStalled) })
	defer watch.Stop()

	var seen provider.Response
	svc := anthropicsdk.NewMessageService(c.options(req, &seen, func() { watch.Reset(c.cfg.Stall) })...)
	stream := svc.NewStreaming(call, params)
	defer func() { _ = stream.Close() }()
	var m message
	for call.Err() == nil && stream.Next() {
		if err := m.add(stream.Current(), emit); err != nil {
			return m.answer(), err
		}
	}
	err = stream.Err()
	switch {
	case ctx.Err() != nil:
		return m.answer(), context.Cause(ctx)
	case m.stop == anthropicsdk.StopReasonRefusal:
		return m.answer(), &provider.Error{
			Kind: provider.KindRefusal, Provider: req.Endpoint.Provider, Model: req.Model,
			Detail: provider.Shorten(provider.Scrub(m.explanation, req.Endpoint.Key)),
		}
	case m.stop != "":
		// All that counts has come; a line that breaks behind it costs nothing.
		return m.answer(), nil
	case errors.Is(context.Cause(call), provider.ErrStalled):
		return m.answer(), failed(req, provider.ErrStalled, seen)
	case err != nil:
		return m.answer(), failed(req, err, seen)
	}
	return m.answer(), &provider.Error{
		Kind: provider.KindConnection, Provider: req.Endpoint.Provider, Model: req.Model, Detail: "the stream ended in the middle of the answer",
	}
}

// tokenPrefix marks a subscription's token, which goes into another header than a key.
const tokenPrefix = "sk-ant-oat"

// Names of the features that a server must be asked for.
const (
	betaToken     = "oauth-2025-04-20"
	betaLongCache = "extended-cache-ttl-2025-04-11"
)

func (c *Client) options(req provider.Request, seen *provider.Response, alive func()) []option.RequestOption {
	e := req.Endpoint
	base := strings.TrimSuffix(strings.TrimSuffix(e.BaseURL, "/"), "/v1")
	opts := []option.RequestOption{
		option.WithBaseURL(base + "/"), option.WithMaxRetries(0), option.WithHTTPClient(c.cfg.HTTP),
		option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
			res, err := next(r)
			seen.Note(res)
			if res != nil {
				res.Body = &liveBody{ReadCloser: res.Body, alive: alive}
			}
			return res, err
		}),
	}
	switch {
	case strings.HasPrefix(e.Key, tokenPrefix):
		opts = append(opts, option.WithAuthToken(e.Key), option.WithHeaderAdd("anthropic-beta", betaToken))
	case e.Key == "":
		opts = append(opts, option.WithAPIKey("none"))
	default:
		opts = append(opts, option.WithAPIKey(e.Key))
	}
	if retention(req) == provider.CacheLong {
		opts = append(opts, option.WithHeaderAdd("anthropic-beta", betaLongCache))
	}
	for k, v := range e.Headers {
		opts = append(opts, option.WithHeader(k, v))
	}
	return opts
}

// liveBody tells of every byte that comes: a server that thinks for long sends pings,
// which the library keeps to itself.
type liveBody struct {
	io.ReadCloser
	alive func()
}

// Read implements io.Reader.
func (b *liveBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.alive()
	}
	return n, err
}

// failed makes a provider.Error of what went wrong.
func failed(req provider.Request, err error, seen provider.Response) *provider.Error {
	out := &provider.Error{Provider: req.Endpoint.Provider, Model: req.Model}
	var api *anthropicsdk.Error
	switch {
	case errors.As(err, &api):
		kind, text := detail(api.RawJSON())
		out.Detail = text
		status := seen.Status
		if status < http.StatusBadRequest { // the failure came in the stream, after a good beginning
			status = statusOf(kind)
		} else {
			out.Status = status
		}
		out.Kind = provider.Classify(status, text+" "+kind)
	default:
		seen.FailTransport(out, err)
	}
	return seen.Finish(out, req.Endpoint.Key)
}

// detail is the server's own word: the type of the failure, and its text.
func detail(raw string) (kind, text string) {
	var body struct {
		Error struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal([]byte(raw), &body) == nil && body.Error.Message != "" {
		return body.Error.Type, body.Error.Message
	}
	return body.Error.Type, raw
}

// statusOf gives the HTTP status that a failure of this type has outside a stream.
func statusOf(kind string) int {
	switch kind {
	case "invalid_request_error":
		return http.StatusBadRequest
	case "authentication_error":
		return http.StatusUnauthorized
	case "billing_error":
		return http.StatusPaymentRequired
	case "permission_error":
		return http.StatusForbidden
	case "not_found_error":
		return http.StatusNotFound
	case "request_too_large":
		return http.StatusRequestEntityTooLarge
	case "rate_limit_error":
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}
