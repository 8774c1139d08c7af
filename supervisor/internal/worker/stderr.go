package worker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// The flood limit: what of a worker's output goes on to the log. The rest is counted,
// and still kept in the ring of last words.
const (
	floodBurst = 512 << 10 // bytes
	floodRate  = 64 << 10  // bytes per second
)

// lineReader hands a child's output on to go-plugin's parser, line by line, within the
// flood limit. It always reads, so that a child never blocks on its own output.
type lineReader struct {
	pipe *os.File
	in   *bufio.Reader
	out  *output
	now  func() time.Time

	ready   []byte // what Read has yet to give
	budget  float64
	since   time.Time
	dropped int
	ended   error
}

func newLineReader(pipe *os.File, out *output) *lineReader {
	return &lineReader{pipe: pipe, in: bufio.NewReaderSize(pipe, 16<<10), out: out, now: time.Now, budget: floodBurst, since: time.Now()}
}

// Read gives whole lines, in pieces where b is small.
func (r *lineReader) Read(b []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.ended != nil {
			return 0, r.ended
		}
		r.next()
	}
	n := copy(b, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// next reads one line. A line longer than the buffer is cut there.
func (r *lineReader) next() {
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line = bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.in.ReadSlice('\n')
		}
	}
	line = bytes.TrimRight(line, "\r\n")
	r.ready = r.ready[:0]
	if len(line) > 0 {
		r.out.keep(line)
		if r.allow(len(line) + 1) {
			r.sayDropped()
			r.ready = append(append(r.ready, line...), '\n')
		} else {
			r.dropped++
		}
	}
	if err != nil {
		r.sayDropped()
		r.ended = endOfPipe(err)
	}
}

// allow takes n bytes out of the budget, which grows with time.
func (r *lineReader) allow(n int) bool {
	now := r.now()
	r.budget = min(floodBurst, r.budget+now.Sub(r.since).Seconds()*floodRate)
	r.since = now
	if r.budget < float64(n) {
		return false
	}
	r.budget -= float64(n)
	return true
}

func (r *lineReader) sayDropped() {
	if r.dropped == 0 {
		return
	}
	r.ready = fmt.Appendf(r.ready, `{"@level":"warn","@message":"the worker writes too much: lines were left out of the log","lines":%d}`+"\n", r.dropped)
	r.dropped = 0
}

// Close ends the reading.
func (r *lineReader) Close() error { return r.pipe.Close() }

// stdioWriter takes what a worker prints after the handshake, which arrives over gRPC
// in pieces. Used from one goroutine per stream.
type stdioWriter struct {
	out     *output
	log     func(line string)
	partial []byte
	budget  int
}

// Write splits into lines; it never fails.
func (w *stdioWriter) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			w.partial = append(w.partial, b[:min(len(b), max(0, keptLineSize-len(w.partial)))]...)
			break
		}
		w.partial = append(w.partial, b[:min(i, max(0, keptLineSize-len(w.partial)))]...)
		if len(w.partial) > 0 {
			w.out.keep(w.partial)
			if w.budget > 0 {
				w.log(string(w.partial))
				if w.budget -= len(w.partial); w.budget <= 0 {
					w.log("the worker prints too much: the rest is left out of the log")
				}
			}
		}
		w.partial = w.partial[:0]
		b = b[i+1:]
	}
	return n, nil
}

var _ io.ReadCloser = (*lineReader)(nil)
