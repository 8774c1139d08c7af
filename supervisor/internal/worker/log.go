package worker

// Keys of log attributes; the same word means the same everywhere.
const (
	keyWorker   = "worker"
	keyRestarts = "restarts"
	keyState    = "state"
	keyPID      = "pid"
	keyError    = "error"
	keyExit     = "exit"
	keyCode     = "code"
	keyText     = "text"
	keyWait     = "wait"
	keyPath     = "path"
)
