// Package openai talks the OpenAI chat completions dialect, streamed, to any
// server that speaks it, through the official client library.
//
// A Client makes one attempt per call; it reads nothing from the environment and is
// safe for concurrent use.
package openai

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
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
	svc := openaisdk.NewChatCompletionService(c.options(req.Endpoint, &seen)...)
	stream := svc.NewStreaming(call, params)
	defer func() { _ = stream.Close() }()
	var m message
	for stream.Next() {
		watch.Reset(c.cfg.Stall)
		if err := m.add(stream.Current(), emit); err != nil {
			return m.answer(), err
		}
	}
	err = stream.Err()
	if ctx.Err() != nil {
		return m.answer(), context.Cause(ctx)
	}
	if err == nil && errors.Is(context.Cause(call), provider.ErrStalled) {
		err = provider.ErrStalled
	}
	if err != nil {
		return m.answer(), failed(req, err, context.Cause(call), seen)
	}
	if m.finish == "" {
		return m.answer(), &provider.Error{
			Kind: provider.KindConnection, Provider: req.Endpoint.Provider, Model: req.Model, Detail: "the stream ended in the middle of the answer",
		}
	}
	if m.finish == "content_filter" {
		return m.answer(), &provider.Error{
			Kind: provider.KindRefusal, Provider: req.Endpoint.Provider, Model: req.Model, Detail: "the provider's content filter stopped the answer",
		}
	}
	return m.answer(), m.end(emit)
}

func (c *Client) options(e provider.Endpoint, seen *provider.Response) []option.RequestOption {
	key := e.Key
	if key == "" {
		key = "none"
	}
	opts := []option.RequestOption{
		option.WithBaseURL(strings.TrimSuffix(e.BaseURL, "/") + "/"), option.WithAPIKey(key), option.WithMaxRetries(0),
		option.WithHTTPClient(c.cfg.HTTP),
		option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
			res, err := next(r)
			seen.Note(res)
			return res, err
		}),
	}
	for k, v := range e.Headers {
		opts = append(opts, option.WithHeader(k, v))
	}
	return opts
}

// failed makes a provider.Error of what went wrong.
func failed(req provider.Request, err, cause error, seen provider.Response) *provider.Error {
	out := &provider.Error{Provider: req.Endpoint.Provider, Model: req.Model}
	var api *openaisdk.Error
	var mid *ssestream.StreamError
	switch {
	case errors.Is(cause, provider.ErrStalled):
		seen.FailTransport(out, cause)
	case errors.As(err, &api):
		out.Status, out.Detail = api.StatusCode, detail(api)
		out.Kind = provider.Classify(out.Status, out.Detail+" "+api.Code)
	case errors.As(err, &mid):
		out.Detail = mid.Message
		if out.Kind = provider.Classify(0, mid.Message); out.Kind == provider.KindUnknown {
			out.Kind = provider.KindServer
		}
	default:
		seen.FailTransport(out, err)
	}
	return seen.Finish(out, req.Endpoint.Key)
}

// detail is the server's own word, from either of the forms that servers use.
func detail(e *openaisdk.Error) string {
	if e.Message != "" {
		return e.Message
	}
	raw := e.RawJSON()
	var s string
	if json.Unmarshal([]byte(raw), &s) == nil {
		return s
	}
	return raw
}

// call is a tool call that is being streamed.
type call struct {
	index    int64
	id, name string
	args     strings.Builder
}

// message puts the chunks of an answer together.
type message struct {
	text, thinking strings.Builder
	calls          []*call
	finish         string
	usage          chat.Usage
}

func (m *message) add(chunk openaisdk.ChatCompletionChunk, emit func(provider.Event) error) error {
	if u := chunk.Usage; u.TotalTokens > 0 || u.PromptTokens > 0 {
		cached := u.PromptTokensDetails.CachedTokens
		m.usage = chat.Usage{Input: u.PromptTokens - cached, Output: u.CompletionTokens, CacheRead: cached, TotalTokens: u.TotalTokens}
	}
	if len(chunk.Choices) == 0 {
		return nil
	}
	choice := chunk.Choices[0]
	if choice.FinishReason != "" {
		m.finish = choice.FinishReason
	}
	if t := thinking(choice.Delta); t != "" {
		m.thinking.WriteString(t)
		if err := emit(provider.Event{Kind: provider.ThinkingDelta, Delta: t}); err != nil {
			return err
		}
	}
	if t := choice.Delta.Content + choice.Delta.Refusal; t != "" {
		m.text.WriteString(t)
		if err := emit(provider.Event{Kind: provider.TextDelta, Delta: t}); err != nil {
			return err
		}
	}
	for _, d := range choice.Delta.ToolCalls {
		if err := m.addCall(d, emit); err != nil {
			return err
		}
	}
	return nil
}

func (m *message) addCall(d openaisdk.ChatCompletionChunkChoiceDeltaToolCall, emit func(provider.Event) error) error {
	var c *call
	for _, have := range m.calls {
		// Some servers number all calls 0 and tell them apart by id alone.
		if have.index == d.Index && (d.ID == "" || have.id == d.ID) {
			c = have
		}
	}
	if c == nil {
		c = &call{index: d.Index, id: d.ID, name: d.Function.Name}
		m.calls = append(m.calls, c)
		if err := emit(provider.Event{Kind: provider.ToolCallStart, ID: c.id, Name: c.name}); err != nil {
			return err
		}
	} else if c.name == "" {
		c.name = d.Function.Name
	}
	if d.Function.Arguments == "" {
		return nil
	}
	c.args.WriteString(d.Function.Arguments)
	return emit(provider.Event{Kind: provider.ToolCallDelta, ID: c.id, Name: c.name, Delta: d.Function.Arguments})
}

// thinking is a field that servers add under one of two names.
func thinking(d openaisdk.ChatCompletionChunkChoiceDelta) string {
	for _, name := range []string{"reasoning_content", "reasoning"} {
		if f, ok := d.JSON.ExtraFields[name]; ok {
			var s string
			if json.Unmarshal([]byte(f.Raw()), &s) == nil && s != "" {
				return s
			}
		}
	}
	return ""
}

func (m *message) end(emit func(provider.Event) error) error {
	for _, c := range m.calls {
		if err := emit(provider.Event{Kind: provider.ToolCallEnd, ID: c.id, Name: c.name, Arguments: json.RawMessage(c.args.String())}); err != nil {
			return err
		}
	}
	return nil
}

func (m *message) answer() provider.Answer {
	a := provider.Answer{Usage: m.usage, StopReason: chat.StopEnd}
	switch {
	case m.finish == "length":
		a.StopReason = chat.StopLength
	case len(m.calls) > 0:
		a.StopReason = chat.StopToolUse
	}
	if m.thinking.Len() > 0 {
		a.Content = append(a.Content, chat.Block{Type: chat.BlockThinking, Thinking: m.thinking.String()})
	}
	if m.text.Len() > 0 {
		a.Content = append(a.Content, chat.Text(m.text.String()))
	}
	for _, c := range m.calls {
		a.Content = append(a.Content, chat.Block{Type: chat.BlockToolCall, ID: c.id, Name: c.name, Arguments: json.RawMessage(c.args.String())})
	}
	return a
}
