package json5

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Pos is a place in a source text. Line and Column count from 1, Column in characters (not bytes).
// The zero Pos means "unknown".
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// IsValid reports whether the place is known.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String gives "line 3, column 7", or "" for an unknown place.
func (p Pos) String() string {
	if !p.IsValid() {
		return ""
	}
	return fmt.Sprintf("line %d, column %d", p.Line, p.Column)
}

// SyntaxError says where a text stops being JSON5, and why.
type SyntaxError struct {
	Pos Pos
	// Msg is one lower-case sentence without the place.
	Msg string
}

// Error gives place and reason in one line.
func (e *SyntaxError) Error() string { return e.Pos.String() + ": " + e.Msg }

// position turns a byte offset into a place. A line ends at \n, at \r\n, or at a lone \r.
func position(src []byte, offset int) Pos {
	offset = min(max(offset, 0), len(src))
	before := src[:offset]
	line, start := 1, 0
	for i := 0; i < len(before); i++ {
		switch before[i] {
		case '\n':
			line, start = line+1, i+1
		case '\r':
			if i+1 < len(src) && src[i+1] == '\n' {
				continue
			}
			line, start = line+1, i+1
		}
	}
	text := bytes.TrimPrefix(before[start:], []byte("\ufeff"))
	return Pos{Line: line, Column: utf8.RuneCount(text) + 1}
}
