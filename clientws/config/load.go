package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// Options says what to load and with which environment.
type Options struct {
	Paths Paths
	// Environ is the process environment. .env files and the env section are added to it, never over it.
	Environ Environ
	// WorkDir is where a .env file may lie besides the state directory; empty for none.
	WorkDir string
	// AllowUnsetEnv makes a placeholder for a variable that is not set an empty text and a warning instead of a problem.
	AllowUnsetEnv bool
}

// Loaded is a configuration as it was read. It is not changed after Load has returned.
type Loaded struct {
	// File is the path; Exists tells whether there is a file. Without one everything has its default.
	File   string
	Exists bool
	// Raw are the file's bytes and Hash their SHA-256 in hex, "" without a file.
	Raw  []byte
	Hash string
	// Parsed is the file's own content before includes and substitution, nil when it cannot be parsed.
	Parsed map[string]any
	// Merged is Parsed with every $include replaced by what it names, placeholders as written.
	Merged map[string]any
	// Tree is what it means: includes and environment resolved, legacy keys under their names of today, no defaults.
	Tree map[string]any
	// Config is Tree in typed form, with defaults. It is only filled when there are no problems.
	Config Config
	// Problems make the configuration unusable; Warnings and Legacy, which is about old keys, do not.
	Problems, Warnings, Legacy []Problem
	// Includes are the files that were included, in no particular order.
	Includes []string
	// Environ is the environment that was in force: process, .env files, env section.
	Environ Environ

	doc    *json5.Document
	in     *includer
	legacy migrated
}

// Valid tells whether the configuration can be used.
func (l *Loaded) Valid() bool { return len(l.Problems) == 0 }

// Err is nil for a usable configuration, else an [*InvalidError] that lists the problems.
func (l *Loaded) Err() error {
	if l.Valid() {
		return nil
	}
	return &InvalidError{File: l.File, Problems: l.Problems}
}

// Load reads the configuration. What is wrong with its content is in the result's Problems, all of it at once; the
// error is for a file that is there but cannot be read.
func Load(opts Options) (*Loaded, error) {
	data, err := os.ReadFile(opts.Paths.ConfigFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Parse(nil, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if data == nil {
		data = []byte{}
	}
	return Parse(data, opts)
}

// Parse is [Load] for bytes that are not, or not yet, in the file; nil stands for no file. Includes are read relative
// to the file's place. The error is always nil today; a caller handles it as that of Load.
func Parse(data []byte, opts Options) (*Loaded, error) {
	l := &Loaded{File: opts.Paths.ConfigFile, Exists: data != nil, Raw: data, Tree: map[string]any{}}
	l.Environ, l.Warnings = opts.Environ.withDotenv(opts.WorkDir, opts.Paths.StateDir)
	if data != nil {
		sum := sha256.Sum256(data)
		l.Hash = hex.EncodeToString(sum[:])
		if !l.read() {
			return l, nil
		}
	}
	l.Environ.fill(envBlock(l.Tree))
	l.Merged = l.Tree
	tree, findings := substitute(l.Tree, l.Environ)
	l.Tree = tree.(map[string]any)
	if opts.AllowUnsetEnv {
		for _, unset := range findings {
			l.Warnings = append(l.Warnings, l.problem(unset))
		}
	} else {
		l.place(findings)
	}
	l.legacy = migrate(l.Tree)
	l.place(l.legacy.findings)
	for _, warning := range l.legacy.warnings {
		l.Legacy = append(l.Legacy, l.problem(warning))
	}
	check := checker{}
	check.check(nil, loadSchema(), l.Tree)
	check.crossRules(l.Tree)
	l.place(check.findings)
	for _, hint := range hints(l.Tree) {
		l.Warnings = append(l.Warnings, l.problem(hint))
	}
	if !l.Valid() {
		return l, nil
	}
	config, err := Decode(l.Tree)
	if err != nil {
		l.Problems = append(l.Problems, Problem{File: l.File, Message: err.Error()})
	}
	l.Config = config
	return l, nil
}

// read parses the text and follows its includes. It reports whether there is a tree to go on with.
func (l *Loaded) read() bool {
	if strings.TrimSpace(strings.Trim(string(l.Raw), "\ufeff\x00")) == "" && len(l.Raw) > 0 || l.Exists && len(l.Raw) == 0 {
		l.Problems = append(l.Problems, Problem{File: l.File, Pos: json5.Pos{Line: 1, Column: 1},
			Message: "the file is empty", Remedy: "write {} into it, or restore it from " + l.File + ".bak"})
		return false
	}
	doc, err := json5.NewDocument(l.Raw)
	if err != nil {
		l.Problems = append(l.Problems, syntaxProblem(l.File, err))
		return false
	}
	l.doc = doc
	parsed, ok := doc.Value().(map[string]any)
	if !ok {
		l.Problems = append(l.Problems, Problem{File: l.File, Pos: doc.Position(nil),
			Message: fmt.Sprintf("the file must hold one object { … }, got %s", show(doc.Value(), false))})
		return false
	}
	l.Parsed = parsed
	l.in = &includer{sources: map[string]*source{}, origin: map[string]place{}}
	resolved := l.in.resolve(parsed, &source{file: l.File, doc: doc}, []string{l.File}, nil, nil)
	for file := range l.in.sources {
		l.Includes = append(l.Includes, file)
	}
	l.Problems = append(l.Problems, l.in.problems...)
	tree, ok := resolved.(map[string]any)
	if !ok {
		if len(l.in.problems) == 0 {
			l.Problems = append(l.Problems, Problem{File: l.File, Message: "the included file must hold an object"})
		}
		return false
	}
	l.Tree = tree
	return len(l.in.problems) == 0
}

func (l *Loaded) place(findings []finding) {
	for _, f := range findings {
		l.Problems = append(l.Problems, l.problem(f))
	}
}

// problem finds the place of a finding: in an included file, or in the main one under the name the key has there.
func (l *Loaded) problem(f finding) Problem {
	p := Problem{Path: f.path.String(), File: l.File, Message: f.message, Remedy: f.remedy}
	if l.doc == nil {
		return p
	}
	local := l.legacy.original(f.path)
	doc := l.doc
	if doc.Root().Find(local) == nil {
		if from, ok := l.in.find(local); ok {
			p.File, doc, local = from.src.file, from.src.doc, from.path
		}
	}
	p.Pos = doc.ValuePosition(local)
	if f.atKey {
		p.Pos = doc.Position(local)
	}
	return p
}

// find gives the included file that a resolved path, or anything below it, came from.
func (in *includer) find(path json5.Path) (place, bool) {
	name := path.String()
	if from, ok := in.origin[name]; ok {
		return from, true
	}
	for origin, from := range in.origin {
		rest, below := strings.CutPrefix(origin, name)
		if !below || rest == "" || (rest[0] != '.' && rest[0] != '[') {
			continue
		}
		if full, err := json5.ParsePath(origin); err == nil && len(from.path) >= len(full)-len(path) {
			return place{from.src, from.path[:len(from.path)-(len(full)-len(path))]}, true
		}
	}
	return place{}, false
}
