package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

// lastGoodFile keeps the configuration that was in force last: includes are merged in, placeholders stay placeholders,
// so that no secret from the environment is written to disk and a restart takes today's values.
func lastGoodFile(paths source.Paths) string {
	return filepath.Join(paths.SupervisorDir(), "config.last-good.json")
}

// lastGood is the content of that file.
type lastGood struct {
	Hash    string         `json:"hash"`
	SavedMs int64          `json:"savedMs"`
	Config  map[string]any `json:"config"`
}

// saveLastGood writes the copy, unless it is of the same file already.
func (s *Store) saveLastGood(loaded *source.Loaded) error {
	file := lastGoodFile(s.opts.Paths)
	if old, err := readLastGood(file); err == nil && old.Hash == loaded.Hash && json5.Equal(any(old.Config), any(loaded.Merged)) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keep the last good configuration: %w", err)
	}
	data, err := json5.Render(lastGood{Hash: loaded.Hash, SavedMs: s.opts.Now().UnixMilli(), Config: loaded.Merged})
	if err == nil {
		err = json5.WriteAtomic(file, data)
	}
	if err != nil {
		return fmt.Errorf("keep the last good configuration: %w", err)
	}
	return nil
}

func readLastGood(file string) (lastGood, error) {
	var copied lastGood
	data, err := os.ReadFile(file)
	if err != nil {
		return copied, err
	}
	doc, err := json5.NewDocument(data)
	if err != nil {
		return copied, err
	}
	tree, ok := doc.Value().(map[string]any)
	if !ok {
		return copied, errors.New("it holds no object")
	}
	copied.Config, _ = tree["config"].(map[string]any)
	copied.Hash, _ = tree["hash"].(string)
	if copied.Config == nil {
		return copied, errors.New("it holds no configuration")
	}
	return copied, nil
}

// loadLastGood reads the copy back; nil where there is none that can be used.
func (s *Store) loadLastGood() (*source.Loaded, error) {
	file := lastGoodFile(s.opts.Paths)
	copied, err := readLastGood(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the last good configuration %s cannot be read: %w", file, err)
	}
	data, err := json.Marshal(copied.Config)
	if err != nil {
		return nil, fmt.Errorf("the last good configuration %s: %w", file, err)
	}
	opts := s.sourceOptions()
	opts.Paths.ConfigFile = file
	// A variable that is gone must not keep the other channels down.
	opts.AllowUnsetEnv = true
	loaded, err := source.Parse(data, opts)
	if err != nil {
		return nil, err
	}
	if !loaded.Valid() {
		return nil, loaded.Err()
	}
	loaded.Hash = copied.Hash
	return loaded, nil
}
