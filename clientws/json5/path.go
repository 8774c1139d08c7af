package json5

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Path names a value by the steps that lead to it from the root: object keys, and array indexes in decimal.
type Path []string

// ParsePath reads the written form: keys joined by dots, array indexes in brackets, and keys that hold dots or brackets
// quoted inside brackets: agents.list[0].id, channels.telegram.groups["-100.5"]. An empty text is the root.
func ParsePath(text string) (Path, error) {
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("path %q: not UTF-8 text", text)
	}
	var path Path
	rest := text
	for rest != "" {
		switch {
		case rest[0] == '[':
			step, after, err := bracket(rest)
			if err != nil {
				return nil, fmt.Errorf("path %q: %w", text, err)
			}
			path, rest = append(path, step), after
		case rest[0] == '.':
			if len(path) == 0 || len(rest) == 1 || rest[1] == '.' || rest[1] == '[' {
				return nil, fmt.Errorf("path %q: a dot needs a key on both sides", text)
			}
			rest = rest[1:]
			fallthrough
		default:
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			path, rest = append(path, rest[:end]), rest[end:]
		}
	}
	return path, nil
}

func bracket(rest string) (step, after string, err error) {
	if len(rest) > 1 && (rest[1] == '"' || rest[1] == '\'') {
		quote := rest[1]
		end := strings.IndexByte(rest[2:], quote)
		if end < 0 || !strings.HasPrefix(rest[2+end+1:], "]") {
			return "", "", fmt.Errorf("the quoted key in brackets is not closed")
		}
		return rest[2 : 2+end], rest[2+end+2:], nil
	}
	end := strings.IndexByte(rest, ']')
	if end < 0 {
		return "", "", fmt.Errorf("a bracket is not closed")
	}
	step = rest[1:end]
	if step == "" {
		return "", "", fmt.Errorf("empty brackets")
	}
	return step, rest[end+1:], nil
}

// String writes the path so that [ParsePath] reads it back. Decimal steps are written as indexes.
func (p Path) String() string {
	var b strings.Builder
	for i, step := range p {
		switch _, isIndex := arrayIndex(step); {
		case isIndex:
			b.WriteString("[" + step + "]")
		case step == "" || strings.ContainsAny(step, ".[]\"'"):
			quote := `"`
			if strings.Contains(step, quote) {
				quote = "'"
			}
			b.WriteString("[" + quote + step + quote + "]")
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// Join gives a new path one step longer; the receiver is not changed.
func (p Path) Join(step string) Path {
	longer := make(Path, len(p)+1)
	copy(longer, p)
	longer[len(p)] = step
	return longer
}

// arrayIndex reads a step as an array index: decimal, no sign, no leading zero.
func arrayIndex(step string) (int, bool) {
	if step == "" || len(step) > 9 || (step[0] == '0' && len(step) > 1) {
		return 0, false
	}
	for _, c := range []byte(step) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	i, err := strconv.Atoi(step)
	return i, err == nil
}
