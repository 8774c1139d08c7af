package config

import (
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// Locate fills in file, line and column of problems that name a path of this configuration.
func (l *Loaded) Locate(problems []Problem) []Problem {
	out := slices.Clone(problems)
	for i, p := range out {
		path, err := json5.ParsePath(p.Path)
		if err != nil || p.Pos.IsValid() {
			continue
		}
		placed := l.problem(finding{path: path, atKey: strings.HasPrefix(p.Message, "Unrecognized key")})
		out[i].File, out[i].Pos = placed.File, placed.Pos
	}
	return out
}
