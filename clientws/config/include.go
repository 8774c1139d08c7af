package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// maxIncludeDepth is how deep files may include files.
const maxIncludeDepth = 10

// includeKey is the key whose file, or files, stand for the object it is in.
const includeKey = "$include"

// source is one file that a configuration was read from.
type source struct {
	file string
	doc  *json5.Document
}

// includer resolves $include and remembers which value came from where.
type includer struct {
	sources map[string]*source
	// origin names the file and the path in it that a resolved path came from; only values from included files are listed.
	origin   map[string]place
	problems []Problem
}

type place struct {
	src  *source
	path json5.Path
}

// resolve gives the tree with every $include replaced by what it names.
func (in *includer) resolve(tree any, src *source, chain []string, at, local json5.Path) any {
	switch v := tree.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			step := strconv.Itoa(i)
			out[i] = in.resolve(item, src, chain, at.Join(step), local.Join(step))
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key != includeKey {
				out[key] = in.resolve(v[key], src, chain, at.Join(key), local.Join(key))
			}
		}
		included, has := v[includeKey]
		if !has {
			return out
		}
		base := in.include(included, src, chain, at, local)
		if len(out) == 0 {
			return base
		}
		if _, ok := base.(map[string]any); !ok && base != nil {
			in.fail(src, local, "the included file must hold an object, because other keys stand beside $include", "")
			return out
		}
		return merge(base, out)
	}
	if len(chain) > 1 {
		in.origin[at.String()] = place{src, local}
	}
	return tree
}

func (in *includer) include(names any, src *source, chain []string, at, local json5.Path) any {
	switch v := names.(type) {
	case string:
		return in.file(v, src, chain, at, local)
	case []any:
		var merged any
		for _, item := range v {
			name, ok := item.(string)
			if !ok {
				in.fail(src, local, "$include must be a file name or a list of file names", "")
				return nil
			}
			merged = merge(merged, in.file(name, src, chain, at, local))
		}
		return merged
	}
	in.fail(src, local, "$include must be a file name or a list of file names", "")
	return nil
}

func (in *includer) file(name string, src *source, chain []string, at, local json5.Path) any {
	file := name
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(src.file), file)
	}
	if slices.Contains(chain, file) {
		in.fail(src, local, "the files include each other: "+strings.Join(append(slices.Clone(chain), file), " → "), "remove one $include")
		return nil
	}
	if len(chain) > maxIncludeDepth {
		in.fail(src, local, fmt.Sprintf("more than %d files include one another at %s", maxIncludeDepth, file), "")
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		reason := err.Error()
		if errors.Is(err, fs.ErrNotExist) {
			reason = "there is no such file"
		}
		in.fail(src, local, fmt.Sprintf("cannot include %q (%s): %s", name, file, reason), "")
		return nil
	}
	doc, err := json5.NewDocument(data)
	if err != nil {
		in.problems = append(in.problems, syntaxProblem(file, err))
		return nil
	}
	next := &source{file: file, doc: doc}
	in.sources[file] = next
	return in.resolve(doc.Value(), next, append(slices.Clone(chain), file), at, nil)
}

func (in *includer) fail(src *source, local json5.Path, message, remedy string) {
	path := local.Join(includeKey)
	in.problems = append(in.problems, Problem{Path: path.String(), File: src.file, Pos: src.doc.Position(path), Message: message, Remedy: remedy})
}

// merge lays over on top of base: objects merge, lists are joined, anything else is replaced.
func merge(base, over any) any {
	switch o := over.(type) {
	case map[string]any:
		b, ok := base.(map[string]any)
		if !ok {
			return over
		}
		out := maps.Clone(b)
		for key, value := range o {
			if old, ok := out[key]; ok {
				value = merge(old, value)
			}
			out[key] = value
		}
		return out
	case []any:
		if b, ok := base.([]any); ok {
			return slices.Concat(b, o)
		}
	case nil:
		return base
	}
	return over
}

func syntaxProblem(file string, err error) Problem {
	var syntax *json5.SyntaxError
	if errors.As(err, &syntax) {
		return Problem{File: file, Pos: syntax.Pos, Message: syntax.Msg, Remedy: "correct the file there"}
	}
	return Problem{File: file, Message: err.Error()}
}
