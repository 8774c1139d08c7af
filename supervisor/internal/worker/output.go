package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Bounds of what is kept of a worker's output: lines, and bytes of each.
const (
	keptLines    = 200
	keptLineSize = 1 << 10
)

// output keeps the newest lines that a worker wrote, over all its processes.
type output struct {
	lastWords int

	mu    sync.Mutex
	ring  [][]byte // oldest first, from head on
	head  int
	total int // lines ever kept
	// Of the present process:
	from  int    // total at its birth
	fatal []byte // the line by which its runtime began to die
	at    int    // total when fatal came
}

func newOutput(lastWords int) *output { return &output{lastWords: min(lastWords, keptLines)} }

// begin marks the birth of a process.
func (o *output) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from, o.fatal = o.total, nil
}

// keep takes one line without its end; it copies what it keeps.
func (o *output) keep(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := bytes.Clone(line[:min(len(line), keptLineSize)])
	if o.fatal == nil && fatalLine(kept) {
		o.fatal, o.at = kept, o.total
	}
	if len(o.ring) < keptLines {
		o.ring = append(o.ring, kept)
	} else {
		o.ring[o.head] = kept
		o.head = (o.head + 1) % keptLines
	}
	o.total++
}

// fatalLine reports whether a Go runtime begins its death with line, and panicLine
// whether that death is a panic or a fatal error and no answer to a signal.
func fatalLine(line []byte) bool {
	return panicLine(line) || bytes.HasPrefix(line, []byte("SIGABRT: ")) || bytes.HasPrefix(line, []byte("SIGQUIT: ")) ||
		bytes.HasPrefix(line, []byte("SIGSEGV: ")) || bytes.HasPrefix(line, []byte("SIGBUS: "))
}

func panicLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: ")) ||
		bytes.HasPrefix(line, []byte("runtime: goroutine stack exceeds"))
}

// lines gives the newest n lines in words for people; n <= 0 = all.
func (o *output) lines(n int) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n <= 0 {
		n = keptLines
	}
	return o.newest(n)
}

// words gives the last words of the present process, and whether it panicked. The line
// that named the panic comes first, even where the dump has pushed it out.
func (o *output) words() ([]string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(o.lastWords, o.total-o.from)
	words := o.newest(n)
	if o.fatal == nil {
		return words, false
	}
	if o.at < o.total-n {
		words = append([]string{plain(o.fatal)}, words[1:]...)
	}
	return words, panicLine(o.fatal)
}

// newest is called with mu held.
func (o *output) newest(n int) []string {
	n = min(n, len(o.ring))
	out := make([]string, 0, n)
	for i := len(o.ring) - n; i < len(o.ring); i++ {
		out = append(out, plain(o.ring[(o.head+i)%len(o.ring)]))
	}
	return out
}

// plain turns a JSON log line into words; other lines stay as they are.
func plain(line []byte) string {
	var fields map[string]any
	if len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &fields) != nil || fields["@message"] == nil {
		return strings.ToValidUTF8(string(line), "\uFFFD")
	}
	var b strings.Builder
	if level, ok := fields["@level"].(string); ok {
		b.WriteString(level + ": ")
	}
	fmt.Fprint(&b, fields["@message"])
	keys := make([]string, 0, len(fields))
	for k := range fields {
		if !strings.HasPrefix(k, "@") {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(&b, " %s=%v", k, fields[k])
	}
	return b.String()
}
