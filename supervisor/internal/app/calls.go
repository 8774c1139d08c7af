package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// calls answers what the agent runtime asks of the method table. (run, tool call) is the
// idempotency key: the begin is stored before the effect (T3), the answer after it (T3'), and a repeated call
// gets the stored answer, or is told that it is not known whether the first one took effect.
type calls struct {
	db     *journal.DB
	server *gateway.Server
}

// storedAnswer is the form of run_call.answer.
type storedAnswer struct {
	Result json.RawMessage   `json:"result,omitempty"`
	Error  *plugin.CallError `json:"error,omitempty"`
}

func (c *calls) handle(ctx context.Context, call plugin.Call) (json.RawMessage, *plugin.CallError) {
	var who gateway.AgentCaller
	var row journal.RunCallRow
	begun := false
	err := c.db.Update(ctx, func(tx *journal.Tx) error {
		run, err := tx.GetRun(call.RunID)
		if err != nil {
			return err
		}
		if run.State != journal.RunRunning && run.State != journal.RunQueued {
			return journal.ErrNotFound
		}
		who = gateway.AgentCaller{RunID: run.RunID, AgentID: run.AgentID, SessionKey: run.SessionKey}
		row, begun, err = tx.BeginRunCall(call.RunID, call.ToolCallID, call.Method)
		return err
	})
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return nil, refusal(protocol.Invalid("no such run is going on: %s", call.RunID))
	case err != nil:
		return nil, refusal(protocol.Unavailable("%v", err).WithRetry(true, 0))
	case !begun && row.State == journal.CallDone:
		var stored storedAnswer
		if err := json.Unmarshal(row.Answer, &stored); err != nil {
			return nil, refusal(protocol.Unavailable("the stored answer of this call cannot be read"))
		}
		return stored.Result, stored.Error
	case !begun && !c.server.Repeatable(call.Method):
		return nil, refusal(protocol.Unavailable("interrupted: it is not known whether this took effect"))
	}
	var stored storedAnswer
	result, failure := c.server.AgentCall(ctx, who, call.Method, call.Params)
	stored.Result = result
	if failure != nil {
		stored.Error = refusal(failure)
	}
	answer, err := json.Marshal(stored)
	if err == nil {
		err = c.db.Update(ctx, func(tx *journal.Tx) error { return tx.FinishRunCall(call.RunID, call.ToolCallID, answer) })
	}
	if err != nil {
		return nil, refusal(protocol.Unavailable("%v", fmt.Errorf("store the answer: %w", err)))
	}
	return stored.Result, stored.Error
}

func refusal(e *protocol.Error) *plugin.CallError {
	out := &plugin.CallError{Code: string(e.Code), Message: e.Message}
	if e.Retryable != nil {
		out.Retryable = *e.Retryable
	}
	return out
}
