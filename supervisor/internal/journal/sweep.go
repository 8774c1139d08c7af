package journal

import (
	"log/slog"
	"time"
)

const (
	// keepRuns is how long a run that ended is kept, and keepFired a slot of a schedule.
	keepRuns  = 7 * 24 * time.Hour
	keepFired = 30 * 24 * time.Hour
	// sweepRows is how many runs are forgotten at once, so that nobody waits long behind it.
	sweepRows = 500
)

// sweepOld forgets what the journal itself answers for: runs with their calls, remembered
// answers and slots. Package inbox and package outbox forget their own rows.
func sweepOld(tx *Tx) error {
	if _, err := tx.SweepRuns(tx.nowMS-keepRuns.Milliseconds(), sweepRows); err != nil {
		return err
	}
	if _, err := tx.SweepIdem(); err != nil {
		return err
	}
	_, err := tx.SweepFired(tx.nowMS - keepFired.Milliseconds())
	return err
}

func (db *DB) swept(err error) {
	if err != nil && !Retryable(err) {
		db.log.Warn("old rows stay in the journal", slog.Any("error", err))
	}
}
