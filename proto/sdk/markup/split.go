package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Mode says where a text is cut; the values are those of the config key chunkMode.
type Mode string

// The modes.
const (
	// ByLength cuts only what is too long; also the empty value.
	ByLength Mode = "length"
	// ByParagraph makes a piece of each paragraph, and cuts those that are too long.
	ByParagraph Mode = "newline"
)

// Cut says how a text is to be cut.
type Cut struct {
	Limit plugin.TextLimit
	Mode  Mode
	// Caption makes the first piece fit Limit.CaptionN: it goes with media.
	Caption bool
	// Source measures the Markdown of a piece beside its plain text, for networks that
	// are sent Markdown as it stands.
	Source bool
}

// Split cuts a text into pieces within the limit, by length. A text that fits comes
// back as it is; an empty one gives no piece.
func Split(t message.Text, limit plugin.TextLimit) []message.Text {
	return SplitWith(t, Cut{Limit: limit})
}

// SplitWith cuts a text into pieces. It cuts at the last line break that fits, else at
// the last white space outside parentheses, else between two characters; formatting
// goes on in the next piece, so that a code block is closed and opened again. White
// space at a cut is dropped, nothing else is. A limit smaller than one character gives
// pieces of one character.
func SplitWith(t message.Text, c Cut) []message.Text {
	s := splitter{cut: c}
	if c.Mode == ByParagraph {
		for _, p := range paragraphs(t) {
			s.add(p)
		}
		return s.pieces
	}
	s.add(t)
	return s.pieces
}

type splitter struct {
	cut    Cut
	pieces []message.Text
}

func (s *splitter) limit() plugin.TextLimit {
	l := s.cut.Limit
	if s.cut.Caption && len(s.pieces) == 0 && l.CaptionN > 0 {
		l.N = l.CaptionN
	}
	return l
}

func (s *splitter) add(t message.Text) {
	if strings.TrimSpace(t.Plain) == "" {
		return
	}
	if s.fits(t) {
		if t.Markdown == "" {
			t.Markdown = Markdown(t)
		}
		s.pieces = append(s.pieces, t)
		return
	}
	rest := t
	for {
		whole := rest
		whole.Markdown = ""
		if s.fits(whole) {
			s.push(whole)
			return
		}
		end := s.end(rest)
		next := skipBlank(rest, end)
		s.push(cut(rest, 0, trimEnd(rest, end)))
		if next >= len(rest.Plain) {
			return
		}
		rest = cut(rest, next, len(rest.Plain))
	}
}

func (s *splitter) push(t message.Text) {
	if strings.TrimSpace(t.Plain) == "" {
		return
	}
	t.Markdown = Markdown(t)
	s.pieces = append(s.pieces, t)
}

func (s *splitter) fits(t message.Text) bool {
	l := s.limit()
	if !Fits(t.Plain, l) {
		return false
	}
	if !s.cut.Source {
		return true
	}
	md := t.Markdown
	if md == "" {
		md = Markdown(t)
	}
	return Fits(md, l)
}

// end chooses where the piece that begins at 0 ends; always past the first character.
func (s *splitter) end(t message.Text) int {
	room := reach(t.Plain, s.limit())
	for {
		at := breakPoint(t, max(room, 1))
		if !s.cut.Source || s.fits(cut(t, 0, trimEnd(t, at))) {
			return at
		}
		smaller := min(at, room) * 7 / 8
		if smaller < 1 {
			return breakPoint(t, 1)
		}
		room = smaller
	}
}

// breakPoint is the best place to cut at or before room, which is at least 1.
func breakPoint(t message.Text, room int) int {
	if room >= len(t.Plain) {
		return len(t.Plain)
	}
	line, blank, depth := 0, 0, 0
	for i, r := range t.Plain {
		if i > room {
			break
		}
		switch {
		case r == '\n':
			if i > 0 && strings.TrimSpace(t.Plain[:i]) != "" {
				line = i
			}
			depth = 0 // an unclosed parenthesis does not reach over a line
		case r == '(':
			depth++
		case r == ')':
			depth = max(depth-1, 0)
		case unicode.IsSpace(r) && depth == 0 && i > 0 && !inMention(t, i):
			if strings.TrimSpace(t.Plain[:i]) != "" {
				blank = i
			}
		}
	}
	switch {
	case line > 0:
		return line
	case blank > 0:
		return blank
	}
	return hardCut(t.Plain, room)
}

// hardCut is the last border between two visible characters at or before room; where
// the first one is longer than that, the last border between two runes; never 0.
func hardCut(s string, room int) int {
	runeCut := 0
	for at := clamp(s, room); at > 0; {
		if runeCut == 0 {
			runeCut = at
		}
		if !joined(s, at) {
			return at
		}
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	if runeCut == 0 {
		_, runeCut = utf8.DecodeRuneInString(s)
	}
	return runeCut
}

func inMention(t message.Text, at int) bool {
	for _, s := range t.Spans {
		if s.Kind == message.SpanMention && at > s.Offset && at < s.Offset+s.Length {
			return true
		}
	}
	return false
}

// inBlock reports whether the text on both sides of at is one code block.
func inBlock(t message.Text, at int) bool {
	for _, s := range t.Spans {
		if s.Kind == message.SpanCodeBlock && at > s.Offset && at < s.Offset+s.Length {
			return true
		}
	}
	return false
}

// skipBlank is where the next piece begins: after the white space at the cut, but
// inside a code block only after its line break, for what follows is indentation.
func skipBlank(t message.Text, at int) int {
	if inBlock(t, at) {
		if strings.HasPrefix(t.Plain[at:], "\n") {
			at++
		}
		return at
	}
	rest := t.Plain[at:]
	lines := strings.TrimLeft(rest, " \t\n")
	start := at + len(rest) - len(lines)
	// A code block that begins here keeps its indentation.
	for _, s := range t.Spans {
		if s.Kind == message.SpanCodeBlock && s.Offset >= at && s.Offset < start {
			return s.Offset
		}
	}
	return start
}

func trimEnd(t message.Text, end int) int {
	return len(strings.TrimRight(t.Plain[:end], " \t\n"))
}

// paragraphs cuts at blank lines that are in no code block.
func paragraphs(t message.Text) []message.Text {
	var out []message.Text
	start := 0
	add := func(end int) {
		if p := cut(t, start, trimEndFrom(t, start, end)); p.Plain != "" {
			p.Markdown = Markdown(p)
			out = append(out, p)
		}
	}
	for i := 0; i+1 < len(t.Plain); i++ {
		if t.Plain[i] != '\n' || i < start || inBlock(t, i) {
			continue
		}
		next := i + 1
		for next < len(t.Plain) && (t.Plain[next] == ' ' || t.Plain[next] == '\t') {
			next++
		}
		if next < len(t.Plain) && t.Plain[next] == '\n' {
			add(i)
			start = skipBlank(t, i)
			i = start - 1
		}
	}
	add(len(t.Plain))
	return out
}

func trimEndFrom(t message.Text, start, end int) int { return max(start, trimEnd(t, end)) }
