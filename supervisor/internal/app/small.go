package app

import (
	"errors"
	"time"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

func isNotFound(err error) bool { return errors.Is(err, journal.ErrNotFound) }

// setMs fills in a duration that is not set yet from a figure in milliseconds; 0 leaves it.
func setMs(d *time.Duration, ms int) {
	if *d == 0 && ms > 0 {
		*d = time.Duration(ms) * time.Millisecond
	}
}
