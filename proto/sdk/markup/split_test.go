package markup_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/markup"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

func plains(ts []message.Text) []string {
	out := []string{}
	for _, t := range ts {
		out = append(out, t.Plain)
	}
	return out
}

func equal(a, b []string) bool { return strings.Join(a, "\x01") == strings.Join(b, "\x01") }

func TestSplitPlaces(t *testing.T) {
	runes := func(n int) plugin.TextLimit { return plugin.TextLimit{N: n, Unit: plugin.LengthRunes} }
	for _, c := range []struct {
		name  string
		in    string
		limit plugin.TextLimit
		want  []string
	}{
		{"fits exactly", "abcde", runes(5), []string{"abcde"}},
		{"one more", "abcdef", runes(5), []string{"abcde", "f"}},
		{"no limit", strings.Repeat("x", 9999), plugin.TextLimit{}, []string{strings.Repeat("x", 9999)}},
		{"empty", " \n ", runes(5), []string{}},
		{"last line break first", "aa bb\ncc dd", runes(9), []string{"aa bb", "cc dd"}},
		{"else white space", "aa bb cc", runes(6), []string{"aa bb", "cc"}},
		{"the blank after the last word", "aaaaa bb", runes(5), []string{"aaaaa", "bb"}},
		{"not in parentheses", "see (this one) now", runes(12), []string{"see", "(this one)", "now"}},
		{"else hard", "aaaaaaa", runes(3), []string{"aaa", "aaa", "a"}},
		{"bytes", "ééé", plugin.TextLimit{N: 5, Unit: plugin.LengthBytes}, []string{"éé", "é"}},
		{"utf16", "😀😀😀", plugin.TextLimit{N: 4, Unit: plugin.LengthUTF16}, []string{"😀😀", "😀"}},
		{"unspecified is utf16", "😀😀😀", plugin.TextLimit{N: 4}, []string{"😀😀", "😀"}},
		{"a family is longer than the limit", "a👩‍👩‍👧b", runes(4), []string{"a", "👩‍👩‍", "👧b"}},
		{"families stay together", "aa👩‍👩‍👧", runes(6), []string{"aa", "👩‍👩‍👧"}},
		{"accents stay", "ae\u0301x", runes(2), []string{"a", "e\u0301", "x"}},
		{"flags stay", "🇩🇪🇫🇷", runes(3), []string{"🇩🇪", "🇫🇷"}},
		{"smaller than one character", "😀a", plugin.TextLimit{N: 1}, []string{"😀", "a"}},
		{"lines", "1\n2\n3\n4\n5", plugin.TextLimit{MaxLines: 2}, []string{"1\n2", "3\n4", "5"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := plains(markup.Split(markup.PlainText(c.in), c.limit)); !equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSplitKeepsTextThatFits(t *testing.T) {
	in := markup.Parse("_as **written**_")
	got := markup.Split(in, plugin.TextLimit{N: 100})
	if len(got) != 1 || got[0].Markdown != "_as **written**_" {
		t.Errorf("got %+v", got)
	}
}

func TestSplitReopensFormatting(t *testing.T) {
	in := markup.Parse("introduction\n\n```go\nfirst()\n\tsecond()\nthird()\n```\n\n**bold words here**")
	got := markup.Split(in, plugin.TextLimit{N: 20, Unit: plugin.LengthRunes})
	want := []string{"introduction", "```go\nfirst()\n\tsecond()\n```", "```go\nthird()\n```", "**bold words here**"}
	var mds []string
	for _, p := range got {
		mds = append(mds, p.Markdown)
		if again := markup.Parse(p.Markdown); again.Plain != p.Plain {
			t.Errorf("the Markdown %q reads back as %q, want %q", p.Markdown, again.Plain, p.Plain)
		}
	}
	if !equal(mds, want) {
		t.Errorf("got %q, want %q", mds, want)
	}
	for _, p := range got[1:3] {
		if len(p.Spans) != 1 || p.Spans[0].Kind != message.SpanCodeBlock || p.Spans[0].Length != len(p.Plain) || p.Spans[0].Info != "go" {
			t.Errorf("piece %q has spans %+v, want one code block around it", p.Plain, p.Spans)
		}
	}
}

func TestSplitByParagraph(t *testing.T) {
	in := markup.Parse("one\ntwo\n\nthree\n\n```\na\n\nb\n```\n\nfour five")
	got := plains(markup.SplitWith(in, markup.Cut{Limit: plugin.TextLimit{N: 8, Unit: plugin.LengthRunes}, Mode: markup.ByParagraph}))
	want := []string{"one\ntwo", "three", "a\n\nb", "four", "five"}
	if !equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSplitCaption(t *testing.T) {
	c := markup.Cut{Limit: plugin.TextLimit{N: 12, CaptionN: 5, Unit: plugin.LengthRunes}, Caption: true}
	got := plains(markup.SplitWith(markup.PlainText("aaaa bbbb cccc dddd"), c))
	if want := []string{"aaaa", "bbbb cccc", "dddd"}; !equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSplitBySource(t *testing.T) {
	in := markup.Parse("[a](https://example.org/long/path) [b](https://example.org/long/path) [c](https://example.org/long/path)")
	limit := plugin.TextLimit{N: 60, Unit: plugin.LengthRunes}
	if got := markup.SplitWith(in, markup.Cut{Limit: limit}); len(got) != 1 {
		t.Errorf("by plain text: %d pieces, want 1", len(got))
	}
	got := markup.SplitWith(in, markup.Cut{Limit: limit, Source: true})
	if !equal(plains(got), []string{"a", "b", "c"}) {
		t.Errorf("by source: got %q", plains(got))
	}
	for _, p := range got {
		if !markup.Fits(p.Markdown, limit) {
			t.Errorf("%q is over the limit", p.Markdown)
		}
	}
}

func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

func FuzzSplit(f *testing.F) {
	f.Add("**hello** world (a b c) `code here`\n\n```go\nx\n  y\n```", 7, 1, 0)
	f.Add("👩‍👩‍👧 🇩🇪🇫🇷 e\u0301e\u0301", 3, 2, 2)
	f.Add("[link](https://example.org) ||s p o i||", 1, 3, 1)
	f.Fuzz(func(t *testing.T, md string, n, unit, lines int) {
		if n < 1 || n > 1000 || unit < 0 || unit > 3 || lines < 0 || len(md) > 4000 {
			t.Skip()
		}
		in := markup.Parse(md)
		limit := plugin.TextLimit{N: n, Unit: plugin.LengthUnit(unit), MaxLines: lines}
		var joined strings.Builder
		for _, p := range markup.Split(in, limit) {
			joined.WriteString(p.Plain)
			if !utf8.ValidString(p.Plain) || strings.TrimSpace(p.Plain) == "" {
				t.Fatalf("piece %q", p.Plain)
			}
			if !markup.Fits(p.Plain, limit) && utf8.RuneCountInString(strings.TrimSpace(p.Plain)) > 1 {
				t.Fatalf("piece %q is over %+v", p.Plain, limit)
			}
			for _, s := range p.Spans {
				if s.Offset < 0 || s.Length <= 0 || s.Offset+s.Length > len(p.Plain) {
					t.Fatalf("span %+v is outside of %q", s, p.Plain)
				}
			}
		}
		if got, want := squeeze(joined.String()), squeeze(in.Plain); got != want {
			t.Fatalf("pieces hold %q, want %q", got, want)
		}
		for _, c := range []markup.Cut{{Limit: limit, Mode: markup.ByParagraph}, {Limit: limit, Source: true}} {
			all := strings.Join(plains(markup.SplitWith(in, c)), "")
			if got, want := squeeze(all), squeeze(in.Plain); got != want {
				t.Fatalf("%+v: pieces hold %q, want %q", c, got, want)
			}
		}
	})
}
