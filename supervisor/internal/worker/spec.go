package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Spec says what one worker is to be.
type Spec struct {
	// ID is the worker's name in the pool; for a channel the plugin must describe itself by it.
	ID   string
	Kind plugin.Kind
	// Path is the file to run, absolute. Args go after it.
	Path string
	Args []string
	// Env is added to the short fixed list that every worker gets.
	Env []string
	// Dir is the working directory; empty = StateDir.
	Dir string
	// StateDir is the worker's own directory. It is made, 0700, before each start, and
	// told as OPENCLAW_STATE_DIR and in Configure.
	StateDir string
	// Configure gives today's settings. It is called at each start and by Reconfigure, and must be
	// quick. An empty StateDir in the answer is filled in. A *plugin.InvalidConfigError makes the worker terminal until
	// the next Apply or command.
	Configure func(ctx context.Context) (plugin.Configuration, error)
	// Revision changes with everything outside this struct that needs a new process, such
	// as the file's content or a setting of class process.
	Revision string
	// MemoryLimit is the resident size in bytes at which the worker is drained and
	// restarted; 0 = the policy's for its kind, negative = none.
	MemoryLimit int64
	// InheritedFiles are open files that the process gets as 3, 4 …, such as a lock. They
	// stay the caller's to close.
	InheritedFiles []*os.File
	// Unavailable says why there is nothing to run: the worker is then terminal with it.
	Unavailable *Condition
}

// sameProcess reports whether a process of s is also one of o.
func (s Spec) sameProcess(o Spec) bool {
	return s.ID == o.ID && s.Kind == o.Kind && s.Path == o.Path && s.Dir == o.Dir && s.StateDir == o.StateDir &&
		s.Revision == o.Revision && s.MemoryLimit == o.MemoryLimit &&
		slices.Equal(s.Args, o.Args) && slices.Equal(s.Env, o.Env) && slices.Equal(s.InheritedFiles, o.InheritedFiles) &&
		(s.Unavailable == nil) == (o.Unavailable == nil) && (s.Unavailable == nil || *s.Unavailable == *o.Unavailable)
}

func (s Spec) check() error {
	switch {
	case s.ID == "":
		return errors.New("apply workers: a spec has no id")
	case s.Unavailable != nil:
		return nil
	case !filepath.IsAbs(s.Path):
		return fmt.Errorf("apply workers: %s: the path %q is not absolute", s.ID, s.Path)
	case !filepath.IsAbs(s.StateDir):
		return fmt.Errorf("apply workers: %s: the state directory %q is not absolute", s.ID, s.StateDir)
	case s.Configure == nil:
		return fmt.Errorf("apply workers: %s: no settings are given", s.ID)
	}
	return nil
}

// memoryLimit is the limit in bytes; 0 = none.
func (s Spec) memoryLimit(p Policy) int64 {
	limit := s.MemoryLimit
	if limit == 0 {
		limit = p.MemoryLimit
		if s.Kind == plugin.KindAgent {
			limit = p.AgentMemoryLimit
		}
	}
	return max(limit, 0)
}
