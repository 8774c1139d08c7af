package logfile

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Keys of attributes that have a place of their own in a line.
const (
	// SubsystemKey is the attribute that names the part a line comes from ("gateway", "worker/telegram").
	SubsystemKey = "subsystem"
)

// ParseLevel reads a level's name as logging.level has it; silent is beyond all levels.
func ParseLevel(name string) (slog.Level, bool) {
	switch strings.ToLower(name) {
	case "trace":
		return slog.LevelDebug - 4, true
	case "debug":
		return slog.LevelDebug, true
	case "", "info":
		return slog.LevelInfo, true
	case "warn":
		return slog.LevelWarn, true
	case "error":
		return slog.LevelError, true
	case "fatal":
		return slog.LevelError + 4, true
	case "silent":
		return slog.LevelError + 100, true
	}
	return slog.LevelInfo, false
}

func levelName(l slog.Level) (id int, name string) {
	switch {
	case l < slog.LevelDebug:
		return 1, "TRACE"
	case l < slog.LevelInfo:
		return 2, "DEBUG"
	case l < slog.LevelWarn:
		return 3, "INFO"
	case l < slog.LevelError:
		return 4, "WARN"
	case l < slog.LevelError+4:
		return 5, "ERROR"
	}
	return 6, "FATAL"
}

// Options are the two ends of a log.
type Options struct {
	// Lines takes the JSON lines; nil = none.
	Lines io.Writer
	Level slog.Leveler
	// Console takes plain lines for a person; nil = none.
	Console      io.Writer
	ConsoleLevel slog.Leveler
	// Redact is applied to every text that is written; nil = Redact.
	Redact func(string) string
}

// NewHandler makes the slog handler for both ends.
func NewHandler(o Options) slog.Handler {
	if o.Redact == nil {
		o.Redact = Redact
	}
	host, _ := os.Hostname()
	return &handler{o: o, host: host, consoleMu: &sync.Mutex{}}
}

type handler struct {
	o         Options
	host      string
	consoleMu *sync.Mutex
	prefix    string
	attrs     []slog.Attr
}

func (h *handler) Enabled(_ context.Context, l slog.Level) bool {
	return h.o.Lines != nil && l >= h.o.Level.Level() || h.o.Console != nil && l >= h.o.ConsoleLevel.Level()
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(append([]slog.Attr(nil), h.attrs...), prefixed(h.prefix, attrs)...)
	return &c
}

func (h *handler) WithGroup(name string) slog.Handler {
	c := *h
	c.prefix += name + "."
	return &c
}

func prefixed(prefix string, attrs []slog.Attr) []slog.Attr {
	if prefix == "" {
		return attrs
	}
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = slog.Attr{Key: prefix + a.Key, Value: a.Value}
	}
	return out
}

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	attrs := append([]slog.Attr(nil), h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, slog.Attr{Key: h.prefix + a.Key, Value: a.Value})
		return true
	})
	subsystem := ""
	rest := attrs[:0]
	for _, a := range attrs {
		if a.Key == SubsystemKey {
			subsystem = a.Value.String()
			continue
		}
		rest = append(rest, a)
	}
	text := h.o.Redact(flat(r.Message, rest))
	if h.o.Lines != nil && r.Level >= h.o.Level.Level() {
		h.line(r, subsystem, text)
	}
	if h.o.Console != nil && r.Level >= h.o.ConsoleLevel.Level() {
		h.console(r, subsystem, text)
	}
	return nil
}

// flat is a message with its attributes behind it.
func flat(msg string, attrs []slog.Attr) string {
	var b strings.Builder
	b.WriteString(msg)
	for _, a := range attrs {
		v := a.Value.Resolve().String()
		if v == "" || strings.ContainsAny(v, " \t\n\"=") {
			v = fmt.Sprintf("%q", v)
		}
		b.WriteByte(' ')
		b.WriteString(a.Key)
		b.WriteByte('=')
		b.WriteString(v)
	}
	return b.String()
}

type line struct {
	Subsystem string   `json:"0"`
	Text      string   `json:"1"`
	Meta      lineMeta `json:"_meta"`
	Time      string   `json:"time"`
}

type lineMeta struct {
	Runtime        string `json:"runtime"`
	RuntimeVersion string `json:"runtimeVersion"`
	Hostname       string `json:"hostname"`
	Date           string `json:"date"`
	LogLevelID     int    `json:"logLevelId"`
	LogLevelName   string `json:"logLevelName"`
}

func (h *handler) line(r slog.Record, subsystem, text string) {
	at := r.Time
	if at.IsZero() {
		at = time.Now()
	}
	stamp := at.UTC().Format("2006-01-02T15:04:05.000Z")
	id, name := levelName(r.Level)
	if subsystem == "" {
		subsystem = "supervisor"
	}
	sub, _ := json.Marshal(map[string]string{"subsystem": subsystem})
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line{
		Subsystem: string(sub), Text: text, Time: stamp,
		Meta: lineMeta{Runtime: "go", RuntimeVersion: runtime.Version(), Hostname: h.host, Date: stamp, LogLevelID: id, LogLevelName: name},
	}); err != nil {
		return
	}
	_, _ = h.o.Lines.Write(b.Bytes())
}

func (h *handler) console(r slog.Record, subsystem, text string) {
	if subsystem != "" {
		text = "[" + subsystem + "] " + text
	}
	if r.Level >= slog.LevelWarn {
		_, name := levelName(r.Level)
		text = name + " " + text
	}
	h.consoleMu.Lock()
	defer h.consoleMu.Unlock()
	_, _ = io.WriteString(h.o.Console, r.Time.Format("15:04:05")+" "+text+"\n")
}
