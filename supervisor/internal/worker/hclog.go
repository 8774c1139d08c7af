package worker

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// levelTrace is hclog's lowest level in slog's numbers.
const levelTrace = slog.Level(-8)

// bridge is the hclog.Logger that go-plugin writes to. go-plugin's own lines are demoted
// to debug; those of the worker, which it writes to a named logger, keep their level.
type bridge struct {
	to     *slog.Logger
	name   string
	args   []any
	worker bool
}

var _ hclog.Logger = (*bridge)(nil)

func newBridge(to *slog.Logger) *bridge { return &bridge{to: to} }

// Log takes one line.
func (b *bridge) Log(level hclog.Level, msg string, args ...any) {
	l := slogLevel(level)
	if !b.worker && l > slog.LevelDebug {
		l = slog.LevelDebug
	}
	if !b.to.Enabled(context.Background(), l) {
		return
	}
	b.to.Log(context.Background(), l, msg, withoutTimestamp(args)...)
}

// withoutTimestamp leaves out the worker's own time: the supervisor stamps.
func withoutTimestamp(args []any) []any {
	out := make([]any, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		key := fmt.Sprint(args[i])
		if key != "timestamp" {
			out = append(out, key, args[i+1])
		}
	}
	return out
}

func slogLevel(l hclog.Level) slog.Level {
	switch l {
	case hclog.Trace:
		return levelTrace
	case hclog.Info:
		return slog.LevelInfo
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Error:
		return slog.LevelError
	}
	return slog.LevelDebug
}

// Trace logs at hclog's lowest level.
func (b *bridge) Trace(msg string, args ...any) { b.Log(hclog.Trace, msg, args...) }

// Debug logs at debug level.
func (b *bridge) Debug(msg string, args ...any) { b.Log(hclog.Debug, msg, args...) }

// Info logs at info level.
func (b *bridge) Info(msg string, args ...any) { b.Log(hclog.Info, msg, args...) }

// Warn logs at warn level.
func (b *bridge) Warn(msg string, args ...any) { b.Log(hclog.Warn, msg, args...) }

// Error logs at error level.
func (b *bridge) Error(msg string, args ...any) { b.Log(hclog.Error, msg, args...) }

func (b *bridge) enabled(l slog.Level) bool { return b.to.Enabled(context.Background(), l) }

// IsTrace reports whether trace lines are wanted.
func (b *bridge) IsTrace() bool { return b.enabled(levelTrace) }

// IsDebug reports whether debug lines are wanted.
func (b *bridge) IsDebug() bool { return b.enabled(slog.LevelDebug) }

// IsInfo reports whether info lines are wanted.
func (b *bridge) IsInfo() bool { return b.enabled(slog.LevelInfo) }

// IsWarn reports whether warnings are wanted.
func (b *bridge) IsWarn() bool { return b.enabled(slog.LevelWarn) }

// IsError reports whether errors are wanted.
func (b *bridge) IsError() bool { return b.enabled(slog.LevelError) }

// ImpliedArgs are those given to With.
func (b *bridge) ImpliedArgs() []any { return b.args }

// With adds attributes.
func (b *bridge) With(args ...any) hclog.Logger {
	c := *b
	c.to, c.args = b.to.With(withoutTimestamp(args)...), append(append([]any{}, b.args...), args...)
	return &c
}

// Name is the logger's name.
func (b *bridge) Name() string { return b.name }

// Named gives a logger for the worker's own lines.
func (b *bridge) Named(name string) hclog.Logger { return b.ResetNamed(name) }

// ResetNamed does the same. go-plugin's "stdio" is its own, not the worker's.
func (b *bridge) ResetNamed(name string) hclog.Logger {
	c := *b
	c.name, c.worker = name, name != "stdio"
	return &c
}

// SetLevel does nothing: the slog handler decides.
func (b *bridge) SetLevel(hclog.Level) {}

// GetLevel is the lowest level that is wanted.
func (b *bridge) GetLevel() hclog.Level {
	for _, l := range []hclog.Level{hclog.Trace, hclog.Debug, hclog.Info, hclog.Warn} {
		if b.enabled(slogLevel(l)) {
			return l
		}
	}
	return hclog.Error
}

// StandardLogger gives a standard logger that writes here at debug level.
func (b *bridge) StandardLogger(*hclog.StandardLoggerOptions) *log.Logger {
	return log.New(b.StandardWriter(nil), "", 0)
}

// StandardWriter writes here at debug level.
func (b *bridge) StandardWriter(*hclog.StandardLoggerOptions) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		b.Debug(string(p))
		return len(p), nil
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
