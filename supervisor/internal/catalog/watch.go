package catalog

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Figures of Watch: together they keep the promise that a dropped file is found within two seconds.
const (
	watchEvery = 500 * time.Millisecond
	// settleTime is how long a file must lie untouched before it is told of: it could still be on its way.
	settleTime = 700 * time.Millisecond
)

// Watch calls changed once at the start, for what came before it, and then whenever a
// worker's program came, went or changed, until ctx ends. Of a file that is being written it tells once it
// has settled. It looks into the folders instead of being told, so that they may come and go.
func (c *Catalog) Watch(ctx context.Context, changed func()) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var told map[string]version // nil: not even the start was told of
	for {
		now, settled := c.versions()
		if settled && (told == nil || !maps.Equal(told, now)) {
			told = now
			changed()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// versions gives what lies in all folders, and whether all of it has settled.
func (c *Catalog) versions() (map[string]version, bool) {
	vs, settled := map[string]version{}, true
	for _, dir := range c.dirs() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // it may come later
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), channelPrefix) && e.Name() != agentBinary {
				continue
			}
			path := filepath.Join(dir, e.Name())
			info, err := os.Stat(path)
			if err != nil {
				continue
			}
			v := versionOf(info)
			vs[path] = v
			settled = settled && v.age() >= settleTime
		}
	}
	return vs, settled
}
