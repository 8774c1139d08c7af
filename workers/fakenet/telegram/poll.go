package telegram

import (
	"net/http"
	"time"
)

// maxUpdates is the most that one getUpdates gives.
const maxUpdates = 100

var errConflict = &apiError{
	code: http.StatusConflict,
	text: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
}

var errWebhook = &apiError{
	code: http.StatusConflict,
	text: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
}

func getWebhookInfo(b *Bot, _ Params) (any, *apiError) {
	return Object{"url": b.webhook, "has_custom_certificate": false, "pending_update_count": len(b.updates)}, nil
}

func deleteWebhook(b *Bot, _ Params) (any, *apiError) {
	b.webhook = ""
	return true, nil
}

// getUpdates confirms all below offset, and waits for what is at or above it. A second
// poll of the same bot ends the first with 409.
func (s *Server) getUpdates(r *http.Request, b *Bot, p Params) (any, *apiError) {
	offset := p.Int("offset")
	limit := int(p.Int("limit"))
	if limit <= 0 || limit > maxUpdates {
		limit = maxUpdates
	}
	var allowed []string
	if err := p.Into("allowed_updates", &allowed); err != nil {
		return nil, badRequest("can't parse allowed_updates")
	}
	wait := time.Duration(p.Int("timeout")) * time.Second
	if s.PollCap > 0 {
		wait = min(wait, s.PollCap)
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()

	s.mu.Lock()
	if b.webhook != "" {
		s.mu.Unlock()
		return nil, errWebhook
	}
	b.poll++
	mine := b.poll
	b.confirm(offset)
	s.wake()
	s.mu.Unlock()
	for expired := false; ; {
		s.mu.Lock()
		switch {
		case s.closed:
			s.mu.Unlock()
			panic(http.ErrAbortHandler)
		case !s.known(b.Token):
			s.mu.Unlock()
			return nil, errUnauthorized
		case b.poll != mine:
			s.mu.Unlock()
			return nil, errConflict
		}
		got := b.take(offset, limit, allowed)
		if len(got) > 0 || expired {
			s.wake()
			s.mu.Unlock()
			return got, nil
		}
		ch := s.change()
		s.mu.Unlock()
		select {
		case <-ch:
		case <-deadline.C:
			expired = true
		case <-r.Context().Done():
			return []any{}, nil
		}
	}
}

// confirm forgets every update below offset. Called with mu held.
func (b *Bot) confirm(offset int64) {
	for len(b.updates) > 0 && b.updates[0]["update_id"].(int64) < offset {
		b.confirmed = b.updates[0]["update_id"].(int64)
		b.updates = b.updates[1:]
	}
}

// take gives what waits, and keeps it until it is confirmed. Called with mu held.
func (b *Bot) take(offset int64, limit int, allowed []string) []any {
	got := []any{}
	for _, u := range b.updates {
		if len(got) == limit {
			break
		}
		if u["update_id"].(int64) >= offset && wants(u, allowed) {
			got = append(got, u)
			b.handedOut[u["update_id"].(int64)]++
		}
	}
	return got
}

func wants(u Object, allowed []string) bool {
	if len(allowed) == 0 {
		_, reaction := u["message_reaction"]
		return !reaction // the real server wants that one asked for by name
	}
	for _, kind := range allowed {
		if _, has := u[kind]; has {
			return true
		}
	}
	return false
}
