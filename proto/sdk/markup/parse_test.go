package markup_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/markup"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

var kindNames = map[message.SpanKind]string{
	message.SpanBold: "bold", message.SpanItalic: "italic", message.SpanStrike: "strike", message.SpanUnderline: "underline",
	message.SpanCode: "code", message.SpanCodeBlock: "block", message.SpanLink: "link", message.SpanSpoiler: "spoiler",
	message.SpanQuote: "quote", message.SpanMention: "mention",
}

// show writes a text as the expectation files hold it.
func show(t message.Text) string {
	var b strings.Builder
	b.WriteString(t.Plain + "\n-- spans --\n")
	for _, s := range t.Spans {
		fmt.Fprintf(&b, "%s %d+%d %q", kindNames[s.Kind], s.Offset, s.Length, t.Plain[s.Offset:s.Offset+s.Length])
		if s.Info != "" {
			fmt.Fprintf(&b, " (%s)", s.Info)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestParse reads each testdata/*.md and compares with the .txt beside it.
func TestParse(t *testing.T) {
	files, err := filepath.Glob("testdata/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no input files: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		t.Run(name, func(t *testing.T) {
			in, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			o := markup.Options{}
			if mode, found := strings.CutPrefix(name, "table-"); found {
				o.Tables = markup.Tables(mode)
			}
			got := show(markup.ParseWith(string(in), o))
			golden := strings.TrimSuffix(file, ".md") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// TestMarkdownRoundTrip: what Markdown writes, Parse reads back.
func TestMarkdownRoundTrip(t *testing.T) {
	for _, md := range []string{
		"plain words", "a **bold** and *italic* and ~~gone~~ and `code`", "**bold *both* bold**", "2 * 3 * 4 = 24, snake_case_name, a_b",
		"```go\nfunc main() {}\n```", "````\n```\ninner\n```\n````", "[name](https://example.org/a_(b))", "||secret|| word", "# not lost",
		"1\\. no list", "\\# no heading", "\\> no quote", "5 < 6 & 7 > 3", "`` a`b ``", "line one\nline two",
	} {
		first := markup.Parse(md)
		again := markup.Parse(markup.Markdown(first))
		if show(again) != show(first) {
			t.Errorf("%q was written as %q and read back as\n%s\nwant\n%s", md, markup.Markdown(first), show(again), show(first))
		}
	}
}

func TestPlainTextHasNoFormatting(t *testing.T) {
	const s = "*not bold* `not code` # no heading"
	got := markup.PlainText(s)
	if got.Plain != s || len(got.Spans) != 0 {
		t.Errorf("got %+v", got)
	}
	if back := markup.Parse(got.Markdown); back.Plain != s || len(back.Spans) != 0 {
		t.Errorf("its Markdown %q reads back as %+v", got.Markdown, back)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"**a** _b_", "||x||", "| a | b |\n|---|---|\n| 1 | 2 |", "- a\n  - b\n\n1. c", "> q\n```x\ny", "a\x00\xffb", "&amp;&#42;\\&amp;", "[a](<b c>)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, md string) {
		got := markup.Parse(md)
		if !utf8.ValidString(got.Plain) {
			t.Fatalf("not UTF-8: %q", got.Plain)
		}
		for _, s := range got.Spans {
			end := s.Offset + s.Length
			if s.Offset < 0 || s.Length <= 0 || end > len(got.Plain) {
				t.Fatalf("span %+v is outside of %d bytes", s, len(got.Plain))
			}
			if !utf8.RuneStart(got.Plain[s.Offset]) || end < len(got.Plain) && !utf8.RuneStart(got.Plain[end]) {
				t.Fatalf("span %+v cuts a character of %q", s, got.Plain)
			}
		}
		markup.Markdown(got) // must not fail
	})
}
