package markup

import (
	"strings"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Markdown writes t as Markdown that Parse reads back to the same words and
// formatting, as near as Markdown can: quotes become plain lines, and white space at
// the start of a line is not kept.
func Markdown(t message.Text) string { return Render(t, markdownStyle{}) }

type markdownStyle struct{}

func (m markdownStyle) Open(s message.Span, body string) string {
	switch s.Kind {
	case message.SpanCodeBlock:
		return fence(body, 3) + s.Info + "\n"
	case message.SpanCode:
		return fence(body, 1) + tick(body)
	case message.SpanLink:
		return "["
	}
	return mark(s.Kind)
}

func (m markdownStyle) Close(s message.Span, body string) string {
	switch s.Kind {
	case message.SpanCodeBlock:
		return "\n" + fence(body, 3)
	case message.SpanCode:
		return tick(body) + fence(body, 1)
	case message.SpanLink:
		return "](<" + strings.NewReplacer("<", "%3C", ">", "%3E", "\n", "%0A").Replace(s.Info) + ">)"
	}
	return mark(s.Kind)
}

func mark(k message.SpanKind) string {
	switch k {
	case message.SpanBold:
		return "**"
	case message.SpanItalic:
		return "*"
	case message.SpanStrike:
		return "~~"
	case message.SpanSpoiler:
		return "||"
	}
	return ""
}

// fence is a run of backticks longer than any in the code.
func fence(code string, least int) string {
	longest, run := 0, 0
	for i := range len(code) {
		if code[i] == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return strings.Repeat("`", max(least, longest+1))
}

// tick is the blank that keeps a backtick at the edge of inline code off its fence.
func tick(code string) string {
	if strings.HasPrefix(code, "`") || strings.HasSuffix(code, "`") {
		return " "
	}
	return ""
}

var markdownEscaper = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `~`, `\~`, `|`, `\|`, `[`, `\[`, `]`, `\]`, `<`, `\<`, `&`, `\&`,
)

func (m markdownStyle) Escape(plain string, code *message.Span, lineStart bool) string {
	if code != nil {
		return plain
	}
	lines := strings.Split(markdownEscaper.Replace(plain), "\n")
	for i, l := range lines {
		if i > 0 || lineStart {
			lines[i] = escapeLineStart(l)
		}
	}
	return strings.Join(lines, "\n")
}

// escapeLineStart keeps a line from being read as a heading, quote, list or rule.
func escapeLineStart(l string) string {
	body := strings.TrimLeft(l, " ")
	blank := l[:len(l)-len(body)]
	if body == "" {
		return l
	}
	switch body[0] {
	case '#', '>', '+', '-', '=':
		return blank + `\` + body
	}
	digits := len(body) - len(strings.TrimLeft(body, "0123456789"))
	if digits > 0 && digits < len(body) && (body[digits] == '.' || body[digits] == ')') {
		return blank + body[:digits] + `\` + body[digits:]
	}
	return l
}
