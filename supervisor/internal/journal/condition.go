package journal

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
)

// Codes of Condition.
const (
	ConditionOK       = "ok"
	ConditionFull     = "journal_full"
	ConditionReadOnly = "journal_read_only"
	ConditionBroken   = "journal_failed"
)

// Condition says whether the journal can be written, for health.
type Condition struct {
	Code    string
	SinceMS int64
	// Text says what is wrong, Action what the operator can do; both empty when ok.
	Text, Action string
}

type conditionBox struct {
	mu  sync.Mutex
	now Condition
}

func (b *conditionBox) set(c Condition) {
	b.mu.Lock()
	b.now = c
	b.mu.Unlock()
}

func (b *conditionBox) get() Condition {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// Condition is how the last attempt to write went. While it is not ok, the writer tries once a second by itself.
func (db *DB) Condition() Condition { return db.condition.get() }

// observe takes note of how a group went; changes are logged, repeats are not.
func (db *DB) observe(err error) {
	was, is := db.Condition(), Condition{Code: ConditionOK}
	switch {
	case err == nil:
	case errors.Is(err, ErrFull):
		is = Condition{Code: ConditionFull, Text: "The disk that holds the journal is full. Nothing is acknowledged to the networks until there is space.",
			Action: "Free some space; everything goes on by itself."}
	case errors.Is(err, ErrReadOnly):
		is = Condition{Code: ConditionReadOnly, Text: "The journal cannot be written. Nothing is acknowledged to the networks until it can.",
			Action: "Make the state directory writable; everything goes on by itself."}
	default:
		is = Condition{Code: ConditionBroken, Text: "The disk that holds the journal answers with errors. Nothing is acknowledged to the networks meanwhile.",
			Action: "Check the disk; everything goes on by itself once it works."}
	}
	if is.Code == was.Code {
		return
	}
	is.SinceMS = clock.Millis(db.clock)
	db.condition.set(is)
	if is.Code == ConditionOK {
		db.log.Info("journal can be written again", slog.Int64("after_ms", is.SinceMS-was.SinceMS))
		return
	}
	db.log.Error("journal cannot be written", slog.String("code", is.Code), slog.Any("error", err))
}
