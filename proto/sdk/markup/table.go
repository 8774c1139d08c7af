package markup

import (
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

func (b *builder) table(t *east.Table) {
	var rows [][]string
	for r := t.FirstChild(); r != nil; r = r.NextSibling() {
		var cells []string
		for c := r.FirstChild(); c != nil; c = c.NextSibling() {
			cells = append(cells, b.cell(c))
		}
		rows = append(rows, cells)
	}
	if len(rows) == 0 {
		return
	}
	if b.tables == TablesBullets {
		b.tableBullets(rows[0], rows[1:])
		return
	}
	b.within(message.SpanCodeBlock, "", func() { b.write(drawTable(rows, t.Alignments)) })
}

// cell gives a cell's text without its formatting.
func (b *builder) cell(n ast.Node) string {
	sub := &builder{src: b.src}
	sub.inlines(n)
	return strings.TrimSpace(string(sub.out))
}

func (b *builder) tableBullets(head []string, rows [][]string) {
	for i, row := range rows {
		if i > 0 {
			b.separate("\n\n")
		}
		if len(row) > 0 && row[0] != "" {
			b.within(message.SpanBold, "", func() { b.write(row[0]) })
		}
		for j := 1; j < len(row); j++ {
			if row[j] == "" {
				continue
			}
			b.newline()
			b.write("• ")
			if j < len(head) && head[j] != "" {
				b.write(head[j] + ": ")
			}
			b.write(row[j])
		}
	}
}

// drawTable aligns the columns by characters; wide ones may shift a column, as they do in any code block.
func drawTable(rows [][]string, align []east.Alignment) string {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 3)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var out strings.Builder
	for i, r := range rows {
		for j, w := range widths {
			c := ""
			if j < len(r) {
				c = r[j]
			}
			pad := w - utf8.RuneCountInString(c)
			left := 0
			if j < len(align) {
				switch align[j] {
				case east.AlignRight:
					left = pad
				case east.AlignCenter:
					left = pad / 2
				}
			}
			out.WriteString("| " + strings.Repeat(" ", left) + c + strings.Repeat(" ", pad-left) + " ")
		}
		out.WriteString("|")
		if i == 0 {
			out.WriteByte('\n')
			for _, w := range widths {
				out.WriteString("| " + strings.Repeat("-", w) + " ")
			}
			out.WriteString("|")
		}
		if i < len(rows)-1 {
			out.WriteByte('\n')
		}
	}
	return out.String()
}
