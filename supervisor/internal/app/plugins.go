package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/catalog"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// openCatalog says where workers are looked for: beside this program, unless flag or
// configuration name another folder, and in the plugin folders.
func (a *App) openCatalog() (*catalog.Catalog, error) {
	s := a.store.Snapshot()
	dir := a.opts.WorkersDir
	if dir == "" {
		dir = s.Config.Supervisor.WorkersDir
	}
	if dir == "" {
		self, err := os.Executable()
		if err == nil {
			self, err = filepath.EvalSymlinks(self)
		}
		if err != nil {
			return nil, fmt.Errorf("find this program's folder: %w", err)
		}
		dir = filepath.Dir(self)
	}
	dirs := []string{s.Paths.PluginsDir()}
	for _, p := range s.Config.Plugins.Load.Paths {
		dirs = append(dirs, s.Paths.Expand(p))
	}
	return catalog.New(catalog.Config{
		BundledDir: s.Paths.Expand(dir), PluginDirs: dirs, CopyDir: filepath.Join(a.paths.SupervisorDir(), "bin"), Pins: pins{a.db},
	}), nil
}

// watchPrograms looks at the programs anew when one came, went or changed.
func (a *App) watchPrograms(ctx context.Context) error {
	return a.catalog.Watch(ctx, func() {
		if err := a.applyWorkers(); err != nil {
			a.log.Error("the workers could not be applied after a change of their programs", "error", err)
		}
	})
}

// pins keeps the approved files in the journal, beside what else is remembered of a worker.
type pins struct{ db *journal.DB }

// Pinned implements catalog.Pins.
func (p pins) Pinned(ctx context.Context, id string) (sha string, err error) {
	err = p.db.View(ctx, func(tx *journal.Tx) error {
		row, err := tx.GetWorker(id)
		if isNotFound(err) {
			return nil
		}
		sha = row.PinnedSHA256
		return err
	})
	return sha, err
}

// Pin implements catalog.Pins.
func (p pins) Pin(ctx context.Context, id, sha string) error {
	return p.db.Update(ctx, func(tx *journal.Tx) error {
		row, err := tx.GetWorker(id)
		if err != nil && !isNotFound(err) {
			return err
		}
		row.ID, row.PinnedSHA256 = id, sha
		return tx.PutWorker(row)
	})
}
