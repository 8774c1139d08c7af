package markup

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Style says how a network writes formatting. Open and Close may answer nothing for
// a kind that the network lacks.
type Style interface {
	// Open and Close give what stands before and after a span. body is the span's plain text.
	Open(s message.Span, body string) string
	Close(s message.Span, body string) string
	// Escape gives plain text so that it is read as such; code is the span of code it
	// stands in, or nil; lineStart tells that it begins a line.
	Escape(plain string, code *message.Span, lineStart bool) string
}

// Render writes t in a network's markup. Spans that cross are closed and opened
// again, spans inside code are left out, spans outside the text are cut to it:
// the result is always well nested.
func Render(t message.Text, style Style) string {
	spans := tidy(t)
	var out strings.Builder
	var open []message.Span
	pos := 0
	emit := func(to int) {
		if to <= pos {
			return
		}
		var code *message.Span
		for i := range open {
			if isCode(open[i].Kind) {
				code = &open[i]
			}
		}
		out.WriteString(style.Escape(t.Plain[pos:to], code, pos == 0 || t.Plain[pos-1] == '\n'))
		pos = to
	}
	body := func(s message.Span) string { return t.Plain[s.Offset : s.Offset+s.Length] }
	// closeUpTo closes, innermost first, all that ends at or before limit.
	closeUpTo := func(limit int) {
		for {
			end, found := limit, false
			for _, s := range open {
				if e := s.Offset + s.Length; e <= limit && (!found || e < end) {
					end, found = e, true
				}
			}
			if !found {
				return
			}
			emit(end)
			first := slices.IndexFunc(open, func(s message.Span) bool { return s.Offset+s.Length == end })
			tail := slices.Clone(open[first:])
			for i := len(tail) - 1; i >= 0; i-- {
				out.WriteString(style.Close(tail[i], body(tail[i])))
			}
			open = open[:first]
			for _, s := range tail {
				if s.Offset+s.Length == end {
					continue
				}
				s.Length -= end - s.Offset
				s.Offset = end
				out.WriteString(style.Open(s, body(s)))
				open = append(open, s)
			}
		}
	}
	for _, s := range spans {
		closeUpTo(s.Offset)
		emit(s.Offset)
		out.WriteString(style.Open(s, body(s)))
		open = append(open, s)
	}
	closeUpTo(len(t.Plain))
	emit(len(t.Plain))
	return out.String()
}

func isCode(k message.SpanKind) bool { return k == message.SpanCode || k == message.SpanCodeBlock }

// tidy returns the spans of t that can be rendered: within the text, on characters'
// borders, not empty, none inside code, outer before inner.
func tidy(t message.Text) []message.Span {
	var out []message.Span
	for _, s := range t.Spans {
		start, end := clamp(t.Plain, s.Offset), clamp(t.Plain, s.Offset+s.Length)
		if end > start {
			s.Offset, s.Length = start, end-start
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b message.Span) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(b.Length, a.Length))
	})
	var codes []message.Span
	for _, s := range out {
		if isCode(s.Kind) && !overlaps(codes, s) {
			codes = append(codes, s)
		}
	}
	return slices.DeleteFunc(out, func(s message.Span) bool {
		for _, c := range codes {
			if s == c {
				return false
			}
			inside := s.Offset >= c.Offset && s.Offset+s.Length <= c.Offset+c.Length
			around := s.Offset <= c.Offset && s.Offset+s.Length >= c.Offset+c.Length && !isCode(s.Kind)
			if inside || !around && overlaps([]message.Span{c}, s) {
				return true
			}
		}
		return false
	})
}

func overlaps(have []message.Span, s message.Span) bool {
	for _, h := range have {
		if s.Offset < h.Offset+h.Length && h.Offset < s.Offset+s.Length {
			return true
		}
	}
	return false
}

// clamp moves an offset into the text and back to the start of a character.
func clamp(s string, at int) int {
	at = min(max(at, 0), len(s))
	for at > 0 && at < len(s) && !utf8.RuneStart(s[at]) {
		at--
	}
	return at
}

// trim takes white space off both ends, and the spans with it.
func trim(t message.Text) message.Text {
	start := len(t.Plain) - len(strings.TrimLeft(t.Plain, "\n"))
	end := len(strings.TrimRight(t.Plain, " \t\n"))
	return cut(t, min(start, end), end)
}

// cut gives the part of t between two byte offsets, without its Markdown.
func cut(t message.Text, start, end int) message.Text {
	out := message.Text{Plain: t.Plain[start:end]}
	for _, s := range t.Spans {
		from, to := max(s.Offset, start), min(s.Offset+s.Length, end)
		if from < to {
			s.Offset, s.Length = from-start, to-from
			out.Spans = append(out.Spans, s)
		}
	}
	return out
}
