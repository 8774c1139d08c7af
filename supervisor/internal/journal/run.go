package journal

import "fmt"

// RunState is where a run stands.
type RunState string

// The states of a run.
const (
	RunQueued   RunState = "queued"
	RunRunning  RunState = "running"
	RunFinished RunState = "finished"
	RunAborted  RunState = "aborted"
	RunFailed   RunState = "failed"
	RunParked   RunState = "parked" // given up after its third charged attempt
)

// RunSource is what a run was made for.
type RunSource string

// The sources of a run.
const (
	SourceChannel   RunSource = "channel"
	SourceChat      RunSource = "chat"
	SourceAgent     RunSource = "agent"
	SourceCron      RunSource = "cron"
	SourceHeartbeat RunSource = "heartbeat"
	SourceHook      RunSource = "hook"
	SourceSubagent  RunSource = "subagent"
	SourceSend      RunSource = "send" // no turn at all: an explicit send
)

// RunRow is one run. Route and Inputs are frozen when it is inserted.
type RunRow struct {
	// RunID is a ULID of ours.
	RunID string
	// Method and ClientKey are set where a client named the run; then they are unique.
	Method, ClientKey string
	SessionKey        string
	SessionID         string
	AgentID           string
	Source            RunSource
	Route, Inputs     []byte
	State             RunState
	// Attempts counts how often the run was handed over, StalledAttempts those it is to blame for.
	Attempts, StalledAttempts int
	// Progress is the newest transcript entry of the run.
	Progress                         string
	CreatedMS, StartedMS, FinishedMS int64
	Result                           []byte
	// Cause says why it failed, was aborted or parked.
	Cause string
}

const runColumns = `run_id, method, client_key, session_key, session_id, agent_id, source, route, inputs, state, attempts, stalled_attempts,
	progress, created_ms, started_ms, finished_ms, result, cause`

func scanRun(s scanner) (r RunRow, err error) {
	err = s.Scan(&r.RunID, &r.Method, &r.ClientKey, &r.SessionKey, &r.SessionID, &r.AgentID, &r.Source, &r.Route, &r.Inputs, &r.State,
		&r.Attempts, &r.StalledAttempts, &r.Progress, &r.CreatedMS, &r.StartedMS, &r.FinishedMS, &r.Result, &r.Cause)
	return r, err
}

// InsertRun stores a new run. CreatedMS and State default to the present and to queued;
// one that is inserted as running has Attempts 1 and StartedMS set where they are 0. ErrConflict when
// RunID, or Method with ClientKey, is known.
func (tx *Tx) InsertRun(r RunRow) error {
	if r.CreatedMS == 0 {
		r.CreatedMS = tx.nowMS
	}
	if r.State == "" {
		r.State = RunQueued
	}
	if r.State == RunRunning {
		r.Attempts = max(r.Attempts, 1)
		if r.StartedMS == 0 {
			r.StartedMS = tx.nowMS
		}
	}
	_, err := tx.exec("insert run "+r.RunID, "INSERT INTO run ("+runColumns+") VALUES "+in(18),
		r.RunID, r.Method, r.ClientKey, r.SessionKey, r.SessionID, r.AgentID, r.Source, r.Route, r.Inputs, r.State, r.Attempts,
		r.StalledAttempts, r.Progress, r.CreatedMS, r.StartedMS, r.FinishedMS, r.Result, r.Cause)
	return err
}

// GetRun reads one run; ErrNotFound.
func (tx *Tx) GetRun(runID string) (RunRow, error) {
	return one(tx, "get run "+runID, scanRun, "SELECT "+runColumns+" FROM run WHERE run_id = ?", runID)
}

// GetRunByClientKey finds the run that a client named; ErrNotFound.
func (tx *Tx) GetRunByClientKey(method, key string) (RunRow, error) {
	return one(tx, "get run by client key", scanRun, "SELECT "+runColumns+" FROM run WHERE method = ? AND client_key = ? AND client_key <> ''", method, key)
}

// FindRunByClientKey finds the newest run that a client named, whatever the method was; ErrNotFound.
func (tx *Tx) FindRunByClientKey(key string) (RunRow, error) {
	return one(tx, "find run by client key", scanRun, "SELECT "+runColumns+" FROM run WHERE client_key = ? AND client_key <> '' ORDER BY run_id DESC LIMIT 1", key)
}

// ListRuns gives all runs in any of the states, oldest first (ULIDs sort by time).
func (tx *Tx) ListRuns(states ...RunState) ([]RunRow, error) {
	if len(states) == 0 {
		return nil, nil
	}
	return all(tx, "list runs", scanRun, "SELECT "+runColumns+" FROM run WHERE state IN "+in(len(states))+" ORDER BY run_id", anys(states)...)
}

// ListRunsOfSession gives the newest limit runs of a session, newest first.
func (tx *Tx) ListRunsOfSession(sessionKey string, limit int) ([]RunRow, error) {
	return all(tx, "list runs of session", scanRun, "SELECT "+runColumns+" FROM run WHERE session_key = ? ORDER BY run_id DESC LIMIT ?", sessionKey, limit)
}

// CountRuns counts runs by state.
func (tx *Tx) CountRuns() (map[RunState]int64, error) {
	return countBy[RunState](tx, "count runs", "SELECT state, count(*) FROM run GROUP BY state")
}

// StartRun notes that a run is handed over: running, one attempt more. It returns the
// number of the attempt. ErrConflict when the run has ended.
func (tx *Tx) StartRun(runID string) (attempt int, err error) {
	op := "start run " + runID
	n, err := tx.change(op, `UPDATE run SET state = 'running', attempts = attempts + 1,
		started_ms = CASE started_ms WHEN 0 THEN ? ELSE started_ms END WHERE run_id = ? AND state IN ('queued', 'running')`, tx.nowMS, runID)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, tx.absentOrConflict(op, "SELECT count(*) FROM run WHERE run_id = ?", runID)
	}
	return one(tx, op, column[int], "SELECT attempts FROM run WHERE run_id = ?", runID)
}

// RequeueRun puts a running run back in line, without a charge.
func (tx *Tx) RequeueRun(runID string) error {
	return tx.changeOne("requeue run "+runID, "UPDATE run SET state = 'queued' WHERE run_id = ? AND state IN ('queued', 'running')", runID)
}

// SetRunProgress notes the newest transcript entry of a run.
func (tx *Tx) SetRunProgress(runID, entryID string) error {
	return tx.changeOne("set progress of run "+runID, "UPDATE run SET progress = ? WHERE run_id = ?", entryID, runID)
}

// SetRunSession notes the session entry a queued run will use, where that is decided late.
func (tx *Tx) SetRunSession(runID, sessionID string, inputs []byte) error {
	return tx.changeOne("set session of run "+runID, "UPDATE run SET session_id = ?, inputs = ? WHERE run_id = ? AND state = 'queued'", sessionID, inputs, runID)
}

// ChargeRun is called when the agent runtime died or stalled over a run. The run is
// charged only when it shows no transcript entry newer than at the last call; else its mark moves
// on and charged is false. total is how often it was charged in all.
func (tx *Tx) ChargeRun(runID string) (charged bool, total int, err error) {
	op := "charge run " + runID
	moved, err := tx.change(op, "UPDATE run SET charged_progress = progress WHERE run_id = ? AND charged_progress <> progress", runID)
	if err != nil {
		return false, 0, err
	}
	if moved == 0 {
		if err := tx.changeOne(op, "UPDATE run SET stalled_attempts = stalled_attempts + 1 WHERE run_id = ?", runID); err != nil {
			return false, 0, err
		}
	}
	total, err = one(tx, op, column[int], "SELECT stalled_attempts FROM run WHERE run_id = ?", runID)
	return moved == 0, total, err
}

// EndRun ends a run as finished, aborted, failed or parked. ErrConflict when it has ended
// before: the first end holds.
func (tx *Tx) EndRun(runID string, state RunState, result []byte, cause string) error {
	op := fmt.Sprintf("end run %s as %s", runID, state)
	n, err := tx.change(op, `UPDATE run SET state = ?, result = ?, cause = ?, finished_ms = ?
		WHERE run_id = ? AND state IN ('queued', 'running')`, state, result, cause, tx.nowMS, runID)
	if err == nil && n == 0 {
		err = tx.absentOrConflict(op, "SELECT count(*) FROM run WHERE run_id = ?", runID)
	}
	return err
}

// SweepRuns forgets at most limit runs that ended before a time, with their calls, and returns how many.
func (tx *Tx) SweepRuns(beforeMS int64, limit int) (int64, error) {
	const old = `(SELECT run_id FROM run WHERE finished_ms > 0 AND finished_ms < ? ORDER BY finished_ms, run_id LIMIT ?)`
	if _, err := tx.change("sweep calls", "DELETE FROM run_call WHERE run_id IN "+old, beforeMS, limit); err != nil {
		return 0, err
	}
	return tx.change("sweep runs", "DELETE FROM run WHERE run_id IN "+old, beforeMS, limit)
}

// absentOrConflict says why a change of one row found nothing to change.
func (tx *Tx) absentOrConflict(op, count string, args ...any) error {
	n, err := one(tx, op, column[int64], count, args...)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%s: %w", op, ErrNotFound)
	}
	return fmt.Errorf("%s: its state does not allow it: %w", op, ErrConflict)
}

// RunCallState is where a call of a run stands.
type RunCallState string

// The states of a call.
const (
	CallBegun RunCallState = "begun"
	CallDone  RunCallState = "done"
)

// RunCallRow is one call of the agent runtime to the method table.
type RunCallRow struct {
	RunID, ToolCallID string
	Method            string
	State             RunCallState
	Answer            []byte
	// AtMS is when it was begun.
	AtMS int64
}

// BeginRunCall stores that a call begins. Where it is known by (run, tool call) nothing
// changes, begun is false and the row is the stored one: a done one has the answer to give again.
func (tx *Tx) BeginRunCall(runID, toolCallID, method string) (row RunCallRow, begun bool, err error) {
	n, err := tx.change("begin call", `INSERT INTO run_call (run_id, tool_call_id, method, state, at_ms) VALUES (?, ?, ?, 'begun', ?)
		ON CONFLICT DO NOTHING`, runID, toolCallID, method, tx.nowMS)
	if err != nil {
		return RunCallRow{}, false, err
	}
	row, err = tx.GetRunCall(runID, toolCallID)
	return row, n > 0, err
}

// FinishRunCall stores the answer of a call; ErrNotFound when it was not begun.
func (tx *Tx) FinishRunCall(runID, toolCallID string, answer []byte) error {
	return tx.changeOne("finish call", "UPDATE run_call SET state = 'done', answer = ? WHERE run_id = ? AND tool_call_id = ?", answer, runID, toolCallID)
}

// GetRunCall reads one call; ErrNotFound.
func (tx *Tx) GetRunCall(runID, toolCallID string) (RunCallRow, error) {
	return one(tx, "get call", func(s scanner) (r RunCallRow, err error) {
		err = s.Scan(&r.RunID, &r.ToolCallID, &r.Method, &r.State, &r.Answer, &r.AtMS)
		return r, err
	}, "SELECT run_id, tool_call_id, method, state, answer, at_ms FROM run_call WHERE run_id = ? AND tool_call_id = ?", runID, toolCallID)
}
