package app

import (
	"context"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/worker"
)

// records keeps the pool's records in the journal, beside what else is remembered of a worker.
type records struct{ db *journal.DB }

var _ worker.Store = records{}

// LoadWorkers implements worker.Store.
func (r records) LoadWorkers(ctx context.Context) ([]worker.Record, error) {
	var out []worker.Record
	err := r.db.View(ctx, func(tx *journal.Tx) error {
		rows, err := tx.ListWorkers()
		for _, w := range rows {
			out = append(out, worker.Record{
				ID: w.ID, Off: w.Desired == journal.DesiredOff, Restarts: w.Restarts, LastExit: w.LastExit,
				PID: w.PID, StartTicks: w.StartTicks, Executable: w.Executable,
			})
		}
		return err
	})
	return out, err
}

// SaveWorker implements worker.Store; pins and the last good version are not touched.
func (r records) SaveWorker(ctx context.Context, rec worker.Record) error {
	return r.db.Update(ctx, func(tx *journal.Tx) error {
		row, err := tx.GetWorker(rec.ID)
		if err != nil && !isNotFound(err) {
			return err
		}
		row.ID, row.Restarts, row.LastExit = rec.ID, rec.Restarts, rec.LastExit
		row.PID, row.StartTicks, row.Executable = rec.PID, rec.StartTicks, rec.Executable
		row.Desired = journal.DesiredOn
		if rec.Off {
			row.Desired = journal.DesiredOff
		}
		return tx.PutWorker(row)
	})
}
