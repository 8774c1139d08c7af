package markup

import (
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Tables says what becomes of a Markdown table on a network that has none. The
// values are those of the config key markdown.tables.
type Tables string

// The ways to show a table.
const (
	// TablesCode draws it with aligned columns in a code block; also the empty value.
	TablesCode Tables = "code"
	// TablesBullets makes each row a group of lines "• header: value".
	TablesBullets Tables = "bullets"
	// TablesOff leaves its source as it stands.
	TablesOff Tables = "off"
)

// Options change how Markdown is read; the zero value is what Parse does.
type Options struct {
	Tables Tables
}

// Parse reads Markdown with the default Options.
func Parse(md string) message.Text { return ParseWith(md, Options{}) }

// ParseWith reads CommonMark with strikethrough, spoilers (||…||), task lists and
// tables. Headings lose their marks, lists get bullets. Bytes that are not UTF-8 become U+FFFD.
func ParseWith(md string, o Options) message.Text {
	md = strings.ToValidUTF8(md, "\uFFFD")
	md = strings.ReplaceAll(md, "\r\n", "\n")
	md = strings.ReplaceAll(md, "\x00", "\uFFFD")
	p := tableParser()
	if o.Tables == TablesOff {
		p = plainParser()
	}
	src := []byte(md)
	b := &builder{src: src, tables: o.Tables}
	b.blocks(p.Parse(text.NewReader(src)), "\n\n")
	t := trim(message.Text{Plain: string(b.out), Spans: b.spans})
	t.Markdown = strings.Trim(md, "\n")
	return t
}

// PlainText makes a Text without any formatting.
func PlainText(s string) message.Text {
	s = strings.ToValidUTF8(s, "\uFFFD")
	t := message.Text{Plain: s}
	t.Markdown = Markdown(t)
	return t
}

// The parsers are made on first use and never changed; goldmark allows concurrent use.
var (
	tableParser = sync.OnceValue(func() parser.Parser { return newParser(extension.Table) })
	plainParser = sync.OnceValue(func() parser.Parser { return newParser() })
)

func newParser(more ...goldmark.Extender) parser.Parser {
	ext := append([]goldmark.Extender{extension.Strikethrough, extension.TaskList}, more...)
	md := goldmark.New(goldmark.WithExtensions(ext...))
	p := md.Parser()
	p.AddOptions(parser.WithInlineParsers(util.Prioritized(spoilerParser{}, 500)))
	return p
}

// kindSpoiler is the node of ||text||.
var kindSpoiler = ast.NewNodeKind("Spoiler")

type spoiler struct{ ast.BaseInline }

func (*spoiler) Kind() ast.NodeKind              { return kindSpoiler }
func (n *spoiler) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

type spoilerParser struct{}

func (spoilerParser) Trigger() []byte { return []byte{'|'} }

func (p spoilerParser) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	node := parser.ScanDelimiter(line, before, 2, p)
	if node == nil || node.OriginalLength != 2 || before == '|' {
		return nil
	}
	node.Segment = segment.WithStop(segment.Start + node.OriginalLength)
	block.Advance(node.OriginalLength)
	pc.PushDelimiter(node)
	return node
}

func (spoilerParser) CloseBlock(ast.Node, parser.Context) {}

func (spoilerParser) IsDelimiter(b byte) bool { return b == '|' }

func (spoilerParser) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}

func (spoilerParser) OnMatch(int) ast.Node { return &spoiler{} }
