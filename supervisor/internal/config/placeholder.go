package config

import (
	"regexp"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

var placeholder = regexp.MustCompile(`\$\{([A-Z_][A-Z0-9_]*)\}`)

// placeholders lists the variables that secrets of the file are made of, as ${NAME} or by their bare name.
func (s *Snapshot) placeholders() []string {
	var names []string
	var walk func(path json5.Path, value any)
	walk = func(path json5.Path, value any) {
		switch v := value.(type) {
		case map[string]any:
			for key, item := range v {
				walk(path.Join(key), item)
			}
		case []any:
			for _, item := range v {
				walk(path.Join("0"), item)
			}
		case string:
			if !source.IsSensitive(path) {
				return
			}
			if s.named(v) != v {
				names = append(names, v)
			}
			for _, match := range placeholder.FindAllStringSubmatch(v, -1) {
				names = append(names, match[1])
			}
		}
	}
	walk(nil, s.merged)
	return names
}
