package markup

import (
	"html"
	"slices"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// builder walks a document once and writes text and spans.
type builder struct {
	src    []byte
	out    []byte
	spans  []message.Span
	indent string
	tables Tables
}

// within writes what f writes as one span; an empty one is left out.
func (b *builder) within(kind message.SpanKind, info string, f func()) {
	start, at := len(b.out), len(b.spans)
	f()
	if n := len(b.out) - start; n > 0 {
		// Outer spans stand before the ones inside them.
		b.spans = slices.Insert(b.spans, at, message.Span{Kind: kind, Offset: start, Length: n, Info: info})
	}
}

func (b *builder) write(s string) { b.out = append(b.out, s...) }

// newline ends a line and indents the next one as the list it is in wants.
func (b *builder) newline() { b.out = append(append(b.out, '\n'), b.indent...) }

func (b *builder) separate(sep string) {
	b.write(sep)
	b.write(b.indent)
}

// blocks writes the children of n with sep, a run of newlines, between them.
func (b *builder) blocks(n ast.Node, sep string) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if c.PreviousSibling() != nil {
			b.separate(sep)
		}
		b.block(c)
	}
}

func (b *builder) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.List:
		b.list(n)
	case *ast.Blockquote:
		b.within(message.SpanQuote, "", func() { b.blocks(n, "\n\n") })
	case *ast.FencedCodeBlock:
		b.code(b.source(n.Lines()), string(n.Language(b.src)))
	case *ast.CodeBlock:
		b.code(b.source(n.Lines()), "")
	case *ast.HTMLBlock:
		raw := b.source(n.Lines())
		if n.HasClosure() {
			raw = append(raw, n.ClosureLine.Value(b.src)...)
		}
		b.lines(strings.TrimRight(string(raw), "\n"))
	case *ast.ThematicBreak:
		b.write("———")
	case *east.Table:
		b.table(n)
	default: // paragraphs, headings, text blocks
		b.inlines(n)
	}
}

// source joins the pieces of the document that a node was made from.
func (b *builder) source(pieces *text.Segments) []byte {
	var out []byte
	for i := range pieces.Len() {
		seg := pieces.At(i)
		out = append(out, seg.Value(b.src)...)
	}
	return out
}

// lines writes text whose line breaks stand.
func (b *builder) lines(s string) {
	for i, l := range strings.Split(s, "\n") {
		if i > 0 {
			b.newline()
		}
		b.write(l)
	}
}

// code writes a block as it stands: a list's indentation would change the code.
func (b *builder) code(body []byte, lang string) {
	s := strings.TrimSuffix(string(body), "\n")
	if b.indent != "" && strings.HasSuffix(string(b.out), "\n"+b.indent) {
		b.out = b.out[:len(b.out)-len(b.indent)]
	}
	b.within(message.SpanCodeBlock, lang, func() { b.write(s) })
}

func (b *builder) list(l *ast.List) {
	sep := "\n"
	if !l.IsTight {
		sep = "\n\n"
	}
	n := l.Start
	for item := l.FirstChild(); item != nil; item = item.NextSibling() {
		if item.PreviousSibling() != nil {
			b.separate(sep)
		}
		mark := "• "
		if l.IsOrdered() {
			mark = strconv.Itoa(n) + ". "
			n++
		}
		b.write(mark)
		outer := b.indent
		b.indent += "  "
		b.blocks(item, sep)
		b.indent = outer
	}
}

func (b *builder) inlines(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		b.inline(c)
	}
}

func (b *builder) inline(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		b.text(n)
	case *ast.String:
		b.write(string(n.Value))
	case *ast.CodeSpan:
		b.within(message.SpanCode, "", func() {
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				if t, ok := c.(*ast.Text); ok {
					b.write(strings.ReplaceAll(string(t.Segment.Value(b.src)), "\n", " "))
				}
			}
		})
	case *ast.Emphasis:
		kind := message.SpanItalic
		if n.Level == 2 {
			kind = message.SpanBold
		}
		b.within(kind, "", func() { b.inlines(n) })
	case *east.Strikethrough:
		b.within(message.SpanStrike, "", func() { b.inlines(n) })
	case *spoiler:
		b.within(message.SpanSpoiler, "", func() { b.inlines(n) })
	case *ast.Link:
		b.within(message.SpanLink, string(n.Destination), func() { b.inlines(n) })
	case *ast.Image:
		b.within(message.SpanLink, string(n.Destination), func() { b.inlines(n) })
	case *ast.AutoLink:
		b.within(message.SpanLink, string(n.URL(b.src)), func() { b.write(string(n.Label(b.src))) })
	case *ast.RawHTML:
		b.lines(string(b.source(n.Segments)))
	case *east.TaskCheckBox:
		mark := "[ ] "
		if n.IsChecked {
			mark = "[x] "
		}
		b.write(mark)
	default:
		b.inlines(n)
	}
}

func (b *builder) text(n *ast.Text) {
	v := n.Segment.Value(b.src)
	if n.IsRaw() {
		b.write(string(v))
	} else {
		b.write(unescape(v))
	}
	if n.SoftLineBreak() || n.HardLineBreak() {
		b.newline()
	}
}

// unescape resolves backslash escapes and character references in one pass, so
// that an escaped ampersand starts no reference.
func unescape(v []byte) string {
	if !strings.ContainsAny(string(v), `\&`) {
		return string(v)
	}
	var out strings.Builder
	for i := 0; i < len(v); i++ {
		switch {
		case v[i] == '\\' && i+1 < len(v) && util.IsPunct(v[i+1]):
			i++
			out.WriteByte(v[i])
		case v[i] == '&':
			ref := reference(v[i:])
			if ref == "" {
				out.WriteByte('&')
				continue
			}
			out.WriteString(strings.ToValidUTF8(html.UnescapeString(ref), "\uFFFD"))
			i += len(ref) - 1
		default:
			out.WriteByte(v[i])
		}
	}
	return out.String()
}

// reference returns the character reference that v begins with, or nothing.
func reference(v []byte) string {
	const longest = 33 // the longest name in HTML's table, with & and ;
	for i := 1; i < len(v) && i < longest; i++ {
		switch c := v[i]; {
		case c == ';':
			return string(v[:i+1])
		case c != '#' && !util.IsAlphaNumeric(c):
			return ""
		}
	}
	return ""
}
