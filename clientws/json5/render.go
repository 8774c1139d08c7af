package json5

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// style is how new text is written so that it looks like its surroundings.
type style struct {
	// unit is one step of indentation.
	unit string
	// newline ends a line.
	newline string
	// bare leaves the quotes of plain keys away.
	bare bool
}

// write renders a value; indent is the indentation of the line it begins on.
func (st style) write(value any, indent string) (string, error) {
	var b strings.Builder
	err := st.render(&b, value, indent)
	return b.String(), err
}

func (st style) render(b *strings.Builder, value any, indent string) error {
	inner := indent + st.unit
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			b.WriteString("{}")
			return nil
		}
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		b.WriteString("{" + st.newline)
		for i, key := range keys {
			b.WriteString(inner + st.key(key) + ": ")
			if err := st.render(b, v[key], inner); err != nil {
				return err
			}
			st.endLine(b, i == len(keys)-1)
		}
		b.WriteString(indent + "}")
		return nil
	case []any:
		if len(v) == 0 {
			b.WriteString("[]")
			return nil
		}
		if line, ok := oneLine(v); ok {
			b.WriteString(line)
			return nil
		}
		b.WriteString("[" + st.newline)
		for i, item := range v {
			b.WriteString(inner)
			if err := st.render(b, item, inner); err != nil {
				return err
			}
			st.endLine(b, i == len(v)-1)
		}
		b.WriteString(indent + "]")
		return nil
	}
	text, err := scalar(value)
	b.WriteString(text)
	return err
}

func (st style) endLine(b *strings.Builder, last bool) {
	if !last {
		b.WriteByte(',')
	}
	b.WriteString(st.newline)
}

// key writes an object key, without quotes where the surroundings do so and the key allows it.
func (st style) key(key string) string {
	if st.bare && isBareKey(key) {
		return key
	}
	text, _ := scalar(key)
	return text
}

func isBareKey(key string) bool {
	for i, r := range key {
		if r > 0x7f || (i == 0 && !isNameStart(r)) || !isNamePart(r) {
			return false
		}
	}
	return key != ""
}

// oneLine writes a short array of scalars on one line.
func oneLine(items []any) (string, bool) {
	parts := make([]string, len(items))
	width := 0
	for i, item := range items {
		switch item.(type) {
		case map[string]any, []any:
			return "", false
		}
		text, err := scalar(item)
		if err != nil {
			return "", false
		}
		parts[i] = text
		width += len(text) + 2
	}
	return "[" + strings.Join(parts, ", ") + "]", width <= 80
}

func scalar(value any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("write value: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// Render writes a value as a new file: JSON, two spaces, one newline at the end.
func Render(value any) ([]byte, error) {
	normal, err := Normalize(value)
	if err != nil {
		return nil, err
	}
	text, err := style{unit: "  ", newline: "\n"}.write(normal, "")
	if err != nil {
		return nil, err
	}
	return []byte(text + "\n"), nil
}
