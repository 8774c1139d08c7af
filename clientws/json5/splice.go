package json5

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// splice replaces bytes and parses again, so that a document is never left in a state that cannot be read.
func (d *Document) splice(start, end int, text string) error {
	src := slices.Concat(d.src[:start], []byte(text), d.src[end:])
	root, err := Parse(src)
	if err != nil {
		return fmt.Errorf("edit would break the file: %w", err)
	}
	d.src, d.root = src, root
	return nil
}

// style looks at the text how it is written.
func (d *Document) style() style {
	st := style{unit: "  ", newline: "\n"}
	if bytes.Contains(d.src, []byte("\r\n")) {
		st.newline = "\r\n"
	}
	if d.root.Kind != Object || len(d.root.Members) == 0 {
		return st
	}
	first := d.root.Members[0]
	if lead, alone := d.lead(first.KeyStart); alone && lead != "" {
		st.unit = lead
	}
	c := d.src[first.KeyStart]
	st.bare = c != '"' && c != '\''
	return st
}

// lead gives the blanks before an offset on its line, and whether nothing else stands there.
func (d *Document) lead(offset int) (string, bool) {
	start := offset
	for start > 0 && d.src[start-1] != '\n' && d.src[start-1] != '\r' {
		start--
	}
	before := string(d.src[start:offset])
	blank := strings.TrimLeft(before, " \t") == ""
	return before[:len(before)-len(strings.TrimLeft(before, " \t"))], blank
}

// indentAt is the indentation of the line an offset stands on.
func (d *Document) indentAt(offset int) string {
	lead, _ := d.lead(offset)
	return lead
}

func (d *Document) insertMember(parent *Node, key string, value any) error {
	st := d.style()
	return d.insert(parent, len(parent.Members), func(indent string) (string, error) {
		text, err := st.write(value, indent)
		return st.key(key) + ": " + text, err
	})
}

func (d *Document) insertItem(parent *Node, index int, value any) error {
	st := d.style()
	return d.insert(parent, index, func(indent string) (string, error) { return st.write(value, indent) })
}

// insert puts a new entry before the index-th one of an object or array, or behind the last.
func (d *Document) insert(parent *Node, index int, render func(indent string) (string, error)) error {
	entries := spans(parent)
	st := d.style()
	ownLine := true
	indent := d.indentAt(parent.Start) + st.unit
	if len(entries) > 0 {
		lead, alone := d.lead(entries[0].start)
		if ownLine = alone; alone {
			indent = lead
		} else {
			indent = d.indentAt(entries[0].start)
		}
	}
	text, err := render(indent)
	if err != nil {
		return err
	}
	switch {
	case len(entries) == 0 && d.hasComment(parent):
		// Keep what is said inside the empty brackets above the new entry.
		inside := strings.TrimRight(string(d.src[parent.Start+1:parent.End-1]), " \t\r\n")
		closing := string(d.src[parent.End-1])
		return d.splice(parent.Start+1, parent.End, inside+st.newline+indent+text+st.newline+d.indentAt(parent.Start)+closing)
	case len(entries) == 0 && parent.Kind == Array:
		return d.splice(parent.Start+1, parent.End-1, text)
	case len(entries) == 0:
		return d.splice(parent.Start+1, parent.End-1, st.newline+indent+text+st.newline+d.indentAt(parent.Start))
	case index < len(entries):
		between := " "
		if ownLine {
			between = st.newline + indent
		}
		return d.splice(entries[index].start, entries[index].start, text+","+between)
	}
	last := entries[len(entries)-1]
	between := " "
	if ownLine {
		between = st.newline + indent
	}
	if last.comma >= 0 {
		// The writer ends each entry with a comma: so does the new one.
		at := d.lineRest(last.comma + 1)
		if !ownLine {
			at = last.comma + 1
		}
		return d.splice(at, at, between+text+",")
	}
	if rest := d.lineRest(last.end); ownLine && rest > last.end {
		// A comment stands behind the last entry on its line: the comma goes before it, the new entry below.
		return d.splice(last.end, rest, ","+string(d.src[last.end:rest])+between+text)
	}
	return d.splice(last.end, last.end, ","+between+text)
}

// remove deletes one entry with its comma, and its line where nothing else stands on it. Comments stay.
func (d *Document) remove(path Path) error {
	parent := d.root.Find(path[:len(path)-1])
	entries := spans(parent)
	index := -1
	for i := range entries {
		if entries[i].key == path[len(path)-1] {
			index = i
		}
	}
	if index < 0 {
		return fmt.Errorf("there is no %s", path)
	}
	entry := entries[index]
	start, end := entry.start, entry.end
	src := slices.Clone(d.src)
	blank := func(from, to int) {
		for i := from; i < to; i++ {
			if src[i] != '\n' && src[i] != '\r' {
				src[i] = ' '
			}
		}
	}
	// Comments between the value and its comma stay, so the comma is taken out alone.
	commaOut := entry.comma
	if commaOut < 0 && index > 0 {
		commaOut = entries[index-1].comma
	}
	if commaOut >= 0 && commaOut < end {
		src = slices.Delete(src, commaOut, commaOut+1)
		start, end = start-1, end-1
	} else if commaOut >= end {
		src = slices.Delete(src, commaOut, commaOut+1)
	}
	blank(start, end)
	src = dropBlankLines(src, start, end)
	root, err := Parse(src)
	if err != nil {
		return fmt.Errorf("edit would break the file: %w", err)
	}
	d.src, d.root = src, root
	return nil
}

// dropBlankLines takes out src[start:end], which is blank, and with it the lines that it leaves without any text.
func dropBlankLines(src []byte, start, end int) []byte {
	from, to := start, end
	for from > 0 && (src[from-1] == ' ' || src[from-1] == '\t') {
		from--
	}
	for to < len(src) && (src[to] == ' ' || src[to] == '\t') {
		to++
	}
	lineStart := from == 0 || src[from-1] == '\n' || src[from-1] == '\r'
	lineEnd := to == len(src) || src[to] == '\n' || src[to] == '\r'
	if lineStart && lineEnd {
		if to < len(src) && src[to] == '\r' {
			to++
		}
		if to < len(src) && src[to] == '\n' {
			to++
		}
		return slices.Delete(src, from, to)
	}
	switch {
	case lineStart: // a comment follows on the line: keep its indentation
		return slices.Delete(src, start, to)
	case lineEnd:
		return slices.Delete(src, from, to)
	}
	// Between two neighbours on one line: one blank is enough, none next to a bracket.
	out := slices.Delete(src, from, to)
	if before, after := out[from-1], out[from]; before == '{' || before == '[' || after == ']' || after == '}' || after == ',' {
		return out
	}
	return slices.Insert(out, from, ' ')
}

// lineRest moves from an offset to the end of its line if only blanks and a comment of one line follow; else it stays.
func (d *Document) lineRest(offset int) int {
	s := scanner{src: d.src, at: offset}
	for s.at < len(s.src) {
		switch c := s.src[s.at]; {
		case c == ' ' || c == '\t':
			s.at++
		case c == '\n' || c == '\r':
			return trimBlankBefore(d.src, offset, s.at)
		case c == '/' && s.at+1 < len(s.src) && s.src[s.at+1] == '/':
			for s.at < len(s.src) && s.src[s.at] != '\n' && s.src[s.at] != '\r' {
				s.at++
			}
			return s.at
		case c == '/' && s.at+1 < len(s.src) && s.src[s.at+1] == '*':
			end := bytes.Index(s.src[s.at:], []byte("*/"))
			if end < 0 || bytes.ContainsAny(s.src[s.at:s.at+end], "\r\n") {
				return offset
			}
			s.at += end + 2
		default:
			return offset
		}
	}
	return s.at
}

func trimBlankBefore(src []byte, floor, at int) int {
	for at > floor && (src[at-1] == ' ' || src[at-1] == '\t') {
		at--
	}
	return at
}

func (d *Document) hasComment(n *Node) bool {
	return bytes.ContainsRune(d.src[n.Start+1:n.End-1], '/')
}

// span is an entry of an object or array as it stands in the text; comma is -1 where none follows.
type span struct {
	key               string
	start, end, comma int
}

func spans(n *Node) []span {
	var out []span
	for _, m := range n.Members {
		out = append(out, span{m.Key, m.KeyStart, m.Value.End, m.Comma})
	}
	for i, item := range n.Items {
		out = append(out, span{itoa(i), item.Value.Start, item.Value.End, item.Comma})
	}
	return out
}

func itoa(i int) string { return strconv.Itoa(i) }

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
