package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

const (
	tailLines = 500
	tailBytes = 250_000
)

// logsTail reads the end of the log file, or what came after a cursor.
func (s *Server) logsTail(_ context.Context, c *call) error {
	var p protocol.LogsTailParams
	if err := c.decode(&p); err != nil {
		return err
	}
	if p.Limit == 0 {
		p.Limit = tailLines
	}
	if p.MaxBytes == 0 {
		p.MaxBytes = tailBytes
	}
	r, err := tail(s.cfg.Backends.Logs.Path(), p)
	if err != nil {
		return protocol.Unavailable("log read failed: %v", err)
	}
	c.Reply(r)
	return nil
}

// tail reads whole lines only. A file that is not there is the newest one of
// the same kind beside it, or empty.
func tail(path string, p protocol.LogsTailParams) (protocol.LogsTailResult, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if other := newestBeside(path); other != "" {
			path = other
			f, err = os.Open(path)
		}
	}
	r := protocol.LogsTailResult{File: path, Lines: []string{}}
	if errors.Is(err, fs.ErrNotExist) {
		r.Reset = p.Cursor != nil && *p.Cursor > 0
		return r, nil
	}
	if err != nil {
		return r, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return r, err
	}
	r.Size = info.Size()
	start := max(0, r.Size-int64(p.MaxBytes))
	whole := false // start is the beginning of a line
	if p.Cursor != nil {
		switch {
		case *p.Cursor > r.Size:
			r.Reset = true
		case *p.Cursor >= start:
			start, whole = *p.Cursor, true
		default:
			r.Reset, r.Truncated = true, true
		}
	}
	if start == 0 {
		whole = true
	} else if p.Cursor == nil {
		r.Truncated = true
	}
	data := make([]byte, r.Size-start)
	n, err := f.ReadAt(data, start)
	if err != nil && !errors.Is(err, io.EOF) {
		return r, fmt.Errorf("read %s: %w", path, err)
	}
	data = data[:n]
	if !whole {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			start, data = start+int64(i)+1, data[i+1:]
		} else {
			start, data = start+int64(len(data)), nil
		}
	}
	// A line that is still being written is left for the next time.
	end := bytes.LastIndexByte(data, '\n') + 1
	r.Cursor = start + int64(end)
	if end == 0 {
		return r, nil
	}
	lines := strings.Split(string(data[:end-1]), "\n")
	if len(lines) > p.Limit {
		lines, r.Truncated = lines[len(lines)-p.Limit:], true
	}
	r.Lines = lines
	return r, nil
}

// newestBeside finds the log written last among files of the same name up to
// the date.
func newestBeside(path string) string {
	prefix, ext := filepath.Base(path), filepath.Ext(path)
	if i := strings.IndexAny(prefix, "0123456789."); i > 0 {
		prefix = prefix[:i]
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	best, newest := "", int64(0)
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), prefix) || filepath.Ext(e.Name()) != ext {
			continue
		}
		if info, err := e.Info(); err == nil && info.ModTime().UnixNano() > newest {
			best, newest = filepath.Join(filepath.Dir(path), e.Name()), info.ModTime().UnixNano()
		}
	}
	return best
}
