package protocol

// Process states of a worker.
const (
	WorkerStopped  = "stopped"
	WorkerStarting = "starting"
	WorkerRunning  = "running"
	WorkerDraining = "draining"
	WorkerBackoff  = "backoff"
	WorkerTerminal = "terminal"
)

// WorkerView is a worker as workers.list and health show it.
type WorkerView struct {
	ID         string           `json:"id"`
	Kind       string           `json:"kind"`
	State      string           `json:"state"`
	Desired    string           `json:"desired,omitempty"`
	PID        int              `json:"pid,omitempty"`
	Version    string           `json:"version,omitempty"`
	Executable string           `json:"executable,omitempty"`
	Since      int64            `json:"since"`
	UptimeMS   int64            `json:"uptimeMs,omitempty"`
	Restarts   int64            `json:"restarts"`
	NextTryAt  int64            `json:"nextTryAt,omitempty"`
	LastExit   *WorkerExit      `json:"lastExit,omitempty"`
	LastWords  []string         `json:"lastWords,omitempty"`
	Condition  *WorkerCondition `json:"condition,omitempty"`
	Accounts   []WorkerAccount  `json:"accounts,omitempty"`
}

// WorkerExit says how a process ended. Code or Signal is set by Kind.
type WorkerExit struct {
	Kind   string `json:"kind"`
	Code   int    `json:"code,omitempty"`
	Signal string `json:"signal,omitempty"`
	At     int64  `json:"at,omitempty"`
}

// WorkerCondition is why a worker or account is where it is, and the remedy.
type WorkerCondition struct {
	Code   string `json:"code"`
	Text   string `json:"text,omitempty"`
	Action string `json:"action,omitempty"`
}

// WorkerAccount is one account of a channel worker.
type WorkerAccount struct {
	ID      string            `json:"id"`
	Phase   string            `json:"phase"`
	Since   int64             `json:"since,omitempty"`
	Code    string            `json:"code,omitempty"`
	Text    string            `json:"text,omitempty"`
	Action  string            `json:"action,omitempty"`
	Receive *AccountDirection `json:"receive,omitempty"`
	Send    *AccountDirection `json:"send,omitempty"`
}

// AccountDirection is the condition of receiving or sending.
type AccountDirection struct {
	Code      string `json:"code,omitempty"`
	Since     int64  `json:"since,omitempty"`
	LastProof int64  `json:"lastProof,omitempty"`
	Text      string `json:"text,omitempty"`
	Action    string `json:"action,omitempty"`
}

// WorkerEvent is the payload of the worker event: one transition.
type WorkerEvent struct {
	Worker    string           `json:"worker"`
	State     string           `json:"state"`
	PID       int              `json:"pid,omitempty"`
	Restarts  int64            `json:"restarts"`
	Exit      *WorkerExit      `json:"exit,omitempty"`
	Condition *WorkerCondition `json:"condition,omitempty"`
	Account   *WorkerAccount   `json:"account,omitempty"`
	LastWords []string         `json:"lastWords,omitempty"`
	TS        int64            `json:"ts"`
}

// WorkersListResult is the result of workers.list.
type WorkersListResult struct {
	TS      int64        `json:"ts"`
	Workers []WorkerView `json:"workers"`
}

// WorkerParams name the worker of workers.restart, stop, start and kill.
// TimeoutMS bounds the wait for the outcome, 30000 where it is nil.
type WorkerParams struct {
	Worker    string `json:"worker"`
	TimeoutMS *int64 `json:"timeoutMs,omitempty"`
}

// WorkerResult is the result of those methods: the worker as it is now.
type WorkerResult struct {
	OK     bool       `json:"ok"`
	Worker WorkerView `json:"worker"`
}

// WorkerLogsParams are the parameters of workers.logs. Limit is the number of
// newest lines, all that are kept where it is zero.
type WorkerLogsParams struct {
	Worker string `json:"worker"`
	Limit  int    `json:"limit,omitempty"`
}

// WorkerLogsResult is the result of workers.logs.
type WorkerLogsResult struct {
	Worker string   `json:"worker"`
	Lines  []string `json:"lines"`
}
