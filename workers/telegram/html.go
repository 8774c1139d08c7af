package telegram

import (
	"html"
	"net/url"
	"strings"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/markup"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// renderHTML writes a text in Telegram's HTML. Quotes are flattened.
func renderHTML(t message.Text) string { return markup.Render(t, htmlStyle{}) }

type htmlStyle struct{}

var _ markup.Style = htmlStyle{}

var htmlTags = map[message.SpanKind]string{
	message.SpanBold: "b", message.SpanItalic: "i", message.SpanUnderline: "u", message.SpanStrike: "s", message.SpanSpoiler: "tg-spoiler", message.SpanCode: "code",
}

// Open implements markup.Style.
func (htmlStyle) Open(s message.Span, _ string) string {
	switch s.Kind {
	case message.SpanCodeBlock:
		if s.Info != "" {
			return `<pre><code class="language-` + escapeAttribute(s.Info) + `">`
		}
		return "<pre><code>"
	case message.SpanLink, message.SpanMention:
		if u := target(s); u != "" {
			return `<a href="` + escapeAttribute(u) + `">`
		}
		return ""
	}
	if tag := htmlTags[s.Kind]; tag != "" {
		return "<" + tag + ">"
	}
	return ""
}

// Close implements markup.Style.
func (htmlStyle) Close(s message.Span, _ string) string {
	switch s.Kind {
	case message.SpanCodeBlock:
		return "</code></pre>"
	case message.SpanLink, message.SpanMention:
		if target(s) != "" {
			return "</a>"
		}
		return ""
	}
	if tag := htmlTags[s.Kind]; tag != "" {
		return "</" + tag + ">"
	}
	return ""
}

// Escape implements markup.Style.
func (htmlStyle) Escape(plain string, _ *message.Span, _ bool) string {
	return htmlEscaper.Replace(plain)
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func escapeAttribute(s string) string { return html.EscapeString(s) }

// target is where a link or a mention leads; empty = it is shown as text, for Telegram
// takes absolute URLs only.
func target(s message.Span) string {
	if s.Kind == message.SpanMention {
		if s.Info == "" || strings.HasPrefix(s.Info, "@") {
			return "" // a name mentions by itself
		}
		return "tg://user?id=" + url.QueryEscape(s.Info)
	}
	u, err := url.Parse(s.Info)
	if err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "" {
		return ""
	}
	return s.Info
}
