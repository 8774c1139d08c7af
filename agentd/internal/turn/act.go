package turn

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

const (
	skippedText = "Skipped due to queued user message."
	abortedText = "Not run: the run was ended before."
	// shownChars bounds the texts of a result in an event; the transcript has the whole.
	shownChars      = 8000
	shownErrorChars = 400
	// storedChars bounds one result in the transcript, whatever the tool's own limit.
	storedChars = 400000
	// sameCalls is how often in a row a model may make the very same call.
	sameCalls = 10
)

// again counts how often in a row a call has been made, this time included.
func (r *run) again(call chat.Block) int {
	key := call.Name + string(call.Arguments)
	if key != r.lastCall {
		r.lastCall, r.repeated = key, 0
	}
	r.repeated++
	return r.repeated
}

// act makes the tool calls of a message, one after the other. A steered input
// that comes meanwhile ends the row: what is left of it is skipped.
func (r *run) act(ctx context.Context, calls []chat.Block) error {
	for i, call := range calls {
		if err := r.use(ctx, call); err != nil {
			return err
		}
		if ctx.Err() != nil {
			if ended(ctx) {
				if err := r.closeCalls(calls[i+1:], abortedText); err != nil {
					return err
				}
			}
			return context.Cause(ctx)
		}
		if !r.waiting() {
			continue
		}
		if err := r.closeCalls(calls[i+1:], skippedText); err != nil {
			return err
		}
		_, err := r.takeSteered()
		return err
	}
	return nil
}

func (r *run) waiting() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queue) > 0
}

// closeCalls gives calls that are not made a result that says why.
func (r *run) closeCalls(calls []chat.Block, why string) error {
	for _, call := range calls {
		res := tool.Failure("%s", why)
		if err := r.told(call, res); err != nil {
			return err
		}
	}
	return nil
}

// use makes one call and stores its result. A result that came because the run is
// interrupted is not stored: nobody knows then how the call went.
func (r *run) use(ctx context.Context, call chat.Block) error {
	ev := agent.ToolEvent{Phase: agent.ToolStart, ToolCallID: call.ID, Name: call.Name, Args: call.Arguments}
	if err := r.emit(agent.RunEvent{Tool: &ev}); err != nil {
		return err
	}
	var res tool.Result
	var bad map[string]json.RawMessage
	if json.Unmarshal(call.Arguments, &bad) == nil && bad[unparsed] != nil {
		res = tool.Failure("arguments of %s are no JSON object", call.Name)
	} else if n := r.again(call); n > sameCalls {
		res = tool.Failure("Not run: this is the same call for the %dth time in a row. Do something else, or say what is in the way.", n)
	} else {
		res = r.tools.Run(ctx, call.Name, tool.Call{
			RunID: r.req.RunID, ToolCallID: call.ID, AgentID: r.req.AgentID, SessionKey: r.req.SessionKey,
			Workspace: r.req.Workspace, Args: call.Arguments, Settings: r.snap.Settings, Background: r.tools.Has("process"),
			Update: func(u tool.Result) {
				// A report that fails interrupts the run, and so ends the tool.
				_ = r.emit(agent.RunEvent{Tool: &agent.ToolEvent{
					Phase: agent.ToolUpdate, ToolCallID: call.ID, Name: call.Name, Result: shown(u),
				}})
			},
		})
	}
	if ctx.Err() != nil && !ended(ctx) {
		return context.Cause(ctx)
	}
	return r.told(call, res)
}

// told stores a result and then tells it.
func (r *run) told(call chat.Block, res tool.Result) error {
	if _, err := r.append(r.resultEntry(call, bounded(res.Content, storedChars), res.Details, res.IsError)); err != nil {
		return err
	}
	return r.emit(agent.RunEvent{Tool: &agent.ToolEvent{
		Phase: agent.ToolResult, ToolCallID: call.ID, Name: call.Name, Result: shown(res), IsError: res.IsError,
	}})
}

// bounded cuts texts that are over the limit at a line's end where one is near.
func bounded(content chat.Blocks, limit int) chat.Blocks {
	out := make(chat.Blocks, len(content))
	for i, b := range content {
		if r := []rune(b.Text); b.Type == chat.BlockText && len(r) > limit {
			b.Text = fmt.Sprintf("%s\n[cut: %d of %d characters]", string(r[:limit]), limit, len(r))
		}
		out[i] = b
	}
	return out
}

// shown is a result as events carry it: texts cut short, pictures without their bytes.
func shown(res tool.Result) json.RawMessage {
	limit := shownChars
	if res.IsError {
		limit = shownErrorChars
	}
	content := bounded(res.Content, limit)
	for i := range content {
		if content[i].Type == chat.BlockImage {
			content[i].Data = ""
		}
	}
	raw, err := json.Marshal(struct {
		Content chat.Blocks     `json:"content"`
		Details json.RawMessage `json:"details,omitempty"`
	}{content, res.Details})
	if err != nil {
		return nil
	}
	return raw
}
