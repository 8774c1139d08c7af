package config

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

// StartError says why the supervisor may not start with this configuration. Its text is for the operator.
type StartError struct {
	Text string
	// Err is the cause, nil where the text says all.
	Err error
}

// Error gives the text and, on the following lines, the cause.
func (e *StartError) Error() string {
	if e.Err == nil {
		return e.Text
	}
	return e.Text + "\n" + e.Err.Error()
}

// Unwrap gives the cause.
func (e *StartError) Unwrap() error { return e.Err }

// createFirst makes the file of a first run, with a token of its own. A file that appeared meanwhile is left alone.
func (s *Store) createFirst() error {
	tree := map[string]any{"gateway": map[string]any{"mode": "local", "auth": map[string]any{"mode": "token", "token": newToken()}}}
	if s.opts.Dev {
		gateway := tree["gateway"].(map[string]any)
		gateway["bind"] = "loopback"
		tree["agents"] = map[string]any{
			"defaults": map[string]any{"workspace": s.opts.Paths.Workspace(), "skipBootstrap": true},
			"list": []any{map[string]any{"id": "dev", "default": true, "workspace": s.opts.Paths.Workspace(),
				"identity": map[string]any{"name": "C3-PO", "theme": "protocol droid", "emoji": "🤖"}}},
		}
	}
	data, err := json5.Render(tree)
	if err != nil {
		return err
	}
	if err := createExclusive(s.opts.Paths.ConfigFile, data); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make %s: %w", s.opts.Paths.ConfigFile, err)
	}
	return nil
}

// gate refuses a start that the configuration does not allow.
func (s *Store) gate(loaded *source.Loaded) error {
	if s.opts.AllowUnconfigured || s.opts.Dev {
		return nil
	}
	if !loaded.Exists {
		return &StartError{Text: "Missing config. Run `openclaw setup` or set gateway.mode=local (or pass --allow-unconfigured)."}
	}
	if mode := loaded.Config.Gateway.Mode; mode != "local" {
		if mode == "" {
			mode = "unset"
		}
		return &StartError{Text: fmt.Sprintf("Gateway start blocked: set gateway.mode=local (current: %s) or pass --allow-unconfigured.", mode)}
	}
	return nil
}
