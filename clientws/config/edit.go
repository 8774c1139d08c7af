package config

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// Errors of [Edit]. Their texts are what clients of the control plane know.
var (
	// ErrHashRequired: the file exists and the caller did not say which state of it the change is based on.
	ErrHashRequired = errors.New("config base hash required; re-run config.get and retry")
	// ErrHashConflict: the file is not what the change is based on.
	ErrHashConflict = errors.New("config changed since last load; re-run config.get and retry")
	// ErrShrinks: the change would drop more than half of the keys, and that was not confirmed.
	ErrShrinks = errors.New("this would remove more than half of the configured keys; confirm it to go on")
	// ErrReadOnly: OPENCLAW_NIX_MODE=1 says that somebody else owns the file.
	ErrReadOnly = errors.New("the configuration is read-only here (OPENCLAW_NIX_MODE=1)")
)

// Change is what [Edit] is to do.
type Change struct {
	// BaseHash is the hash the change is based on. NeedHash refuses an empty one while the file exists.
	BaseHash string
	NeedHash bool
	// AllowShrink confirms a change that drops more than half of the keys.
	AllowShrink bool
	// Version is stamped into meta.lastTouchedVersion; empty leaves meta alone.
	Version string
	// Now is the time stamped into meta.lastTouchedAt.
	Now time.Time
	// Apply changes the document. It sees what is in the file at that moment, under the file's lock.
	Apply func(doc *json5.Document) error
	// Repair allows a file that was invalid before and still is after; Edit then writes what Apply made of it.
	Repair bool
}

// Edit changes the configuration file: comments, order, includes and placeholders of what is not changed stay. It
// writes nothing, and says why, when the result would be invalid ([*InvalidError]), when the file is not the one the
// change is based on, or when Apply fails. A change that changes nothing writes nothing. The result is the
// configuration after the change. A missing file is made.
func Edit(ctx context.Context, opts Options, change Change) (*Loaded, error) {
	if opts.Environ.Get("OPENCLAW_NIX_MODE") == "1" {
		return nil, ErrReadOnly
	}
	var result *Loaded
	err := json5.UpdateFile(ctx, opts.Paths.ConfigFile, func(current []byte) ([]byte, error) {
		next, err := edited(current, change)
		if err != nil {
			return nil, err
		}
		if string(next) == string(current) && current != nil {
			result, err = Parse(current, opts)
			if err != nil {
				return nil, err
			}
			return nil, json5.ErrUnchanged
		}
		if result, err = Parse(next, opts); err != nil {
			return nil, err
		}
		if !result.Valid() && !change.Repair {
			return nil, result.Err()
		}
		return next, nil
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

func edited(current []byte, change Change) ([]byte, error) {
	if current != nil {
		sum := sha256.Sum256(current)
		switch {
		case change.BaseHash == "" && change.NeedHash:
			return nil, ErrHashRequired
		case change.BaseHash != "" && change.BaseHash != hex.EncodeToString(sum[:]):
			return nil, ErrHashConflict
		}
	} else if change.BaseHash != "" {
		return nil, ErrHashConflict
	}
	doc, err := json5.NewDocument(current)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be changed before it is corrected: %w", err)
	}
	before, beforeValue := countKeys(doc.Value()), doc.Value()
	if err := change.Apply(doc); err != nil {
		return nil, err
	}
	after := doc.Value()
	if n := countKeys(after); before >= 8 && n*2 < before && !change.AllowShrink {
		return nil, ErrShrinks
	}
	if json5.Equal(beforeValue, after) {
		if current == nil {
			return doc.Bytes(), nil
		}
		return current, nil
	}
	if change.Version != "" {
		stamp := change.Now.UTC().Format("2006-01-02T15:04:05.000Z")
		if err := errors.Join(
			doc.Set(json5.Path{"meta", "lastTouchedVersion"}, change.Version),
			doc.Set(json5.Path{"meta", "lastTouchedAt"}, stamp),
		); err != nil {
			return nil, err
		}
	}
	return doc.Bytes(), nil
}

// countKeys counts the keys of all objects in a value.
func countKeys(value any) int {
	n := 0
	switch v := value.(type) {
	case map[string]any:
		for _, item := range v {
			n += 1 + countKeys(item)
		}
	case []any:
		for _, item := range v {
			n += countKeys(item)
		}
	}
	return n
}

// MergePatch applies a JSON merge patch: objects merge, null deletes, anything else replaces. Neither argument is changed.
func MergePatch(base, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	b, _ := base.(map[string]any)
	out := make(map[string]any, len(b)+len(p))
	for key, value := range b {
		out[key] = value
	}
	for key, value := range p {
		if value == nil {
			delete(out, key)
			continue
		}
		out[key] = MergePatch(out[key], value)
	}
	return out
}
