package files

import (
	"fmt"
	"strings"
)

// contextLines stand before and behind what changed.
const contextLines = 4

// difference shows the one place where two texts differ, with line numbers, and the number
// of the first line that changed. Lines begin with - (gone), + (new) or a blank.
func difference(before, after string) (diff string, firstChanged int) {
	a, b := splitLines(before), splitLines(after)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	width := len(fmt.Sprint(max(len(a), len(b))))
	var sb strings.Builder
	show := func(sign string, lines []string, from, to int) {
		for i := max(from, 0); i < min(to, len(lines)); i++ {
			fmt.Fprintf(&sb, "%s%*d %s\n", sign, width, i+1, lines[i])
		}
	}
	show(" ", a, head-contextLines, head)
	show("-", a, head, len(a)-tail)
	show("+", b, head, len(b)-tail)
	show(" ", b, len(b)-tail, len(b)-tail+contextLines)
	return strings.TrimSuffix(sb.String(), "\n"), head + 1
}

// splitLines gives the lines without their ends.
func splitLines(s string) []string {
	var out []string
	for line := range strings.Lines(s) {
		out = append(out, strings.TrimRight(line, "\r\n"))
	}
	return out
}
