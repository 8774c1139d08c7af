package channeltest

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Scripted is a channel made of funcs; a func that is nil does what is harmless. It
// has no optional powers: embed it in a type that adds them.
type Scripted struct {
	ID               string
	DescribeFunc     func() channel.Description
	ConfigureFunc    func(ctx context.Context, c channel.Configuration) error
	StartAccountFunc func(ctx context.Context, a channel.AccountStart) error
	StopAccountFunc  func(ctx context.Context, id channel.AccountID, revision uint64) error
	SendFunc         func(ctx context.Context, m channel.Outbound, files [][]byte) channel.SendResult
	DrainFunc        func(ctx context.Context) error
	AttachedFunc     func(line *channel.Line)

	mu       sync.Mutex // guards all below
	line     *channel.Line
	attached chan struct{}
}

var _ channel.Plugin = (*Scripted)(nil)

// Describe implements plugin.Base.
func (s *Scripted) Describe() channel.Description {
	if s.DescribeFunc != nil {
		return s.DescribeFunc()
	}
	id := s.ID
	if id == "" {
		id = "scripted"
	}
	return channel.Description{ID: id, Label: "Scripted", Version: "test", ConfigSchema: []byte(`{"type":"object"}`)}
}

// Configure implements plugin.Base.
func (s *Scripted) Configure(ctx context.Context, c channel.Configuration) error {
	if s.ConfigureFunc != nil {
		return s.ConfigureFunc(ctx, c)
	}
	return nil
}

// ready is closed once the line is there.
func (s *Scripted) ready() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attached == nil {
		s.attached = make(chan struct{})
	}
	return s.attached
}

// Attached implements plugin.Base.
func (s *Scripted) Attached(line *channel.Line) {
	ready := s.ready()
	s.mu.Lock()
	s.line = line
	s.mu.Unlock()
	close(ready)
	if s.AttachedFunc != nil {
		s.AttachedFunc(line)
	}
}

// Line waits for the line to the supervisor.
func (s *Scripted) Line(ctx context.Context) (*channel.Line, error) {
	select {
	case <-s.ready():
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.line, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// StartAccount implements channel.Plugin.
func (s *Scripted) StartAccount(ctx context.Context, a channel.AccountStart) error {
	if s.StartAccountFunc != nil {
		return s.StartAccountFunc(ctx, a)
	}
	return nil
}

// StopAccount implements channel.Plugin.
func (s *Scripted) StopAccount(ctx context.Context, id channel.AccountID, revision uint64) error {
	if s.StopAccountFunc != nil {
		return s.StopAccountFunc(ctx, id, revision)
	}
	return nil
}

// Send implements channel.Plugin; the files are read whole before SendFunc is called.
func (s *Scripted) Send(ctx context.Context, m channel.Outbound, media channel.MediaSource) channel.SendResult {
	var files [][]byte
	for {
		_, r, err := media.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			var b []byte
			if b, err = io.ReadAll(r); err == nil {
				files = append(files, b)
				continue
			}
		}
		return channel.SendResult{Outcome: message.NotSent, Code: "media", Text: err.Error()}
	}
	if s.SendFunc != nil {
		return s.SendFunc(ctx, m, files)
	}
	return channel.SendResult{Outcome: message.Sent, ID: "1"}
}

// Drain implements plugin.Base.
func (s *Scripted) Drain(ctx context.Context) error {
	if s.DrainFunc != nil {
		return s.DrainFunc(ctx)
	}
	return nil
}
