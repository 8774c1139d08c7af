//go:build !linux

package worker

import (
	"context"
	"log/slog"
)

// endLeftovers forgets recorded processes: their identity cannot be proven here, and a
// stranger is never signalled. The lifeline has ended those that were ours.
func endLeftovers(_ context.Context, records []Record, save *recorder, _ *slog.Logger) []Record {
	for i := range records {
		if records[i].PID != 0 {
			records[i].PID, records[i].StartTicks, records[i].Executable = 0, 0, ""
			save.save(records[i], nil)
		}
	}
	return records
}
