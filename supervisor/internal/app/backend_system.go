package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/json5"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// systemEventsKept is how many notes wait for a session's next turn at most (spec: envelope).
const systemEventsKept = 20

// systemEvents implements gateway.SystemEvents and gateway.Heartbeats. Notes are in the
// journal; scheduled turns come with a later capability, so there is no last one to tell of yet.
type systemEvents struct {
	db      *journal.DB
	book    *book
	enabled atomic.Bool
}

func newSystemEvents(db *journal.DB, b *book) *systemEvents {
	s := &systemEvents{db: db, book: b}
	s.enabled.Store(true)
	return s
}

// Enqueue implements gateway.SystemEvents.
func (s *systemEvents) Enqueue(ctx context.Context, text string) error {
	key := s.book.keys().Main("")
	return s.db.Update(ctx, func(tx *journal.Tx) error {
		have, err := tx.ListSystemEvents(key)
		if err != nil {
			return err
		}
		if n := len(have); n > 0 && have[n-1].Text == text {
			return nil
		}
		if len(have) >= systemEventsKept {
			if _, err := tx.TakeSystemEvents(key); err != nil {
				return err
			}
			for _, e := range have[len(have)-systemEventsKept+1:] {
				if _, err := tx.AddSystemEvent(key, e.Text); err != nil {
					return err
				}
			}
		}
		_, err = tx.AddSystemEvent(key, text)
		return err
	})
}

// Queued implements gateway.SystemEvents.
func (s *systemEvents) Queued(ctx context.Context) ([]string, error) {
	out := []string{}
	err := s.db.View(ctx, func(tx *journal.Tx) error {
		rows, err := tx.ListSystemEvents(s.book.keys().Main(""))
		for _, r := range rows {
			out = append(out, r.Text)
		}
		return err
	})
	return out, err
}

// Last implements gateway.Heartbeats.
func (s *systemEvents) Last(context.Context) (json.RawMessage, error) {
	return json.RawMessage("null"), nil
}

// SetEnabled implements gateway.Heartbeats.
func (s *systemEvents) SetEnabled(_ context.Context, enabled bool) error {
	s.enabled.Store(enabled)
	return nil
}

// Wake implements gateway.Heartbeats: the text waits for the main session's next turn.
func (s *systemEvents) Wake(ctx context.Context, text string, _ bool) error {
	return s.Enqueue(ctx, text)
}

// configView implements gateway.ConfigViewer.
type configView struct {
	store    *config.Store
	channels *channels
}

// Redacted implements gateway.ConfigViewer.
func (c configView) Redacted(context.Context) (protocol.ConfigSnapshot, error) {
	v, err := c.store.View(c.sensitive)
	if err != nil {
		return protocol.ConfigSnapshot{}, fmt.Errorf("read the configuration: %w", err)
	}
	raw := v.Raw
	return protocol.ConfigSnapshot{
		Path: v.Path, Exists: v.Exists, Raw: &raw, Parsed: v.Parsed, Valid: v.Valid, Config: v.Config, Hash: v.Hash,
		Issues: issues(v.Issues), Warnings: issues(v.Warnings), LegacyIssues: issues(v.LegacyIssues),
	}, nil
}

func issues(in []config.Issue) []protocol.ConfigIssue {
	out := make([]protocol.ConfigIssue, 0, len(in))
	for _, i := range in {
		out = append(out, protocol.ConfigIssue{Path: i.Path, Message: i.Message})
	}
	return out
}

// sensitive knows the secrets that workers name in Describe.
func (c configView) sensitive(at json5.Path) bool {
	if len(at) < 3 || at[0] != "channels" {
		return false
	}
	d, ok := c.channels.description(at[1])
	if !ok {
		return false
	}
	rest := strings.Join(at[2:], ".")
	if len(at) > 4 && at[2] == "accounts" {
		rest = strings.Join(at[4:], ".")
	}
	for _, p := range d.SensitivePaths {
		if p == rest {
			return true
		}
	}
	return false
}

// voiceWake implements gateway.VoiceWake from the reference's settings file.
type voiceWake struct{ paths source.Paths }

// defaultTriggers are the wake words where none are set (spec: nodes).
var defaultTriggers = []string{"openclaw", "claude", "computer"}

// Triggers implements gateway.VoiceWake.
func (v voiceWake) Triggers(context.Context) ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(v.paths.StateDir, "settings", "voicewake.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return defaultTriggers, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the wake words: %w", err)
	}
	var file struct {
		Triggers []string `json:"triggers"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("read the wake words: %w", err)
	}
	if len(file.Triggers) == 0 {
		return defaultTriggers, nil
	}
	return file.Triggers, nil
}
