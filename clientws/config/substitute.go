package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

var placeholder = regexp.MustCompile(`\$?\$\{([A-Z_][A-Z0-9_]*)\}`)

// substitute replaces ${NAME} in every string of a tree; $${NAME} stays as ${NAME}. A name that is not set is a finding.
func substitute(tree any, env Environ) (any, []finding) {
	var findings []finding
	var walk func(path json5.Path, value any) any
	walk = func(path json5.Path, value any) any {
		switch v := value.(type) {
		case map[string]any:
			out := make(map[string]any, len(v))
			for _, key := range slices.Sorted(maps.Keys(v)) {
				out[key] = walk(path.Join(key), v[key])
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i, item := range v {
				out[i] = walk(path.Join(strconv.Itoa(i)), item)
			}
			return out
		case json.Number:
			return wholeNumber(v)
		case string:
			if !strings.Contains(v, "${") {
				return v
			}
			return placeholder.ReplaceAllStringFunc(v, func(found string) string {
				if strings.HasPrefix(found, "$$") {
					return found[1:]
				}
				name := found[2 : len(found)-1]
				value := env.Get(name)
				if value == "" {
					findings = append(findings, finding{
						path:    path,
						message: fmt.Sprintf("the environment variable %s is not set", name),
						remedy:  fmt.Sprintf("set %s, put it into .env, or write $${%s} for the text itself", name, name),
					})
				}
				return value
			})
		}
		return value
	}
	return walk(nil, tree), findings
}

// wholeNumber spells a number without fraction in plain digits, so that it can be read into an int: 5.0, 3e2.
func wholeNumber(n json.Number) json.Number {
	if !strings.ContainsAny(string(n), ".eE") || !isWhole(string(n)) {
		return n
	}
	f, err := n.Float64()
	if err != nil {
		return n
	}
	return json.Number(strconv.FormatInt(int64(f), 10))
}

// envBlock gathers the variables of the env section: env.vars.NAME and env.NAME.
func envBlock(tree map[string]any) map[string]string {
	vars := map[string]string{}
	section, _ := tree["env"].(map[string]any)
	inner, _ := section["vars"].(map[string]any)
	for name, value := range section {
		if text, ok := value.(string); ok {
			vars[name] = text
		}
	}
	for name, value := range inner {
		if text, ok := value.(string); ok {
			vars[name] = text
		}
	}
	return vars
}
