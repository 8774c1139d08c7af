package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// logsCmd is `openclaw logs`.
type logsCmd struct {
	Limit    int  `help:"How many lines at most." default:"200"`
	MaxBytes int  `help:"How many bytes at most." default:"250000"`
	Follow   bool `short:"f" help:"Go on as the log grows."`
	Interval int  `help:"With --follow: how often to look, in milliseconds." default:"1000"`
	Plain    bool `help:"No colours."`
	Timeout  int  `help:"How long to wait for an answer, in milliseconds." default:"30000"`
	rpc
}

// Run prints the gateway's log, with --json as one object a line.
func (c *logsCmd) Run(t *tool) error {
	if c.Plain || c.JSON {
		t.color = false
	}
	ctx, cancel := context.WithTimeout(t.ctx, millis(c.Timeout))
	client, found, err := t.dial(ctx, c.rpc)
	cancel()
	if err != nil {
		if unreachable(err) {
			return fail("start it: "+t.program+" gateway, or look for the cause: "+t.program+" doctor", "%v", err)
		}
		return err
	}
	defer func() { _ = client.Close() }()
	ticker := time.NewTicker(max(millis(c.Interval), 50*time.Millisecond))
	defer ticker.Stop()
	params := protocol.LogsTailParams{Limit: c.Limit, MaxBytes: c.MaxBytes}
	for {
		var page protocol.LogsTailResult
		ctx, cancel := context.WithTimeout(t.ctx, millis(c.Timeout))
		err := client.Call(ctx, protocol.MethodLogsTail, params, &page)
		cancel()
		if t.ctx.Err() != nil {
			return nil
		}
		if err := t.answer(err, found, millis(c.Timeout)); err != nil {
			return err
		}
		c.show(t, page, params.Cursor == nil)
		if !c.Follow {
			return nil
		}
		params.Cursor = &page.Cursor
		select {
		case <-t.ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (c *logsCmd) show(t *tool, page protocol.LogsTailResult, first bool) {
	if c.JSON {
		if first {
			c.object(t, map[string]any{"type": "meta", "file": page.File, "cursor": page.Cursor, "size": page.Size})
		}
	} else if first {
		t.note("Log file: %s", page.File)
	}
	if page.Reset && !first {
		c.notice(t, "the log was rotated")
	}
	if page.Truncated {
		c.notice(t, "older lines are left out (raise --limit or --max-bytes)")
	}
	for _, line := range page.Lines {
		c.line(t, line)
	}
}

func (c *logsCmd) notice(t *tool, text string) {
	if c.JSON {
		c.object(t, map[string]any{"type": "notice", "message": text})
		return
	}
	t.note("%s", text)
}

func (c *logsCmd) object(t *tool, value map[string]any) {
	if data, err := json.Marshal(value); err == nil {
		t.print("%s", data)
	}
}

// logLine is a line of the log file.
type logLine struct {
	Subsystem string `json:"0"`
	Text      string `json:"1"`
	Time      string `json:"time"`
	Meta      struct {
		Level string `json:"logLevelName"`
	} `json:"_meta"`
}

func (c *logsCmd) line(t *tool, raw string) {
	var line logLine
	if json.Unmarshal([]byte(raw), &line) != nil || line.Time == "" {
		if c.JSON {
			c.object(t, map[string]any{"type": "raw", "raw": raw})
			return
		}
		t.print("%s", raw)
		return
	}
	// A line without a subsystem has its text first.
	var part struct {
		Subsystem string `json:"subsystem"`
	}
	if json.Unmarshal([]byte(line.Subsystem), &part) != nil && line.Text == "" {
		line.Text = line.Subsystem
	}
	level := strings.ToLower(line.Meta.Level)
	if c.JSON {
		object := map[string]any{"type": "log", "time": line.Time, "level": level, "message": line.Text, "raw": raw}
		if part.Subsystem != "" {
			object["subsystem"] = part.Subsystem
		}
		c.object(t, object)
		return
	}
	at := line.Time
	if stamp, err := time.Parse(time.RFC3339, line.Time); err == nil {
		at = stamp.Local().Format("15:04:05")
	}
	color := map[string]string{"error": colorError, "fatal": colorError, "warn": colorWarn, "debug": colorMuted, "trace": colorMuted}[level]
	text := line.Text
	if color != "" {
		text = t.paint(color, text)
	}
	t.print("%s %-5s %s %s", t.paint(colorMuted, at), level, t.paint(colorAccent, orDash(part.Subsystem)), text)
}
