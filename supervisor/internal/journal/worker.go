package journal

// Desired is what the operator wants of a worker.
type Desired string

// The wishes.
const (
	DesiredOn  Desired = "on"
	DesiredOff Desired = "off" // stopped by the operator, over any restart
)

// WorkerRow is what is remembered of one worker over the supervisor's restarts.
type WorkerRow struct {
	ID      string
	Desired Desired
	// PinnedSHA256 is the approved file, LastGoodSHA256 the one that last became running.
	PinnedSHA256, LastGoodSHA256 string
	Restarts                     int64
	LastExit                     string
	// PID, StartTicks and Executable identify the living process; PID 0 = none.
	PID        int
	StartTicks uint64
	Executable string
}

const workerColumns = "id, desired, pinned_sha256, last_good_sha256, restarts, last_exit, pid, start_ticks, executable"

func scanWorker(s scanner) (w WorkerRow, err error) {
	var ticks int64
	err = s.Scan(&w.ID, &w.Desired, &w.PinnedSHA256, &w.LastGoodSHA256, &w.Restarts, &w.LastExit, &w.PID, &ticks, &w.Executable)
	w.StartTicks = uint64(ticks)
	return w, err
}

// GetWorker reads one worker; ErrNotFound.
func (tx *Tx) GetWorker(id string) (WorkerRow, error) {
	return one(tx, "get worker "+id, scanWorker, "SELECT "+workerColumns+" FROM worker WHERE id = ?", id)
}

// PutWorker writes one worker; Desired defaults to on.
func (tx *Tx) PutWorker(w WorkerRow) error {
	if w.Desired == "" {
		w.Desired = DesiredOn
	}
	_, err := tx.exec("put worker "+w.ID, "INSERT INTO worker ("+workerColumns+") VALUES "+in(9)+` ON CONFLICT (id) DO UPDATE SET
		desired = excluded.desired, pinned_sha256 = excluded.pinned_sha256, last_good_sha256 = excluded.last_good_sha256,
		restarts = excluded.restarts, last_exit = excluded.last_exit, pid = excluded.pid, start_ticks = excluded.start_ticks, executable = excluded.executable`,
		w.ID, w.Desired, w.PinnedSHA256, w.LastGoodSHA256, w.Restarts, w.LastExit, w.PID, int64(w.StartTicks), w.Executable)
	return err
}

// ListWorkers gives all workers, by id.
func (tx *Tx) ListWorkers() ([]WorkerRow, error) {
	return all(tx, "list workers", scanWorker, "SELECT "+workerColumns+" FROM worker ORDER BY id")
}

// DeleteWorker forgets one worker and reports whether it was there.
func (tx *Tx) DeleteWorker(id string) (bool, error) {
	n, err := tx.change("delete worker "+id, "DELETE FROM worker WHERE id = ?", id)
	return n > 0, err
}
