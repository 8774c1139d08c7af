package exec

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
)

// killWait bounds how long kill waits for the command's end before it answers.
const killWait = 5 * time.Second

// Process is the tool "process": the follow-up of background commands.
type Process struct {
	// Pool holds the commands.
	Pool *Pool
}

var _ tool.Tool = Process{}

// Spec describes the tool.
func (Process) Spec() tool.Spec {
	return tool.Spec{
		Name:        "process",
		Summary:     "Manage background exec sessions",
		Description: "Follow up background commands of exec: list them, poll for new output, read the log, kill, clear (forget a finished one) or remove (kill, or forget).",
		Schema: json.RawMessage(`{
			"type": "object",
			"properties": {
				"action": {"enum": ["list", "poll", "log", "kill", "clear", "remove"]},
				"sessionId": {"type": "string", "description": "Session to act on; not needed for list"},
				"offset": {"type": "integer", "minimum": 0, "description": "log: first line, counted from 0"},
				"limit": {"type": "integer", "minimum": 1, "description": "log: how many lines; alone = the last ones"}
			},
			"required": ["action"]
		}`),
	}
}

// Run does one action.
func (t Process) Run(_ context.Context, c tool.Call) (tool.Result, error) {
	var args struct {
		Action    string `json:"action"`
		SessionID string `json:"sessionId"`
		Offset    *int   `json:"offset"`
		Limit     int    `json:"limit"`
	}
	if err := json.Unmarshal(c.Args, &args); err != nil {
		return tool.Result{}, fmt.Errorf("process arguments: %w", err)
	}
	if args.Action == "list" {
		return t.list(c.AgentID), nil
	}
	s := t.Pool.find(c.AgentID, args.SessionID)
	if s == nil {
		r := tool.Failure("No session found for %s", args.SessionID)
		r.Details = encode(details{Status: "failed"})
		return r, nil
	}
	switch args.Action {
	case "poll":
		return t.poll(s), nil
	case "log":
		return t.log(s, args.Offset, args.Limit), nil
	case "clear":
		if s.running() {
			return tool.Failure("Session %s is still running; use kill or remove.", s.id), nil
		}
		t.Pool.forget(s)
		return tool.Text("Cleared session %s.", s.id), nil
	}
	was := s.running()
	if was {
		s.p.Kill()
		await(s, killWait)
	}
	if args.Action == "remove" {
		t.Pool.forget(s)
		return tool.Text("Removed session %s.", s.id), nil
	}
	if !was {
		return tool.Text("Session %s had ended before.", s.id), nil
	}
	return tool.Text("Killed session %s.", s.id), nil
}

// await waits for a command's end, but not for ever.
func await(s *session, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-s.p.Done():
		return true
	case <-timer.C:
		return false
	}
}

// state of a session in one word.
func state(s *session) string {
	switch {
	case s.running():
		return "running"
	case s.end() == "":
		return "completed"
	}
	return "failed"
}

func (t Process) list(agent string) tool.Result {
	var lines []string
	type item struct {
		SessionID string `json:"sessionId"`
		Status    string `json:"status"`
		PID       int    `json:"pid"`
		Command   string `json:"command"`
		StartedAt int64  `json:"startedAt"`
	}
	items := []item{}
	for _, s := range t.Pool.list(agent) {
		end := s.endedAt()
		if end.IsZero() {
			end = t.Pool.cfg.Now()
		}
		lines = append(lines, fmt.Sprintf("%s %s %s :: %s", s.id, state(s), end.Sub(s.started).Round(time.Second), s.command))
		items = append(items, item{SessionID: s.id, Status: state(s), PID: s.p.PID(), Command: s.command, StartedAt: s.started.UnixMilli()})
	}
	text := "No background sessions."
	if len(lines) > 0 {
		text = strings.Join(lines, "\n")
	}
	r := tool.Text("%s", text)
	if raw, err := json.Marshal(map[string]any{"status": "completed", "sessions": items}); err == nil {
		r.Details = raw
	}
	return r
}

func (t Process) poll(s *session) tool.Result {
	st := state(s) // before the output: what is read after an end is all there is
	text := strings.TrimRight(s.out.fresh(), "\n")
	if text == "" {
		text = "(no new output)"
	}
	d := details{Status: st, SessionID: s.id, PID: s.p.PID(), DurationMS: t.Pool.cfg.Now().Sub(s.started).Milliseconds()}
	var r tool.Result
	switch st {
	case "running":
		r = tool.Text("%s\n\nProcess still running.", text)
	case "completed":
		d.ExitCode = new(int)
		r = tool.Text("%s\n\nProcess exited with code 0.", text)
	default:
		e := s.p.Exit()
		if e.Signal == "" && e.Err == nil {
			d.ExitCode = &e.Code
			r = tool.Text("%s\n\nProcess exited with code %d.", text, e.Code)
		} else {
			d.Signal = e.Signal
			r = tool.Text("%s\n\n%s.", text, strings.Replace(s.end(), "Command", "Process", 1))
		}
	}
	r.Details = encode(d)
	return r
}

func (t Process) log(s *session, offset *int, limit int) tool.Result {
	text, lost := s.out.all()
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	from, to := 0, len(lines)
	switch {
	case offset != nil:
		from = min(*offset, len(lines))
		if limit > 0 {
			to = min(from+limit, len(lines))
		}
	case limit > 0:
		from = max(len(lines)-limit, 0)
	}
	shown := strings.Join(lines[from:to], "\n")
	if lost > 0 && from == 0 {
		shown = fmt.Sprintf("[%d bytes of earlier output are left out]\n%s", lost, shown)
	}
	if strings.TrimSpace(shown) == "" {
		shown = "(no output)"
	}
	r := tool.Text("%s", shown)
	raw, err := json.Marshal(map[string]any{"status": state(s), "sessionId": s.id, "totalLines": len(lines), "totalChars": len([]rune(text))})
	if err == nil {
		r.Details = raw
	}
	return r
}
