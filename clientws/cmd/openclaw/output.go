package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// print writes one line to the output.
func (t *tool) print(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, format+"\n", args...)
}

// note writes one line beside the output, for people.
func (t *tool) note(format string, args ...any) {
	_, _ = fmt.Fprintf(t.err, format+"\n", args...)
}

// json writes the one document of a command that was asked for JSON.
func (t *tool) json(value any) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// The colours of the palette.
const (
	colorSuccess = "38;2;47;191;113"
	colorWarn    = "38;2;255;176;32"
	colorError   = "38;2;226;61;45"
	colorAccent  = "38;2;255;90;45"
	colorMuted   = "38;2;139;127;119"
)

func (t *tool) paint(color, text string) string {
	if !t.color || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// paintState gives a state the colour of what it means.
func (t *tool) paintState(state string) string {
	switch state {
	case "running", "connected", "ok", "up", "ON":
		return t.paint(colorSuccess, state)
	case "starting", "draining", "backoff", "connecting", "needs_login", "degraded", "WARN", "SETUP":
		return t.paint(colorWarn, state)
	case "terminal", "down", "failed":
		return t.paint(colorError, state)
	case "stopped", "off", "OFF":
		return t.paint(colorMuted, state)
	}
	return state
}

// table writes rows under headings, each column as wide as its widest cell.
func (t *tool) table(headings []string, rows [][]string) {
	widths := make([]int, len(headings))
	for _, row := range append([][]string{headings}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], visible(cell))
		}
	}
	line := func(row []string, paint func(string) string) {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(paint(cell))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-visible(cell)+2))
			}
		}
		t.print("%s", strings.TrimRight(b.String(), " "))
	}
	line(headings, func(s string) string { return t.paint(colorMuted, s) })
	for _, row := range rows {
		line(row, func(s string) string { return s })
	}
}

// visible counts the characters of a text without its colours.
func visible(text string) int {
	n := utf8.RuneCountInString(text)
	for rest := text; ; {
		start := strings.Index(rest, "\x1b[")
		if start < 0 {
			return n
		}
		end := strings.IndexByte(rest[start:], 'm')
		if end < 0 {
			return n
		}
		n -= end + 1
		rest = rest[start+end+1:]
	}
}

// span writes a duration in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// ago writes how long a stamp (unix ms) lies back.
func ago(ms int64) string {
	if ms <= 0 {
		return "never"
	}
	d := time.Since(time.UnixMilli(ms))
	if d < 5*time.Second {
		return "just now"
	}
	return span(d) + " ago"
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
