package exec

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool/files"
)

// Defaults and bounds of a command.
const (
	defaultTimeout = 1800 * time.Second
	defaultYield   = 10 * time.Second
	minYield       = 10 * time.Millisecond
	maxYield       = 120 * time.Second
	tailChars      = 2000
	updateEvery    = 250 * time.Millisecond
)

// Exec is the tool "exec".
type Exec struct {
	// Pool holds the commands.
	Pool *Pool
}

var _ tool.Tool = Exec{}

// Spec describes the tool.
func (Exec) Spec() tool.Spec {
	return tool.Spec{
		Name:    "exec",
		Summary: "Run shell commands (long ones go on in the background)",
		Description: "Run a shell command on the host. It goes on in the background after yieldMs, or at once with background; follow it up with the tool process. " +
			"Output is standard output and standard error together.",
		Schema: json.RawMessage(`{
			"type": "object",
			"properties": {
				"command": {"type": "string", "minLength": 1, "description": "Shell command"},
				"workdir": {"type": "string", "description": "Folder to run in; default is the workspace"},
				"env": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Further environment variables"},
				"yieldMs": {"type": "number", "minimum": 0, "description": "Milliseconds to wait before the command goes to the background (default 10000)"},
				"background": {"type": "boolean", "description": "Go to the background at once"},
				"timeout": {"type": "number", "exclusiveMinimum": 0, "description": "Seconds after which the command is ended (default 1800)"}
			},
			"required": ["command"]
		}`),
	}
}

type execArgs struct {
	Command    string            `json:"command"`
	Workdir    string            `json:"workdir"`
	Env        map[string]string `json:"env"`
	YieldMS    *float64          `json:"yieldMs"`
	Background bool              `json:"background"`
	Timeout    float64           `json:"timeout"`
}

// details of a result, for programs.
type details struct {
	Status     string `json:"status"`
	SessionID  string `json:"sessionId,omitempty"`
	PID        int    `json:"pid,omitempty"`
	ExitCode   *int   `json:"exitCode,omitempty"`
	Signal     string `json:"signal,omitempty"`
	StartedAt  int64  `json:"startedAt,omitempty"`
	DurationMS int64  `json:"durationMs"`
	Aggregated string `json:"aggregated,omitempty"`
	Cwd        string `json:"cwd,omitempty"`
	Tail       string `json:"tail,omitempty"`
}

// Run runs a command. When ctx ends, a command in the foreground is ended with all that it started.
func (t Exec) Run(ctx context.Context, c tool.Call) (tool.Result, error) {
	var args execArgs
	if err := json.Unmarshal(c.Args, &args); err != nil {
		return tool.Result{}, fmt.Errorf("exec arguments: %w", err)
	}
	env, err := environment(c.Settings, args.Env)
	if err != nil {
		return tool.Result{}, err
	}
	cwd, warning := workdir(c.Workspace, args.Workdir)
	conf := c.Settings.Tools.Exec
	s := &session{
		agent: c.AgentID, command: args.Command, cwd: cwd, background: args.Background && c.Background,
		timeout: seconds(args.Timeout, seconds(float64(conf.TimeoutSec), defaultTimeout)),
	}
	if args.Background && !c.Background {
		warning += "[No background here: the tool process is not allowed. The command ran to its end.]\n"
	}
	if err := t.Pool.start(s, []string{shell(c.Settings), "-c", args.Command}, env); err != nil {
		return tool.Result{}, err
	}
	if s.background {
		return t.running(s, warning), nil
	}
	var yield <-chan time.Time
	if c.Background {
		timer := time.NewTimer(yieldAfter(args.YieldMS, conf.BackgroundMS))
		defer timer.Stop()
		yield = timer.C
	}
	tick := time.NewTicker(updateEvery)
	defer tick.Stop()
	var told int64
	for {
		select {
		case <-s.p.Done():
			defer t.Pool.forget(s)
			return t.done(s, warning)
		case <-yield:
			t.Pool.toBackground(s)
			return t.running(s, warning), nil
		case <-tick.C:
			if tail, total := s.out.tail(tailChars); total != told {
				told = total
				c.Update(tool.Text("%s", tail))
			}
		case <-ctx.Done():
			s.p.Kill()
			defer t.Pool.forget(s)
			if !await(s, killWait) {
				return tool.Failure("%sCommand was ended but has not gone within %s", warning, killWait), nil
			}
			return t.done(s, warning)
		}
	}
}

// running is the result of a command that goes on.
func (t Exec) running(s *session, warning string) tool.Result {
	tail, _ := s.out.tail(tailChars)
	r := tool.Text("%sCommand still running (session %s, pid %d). Use process (list, poll, log, kill, clear, remove) for follow-up.", warning, s.id, s.p.PID())
	r.Details = encode(details{
		Status: "running", SessionID: s.id, PID: s.p.PID(), StartedAt: s.started.UnixMilli(), Cwd: s.cwd, Tail: tail,
		DurationMS: t.Pool.cfg.Now().Sub(s.started).Milliseconds(),
	})
	return r
}

// done is the result of a command that has ended.
func (t Exec) done(s *session, warning string) (tool.Result, error) {
	text, lost := s.out.all()
	d := details{Status: "completed", DurationMS: t.Pool.cfg.Now().Sub(s.started).Milliseconds(), Aggregated: text, Cwd: s.cwd}
	if lost > 0 {
		text = fmt.Sprintf("[%d bytes of earlier output are left out]\n%s", lost, text)
	}
	end := s.end()
	if end == "" {
		d.ExitCode = new(int)
		if strings.TrimSpace(text) == "" {
			text = "(no output)"
		}
		r := tool.Text("%s%s", warning, text)
		r.Details = encode(d)
		return r, nil
	}
	d.Status = "failed"
	if e := s.p.Exit(); e.Signal == "" && e.Err == nil {
		d.ExitCode = &e.Code
	} else {
		d.Signal = e.Signal
	}
	if text != "" {
		text = strings.TrimRight(text, "\n") + "\n\n"
	}
	r := tool.Failure("%s%s%s", warning, text, end)
	r.Details = encode(d)
	return r, nil
}

// workdir resolves the folder to run in; one that is missing is replaced, with a warning.
func workdir(workspace, asked string) (dir, warning string) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	dir = workspace
	if asked != "" {
		dir = files.Resolve(workspace, asked)
	}
	for _, next := range []string{workspace, home, "/"} {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir, warning
		}
		warning = fmt.Sprintf("[The folder %s does not exist; the command ran in %s.]\n", dir, next)
		dir = next
	}
	return dir, warning
}

func yieldAfter(asked *float64, configured int64) time.Duration {
	d := defaultYield
	if configured > 0 {
		d = time.Duration(configured) * time.Millisecond
	}
	if asked != nil {
		d = time.Duration(*asked * float64(time.Millisecond))
	}
	return min(max(d, minYield), maxYield)
}

func seconds(s float64, other time.Duration) time.Duration {
	if s <= 0 {
		return other
	}
	return time.Duration(s * float64(time.Second))
}

func encode(d details) json.RawMessage {
	raw, err := json.Marshal(d)
	if err != nil {
		return nil
	}
	return raw
}
