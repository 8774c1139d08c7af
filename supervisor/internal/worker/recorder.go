package worker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
)

// recorder writes workers' records, so that no owner waits for a disk. Of several
// records of one worker that are not yet written only the last one is.
type recorder struct {
	store  Store
	logger *slog.Logger
	wake   chan struct{}

	mu      sync.Mutex
	waiting map[string]*pendingRecord
	order   []string
}

type pendingRecord struct {
	record Record
	done   []chan<- error
}

func newRecorder(s Store, l *slog.Logger) *recorder {
	return &recorder{store: s, logger: l, wake: make(chan struct{}, 1), waiting: map[string]*pendingRecord{}}
}

func (r *recorder) load(ctx context.Context) ([]Record, error) {
	if r.store == nil {
		return nil, nil
	}
	records, err := r.store.LoadWorkers(ctx)
	if err != nil {
		return nil, fmt.Errorf("load worker records: %w", err)
	}
	return records, nil
}

// save queues a record. done, where not nil, gets the outcome; it must have room.
func (r *recorder) save(rec Record, done chan<- error) {
	if r.store == nil {
		if done != nil {
			done <- nil
		}
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.waiting[rec.ID]
	if p == nil {
		p = &pendingRecord{}
		r.waiting[rec.ID] = p
		r.order = append(r.order, rec.ID)
	}
	p.record = rec
	if done != nil {
		p.done = append(p.done, done)
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run writes until stop is closed and nothing waits any more.
func (r *recorder) run(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case <-r.wake:
			r.flush(ctx)
		case <-stop:
			r.flush(ctx)
			return
		}
	}
}

func (r *recorder) flush(ctx context.Context) {
	for {
		r.mu.Lock()
		if len(r.order) == 0 {
			r.mu.Unlock()
			return
		}
		id := r.order[0]
		r.order = slices.Delete(r.order, 0, 1)
		p := r.waiting[id]
		delete(r.waiting, id)
		r.mu.Unlock()
		err := r.store.SaveWorker(ctx, p.record)
		if err != nil {
			r.logger.Warn("worker record not stored", keyWorker, id, keyError, err)
		}
		for _, d := range p.done {
			d <- err
		}
	}
}
