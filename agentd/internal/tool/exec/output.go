package exec

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// maxOutput is how much of a command's output is kept, in bytes; the newest counts.
const maxOutput = 200000

// output collects what a command writes. It may be used from several goroutines.
type output struct {
	mu    sync.Mutex
	kept  []byte
	total int64 // bytes ever written
	seen  int64 // bytes that a poll has shown
}

// Write takes a piece of output.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.total += int64(len(p))
	o.kept = append(o.kept, p...)
	if len(o.kept) > 2*maxOutput {
		o.kept = append(o.kept[:0], o.kept[len(o.kept)-maxOutput:]...)
	}
	return len(p), nil
}

// all returns what is kept, and how many bytes of the beginning are not.
func (o *output) all() (string, int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := o.kept
	if len(kept) > maxOutput {
		kept = kept[len(kept)-maxOutput:]
	}
	return clean(kept), o.total - int64(len(kept))
}

// fresh returns what has come since the last call of fresh.
func (o *output) fresh() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(o.total-o.seen, int64(len(o.kept)), maxOutput)
	o.seen = o.total
	return clean(o.kept[int64(len(o.kept))-n:])
}

// tail returns the last n characters, and how much has been written in all.
func (o *output) tail(n int) (string, int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := o.kept
	if limit := n * utf8.UTFMax; len(kept) > limit {
		kept = kept[len(kept)-limit:]
	}
	r := []rune(clean(kept))
	return string(r[max(len(r)-n, 0):]), o.total
}

// clean makes bytes a text: what is no text is taken out, line ends are newlines.
func clean(raw []byte) string {
	s := strings.ReplaceAll(string(raw), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || (unicode.IsControl(r) && r != '\n' && r != '\t') {
			return -1
		}
		return r
	}, s)
}
