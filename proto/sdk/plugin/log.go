package plugin

import (
	"io"
	"log/slog"
	"strings"
)

// hclogTime is the time format of hclog's JSON lines, which the host parses.
const hclogTime = "2006-01-02T15:04:05.000000Z07:00"

// NewLogHandler writes slog records as the JSON lines that a go-plugin host reads
// from a worker's stderr: level, message and attributes arrive there as such. Serve
// installs it as the default logger.
func NewLogHandler(w io.Writer, level slog.Leveler) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) > 0 {
			return a
		}
		switch a.Key {
		case slog.TimeKey:
			return slog.String("@timestamp", a.Value.Time().Format(hclogTime))
		case slog.LevelKey:
			return slog.String("@level", strings.ToLower(a.Value.String()))
		case slog.MessageKey:
			return slog.Attr{Key: "@message", Value: a.Value}
		}
		return a
	}})
}
