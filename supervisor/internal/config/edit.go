package config

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

// Edit is a change of the file by an explicit command.
type Edit struct {
	// BaseHash is the hash of the state that the change is based on; required while there is a file.
	BaseHash string
	// Raw is the text of the change, JSON5: the whole configuration, or with Patch a merge patch (objects merge, null
	// deletes, lists are replaced). Values that were shown as redacted keep what they are.
	Raw   string
	Patch bool
	// AllowShrink confirms a change that drops more than half of the keys.
	AllowShrink bool
}

// Edited is what an edit led to.
type Edited struct {
	// Hash is the hash of the file now.
	Hash string
	// Change is what was applied and what waits.
	Change Change
}

// Edit writes the file and applies the change before it returns. Comments, order, includes and placeholders of what is
// not changed stay. It fails without writing for a stale or missing base hash (source.ErrHashConflict,
// source.ErrHashRequired), a text that is no JSON5, a result that would be invalid (*source.InvalidError), and a
// redacted value where nothing was before. When only the applying failed, the file is written and Edited tells its hash.
func (s *Store) Edit(ctx context.Context, edit Edit) (Edited, error) {
	doc, err := json5.NewDocument([]byte(edit.Raw))
	if err != nil {
		return Edited{}, fmt.Errorf("raw is no JSON5: %w", err)
	}
	wanted, ok := doc.Value().(map[string]any)
	if !ok {
		return Edited{}, errors.New("raw must be an object")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	loaded, err := source.Edit(ctx, s.sourceOptions(), source.Change{
		BaseHash: edit.BaseHash, NeedHash: true, AllowShrink: edit.AllowShrink,
		Version: s.opts.Version, Now: s.opts.Now(),
		Apply: func(doc *json5.Document) error {
			old := doc.Value()
			var next any = wanted
			if edit.Patch {
				next = source.MergePatch(old, next)
			}
			restored, missing := source.Restore(next, old)
			if len(missing) > 0 {
				slices.Sort(missing)
				return fmt.Errorf("%s: the redacted value stands for nothing here; write the value itself", strings.Join(missing, ", "))
			}
			return doc.Set(nil, restored)
		},
	})
	if err != nil {
		return Edited{}, err
	}
	change, err := s.reload(ctx, s.Snapshot().Config.Gateway.Reload.Mode)
	return Edited{Hash: loaded.Hash, Change: change}, err
}
