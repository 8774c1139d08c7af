package config

import (
	"bufio"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Environ is a set of environment variables. An empty value counts as not set.
type Environ map[string]string

// ProcessEnviron is the environment of this process.
func ProcessEnviron() Environ {
	env := Environ{}
	for _, line := range os.Environ() {
		if name, value, ok := strings.Cut(line, "="); ok {
			env[name] = value
		}
	}
	return env
}

// Get gives a variable, "" when it is not set.
func (e Environ) Get(name string) string { return e[name] }

// First gives the first of several variables that is set, and its name.
func (e Environ) First(names ...string) (value, name string) {
	for _, name := range names {
		if value := e[name]; value != "" {
			return value, name
		}
	}
	return "", ""
}

// fill adds the variables that are not set yet.
func (e Environ) fill(more map[string]string) {
	for name, value := range more {
		if e[name] == "" && value != "" {
			e[name] = value
		}
	}
}

// withDotenv adds the variables of .env in the working directory, then of .env in the state directory. Neither
// overrides what is set. A file that cannot be read is a warning.
func (e Environ) withDotenv(workDir, stateDir string) (Environ, []Problem) {
	env := maps.Clone(e)
	if env == nil {
		env = Environ{}
	}
	var problems []Problem
	files := []string{}
	for _, dir := range []string{workDir, stateDir} {
		if dir != "" {
			files = append(files, filepath.Join(dir, ".env"))
		}
	}
	for _, file := range slices.Compact(files) {
		vars, err := readDotenv(file)
		if err != nil {
			problems = append(problems, Problem{File: file, Message: "the environment file cannot be read: " + err.Error()})
			continue
		}
		env.fill(vars)
	}
	return env, problems
}

// readDotenv reads NAME=value lines: blank lines and # comments are passed over, "export " is allowed in front, a value
// may stand in single quotes (as it is) or double quotes (\n, \" and \\ are read). No file is no variables.
func readDotenv(file string) (map[string]string, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	vars := map[string]string{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		line = strings.TrimSpace(strings.TrimPrefix(line, "export "))
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok || strings.HasPrefix(line, "#") || name == "" {
			continue
		}
		vars[name] = dotenvValue(strings.TrimSpace(value))
	}
	return vars, lines.Err()
}

func dotenvValue(value string) string {
	if len(value) >= 2 {
		switch quote := value[0]; {
		case quote == '\'' && strings.IndexByte(value[1:], '\'') >= 0:
			return value[1 : 1+strings.IndexByte(value[1:], '\'')]
		case quote == '"':
			if end := closingQuote(value); end > 0 {
				return strings.NewReplacer(`\n`, "\n", `\"`, `"`, `\\`, `\`).Replace(value[1:end])
			}
		}
	}
	if i := strings.Index(value, " #"); i >= 0 {
		value = strings.TrimSpace(value[:i])
	}
	return value
}

func closingQuote(value string) int {
	for i := 1; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
