package files

import (
	"strings"
	"unicode/utf8"
)

// bom may begin a file; no search is meant to meet it.
const bom = "\uFEFF"

// view is a text in a form that is easier to search, with the way back.
type view struct {
	text string
	// from and to say, for each byte of text, where in the original the characters that
	// it stands for begin and end; nil = text is the original behind skip bytes.
	from, to []int32
	skip     int
}

// span gives the place in the original of the bytes i to j of the view; i < j.
func (v view) span(i, j int) (begin, end int) {
	if v.from == nil {
		return i + v.skip, j + v.skip
	}
	return int(v.from[i]) + v.skip, int(v.to[j-1]) + v.skip
}

// add puts a piece into the view that stands for the original's bytes begin to end.
func (v *view) add(sb *strings.Builder, piece string, begin, end int) {
	sb.WriteString(piece)
	for range len(piece) {
		v.from = append(v.from, int32(begin)) //nolint:gosec // a text is far shorter than that
		v.to = append(v.to, int32(end))       //nolint:gosec // as above
	}
}

// plain is a text without its byte order mark and with bare line feeds.
func plain(text string) view {
	v := view{skip: len(text)}
	text = strings.TrimPrefix(text, bom)
	v.skip -= len(text)
	if !strings.Contains(text, "\r\n") {
		v.text = text
		return v
	}
	var sb strings.Builder
	for i := 0; i < len(text); i++ {
		begin := i
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		v.add(&sb, text[i:i+1], begin, i+1)
	}
	v.text = sb.String()
	return v
}

// loose is a text as one types it: besides, without blanks at the ends of lines and with
// the plain forms of quotes, dashes and spaces.
func loose(text string) view {
	v := view{skip: len(text)}
	text = strings.TrimPrefix(text, bom)
	v.skip -= len(text)
	var sb strings.Builder
	offset := 0
	for line := range strings.Lines(text) {
		body := strings.TrimRight(line, "\r\n")
		kept := strings.TrimRightFunc(body, func(r rune) bool { return simple(r) == ' ' || r == '\t' })
		for i, r := range kept {
			size := utf8.RuneLen(r)
			if r == utf8.RuneError {
				_, size = utf8.DecodeRuneInString(kept[i:])
			}
			piece := kept[i : i+size]
			if s := simple(r); s != r {
				piece = string(s)
			}
			v.add(&sb, piece, offset+i, offset+i+size)
		}
		if len(line) > len(body) {
			v.add(&sb, "\n", offset+len(body), offset+len(line))
		}
		offset += len(line)
	}
	v.text = sb.String()
	return v
}

// simple is the form of a character that a keyboard has.
func simple(r rune) rune {
	switch {
	case r >= '\u2018' && r <= '\u201B':
		return '\''
	case r >= '\u201C' && r <= '\u201F':
		return '"'
	case r >= '\u2010' && r <= '\u2015', r == '\u2212':
		return '-'
	case r == '\u00A0', r >= '\u2002' && r <= '\u200A', r == '\u202F', r == '\u205F', r == '\u3000':
		return ' '
	}
	return r
}
