package app

import (
	"context"
	"fmt"
)

// resume takes up what the last life left behind, before any worker is attached: runs
// first, then messages that were stored and not looked at, each in their order.
func (a *App) resume(ctx context.Context) error {
	if err := a.runner.Resume(ctx); err != nil {
		return err
	}
	rows, err := a.inbox.Pending(ctx)
	if err != nil {
		return fmt.Errorf("find messages to take up: %w", err)
	}
	for _, row := range rows {
		a.router.Take(ctx, row)
	}
	if len(rows) > 0 {
		a.log.Info("stored messages taken up", "count", len(rows))
	}
	return nil
}

// setTakeCtx and takeCtx hand the context of Run to the notifications of the inbox, which have none.
func (a *App) setTakeCtx(ctx context.Context) { a.take.Store(&ctx) }

func (a *App) takeCtx() context.Context {
	if ctx := a.take.Load(); ctx != nil {
		return *ctx
	}
	return context.Background()
}
