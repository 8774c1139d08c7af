// Package files holds the tools that work on files of the host. The workspace is
// where relative paths start; it is no jail.
package files

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
)

// What one read gives at most.
const (
	maxLines = 2000
	maxBytes = 50 * 1024
	// maxImage is the largest picture that is handed to a model as it is.
	maxImage = 5 << 20
)

// Read is the tool "read".
type Read struct{}

var _ tool.Tool = Read{}

// Spec describes the tool.
func (Read) Spec() tool.Spec {
	return tool.Spec{
		Name:    "read",
		Summary: "Read file contents",
		Description: fmt.Sprintf("Read a file: text, or an image (jpg, png, gif, webp). Text is cut after %d lines or %d KB, whichever comes first; "+
			"go on with offset and limit.", maxLines, maxBytes/1024),
		Schema: json.RawMessage(`{
			"type": "object",
			"properties": {
				"path": {"type": "string", "description": "File to read, relative to the workspace or absolute"},
				"file_path": {"type": "string", "description": "Other name of path"},
				"offset": {"type": "integer", "minimum": 1, "description": "First line to read, counted from 1"},
				"limit": {"type": "integer", "minimum": 1, "description": "How many lines to read at most"}
			}
		}`),
	}
}

// Run reads a file.
func (Read) Run(_ context.Context, c tool.Call) (tool.Result, error) {
	var args struct {
		Path     string `json:"path"`
		FilePath string `json:"file_path"`
		Offset   int    `json:"offset"`
		Limit    int    `json:"limit"`
	}
	if err := json.Unmarshal(c.Args, &args); err != nil {
		return tool.Result{}, fmt.Errorf("read arguments: %w", err)
	}
	if args.Path == "" {
		args.Path = args.FilePath
	}
	if args.Path == "" {
		return tool.Failure("Missing required parameter: path"), nil
	}
	// Not to block: a pipe that nobody writes to would hold the run.
	f, err := os.OpenFile(Resolve(c.Workspace, args.Path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return tool.Result{}, fmt.Errorf("file not found: %s", args.Path)
		}
		return tool.Result{}, fmt.Errorf("cannot read %s: %w", args.Path, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return tool.Result{}, fmt.Errorf("cannot read %s: %w", args.Path, err)
	}
	if !info.Mode().IsRegular() {
		return tool.Result{}, fmt.Errorf("%s is not a regular file", args.Path)
	}
	r := bufio.NewReaderSize(f, 64*1024)
	head, err := r.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return tool.Result{}, fmt.Errorf("cannot read %s: %w", args.Path, err)
	}
	switch mime := http.DetectContentType(head); mime {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return readImage(r, info.Size(), mime)
	}
	text, err := readText(r, args.Path, args.Offset, args.Limit)
	if err != nil {
		return tool.Result{}, err
	}
	return tool.Text("%s", text), nil
}

// Resolve makes a path absolute: `~` is the home folder, and relative paths start at the workspace.
func Resolve(workspace, path string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, strings.TrimPrefix(path, "~"))
		}
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(workspace, path)
	}
	return path
}

func readImage(r io.Reader, size int64, mime string) (tool.Result, error) {
	if size > maxImage {
		return tool.Text("Read image file [%s]. It has %d bytes and is not shown: the limit is %d. Make a smaller copy first.", mime, size, maxImage), nil
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxImage))
	if err != nil {
		return tool.Result{}, fmt.Errorf("read image: %w", err)
	}
	return tool.Result{Content: chat.Blocks{
		chat.Text(fmt.Sprintf("Read image file [%s]", mime)),
		{Type: chat.BlockImage, Data: base64.StdEncoding.EncodeToString(raw), MimeType: mime},
	}}, nil
}

// readText returns whole lines from offset on, and a note where something is left out.
func readText(r *bufio.Reader, name string, offset, limit int) (string, error) {
	offset = max(offset, 1)
	want := maxLines
	if limit > 0 {
		want = min(limit, maxLines)
	}
	var out strings.Builder
	var taken, total int
	bySize := false
	for {
		// Of a line that is not shown, or too long to be, only its end matters.
		line, length, err := readLine(r)
		if length == 0 && errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("cannot read %s: %w", name, err)
		}
		total++
		full := bySize || taken >= want
		switch {
		case total < offset || full:
		case length > maxBytes && taken == 0:
			return fmt.Sprintf("[Line %d has %d bytes, more than the %.1fKB limit. Look at a piece of it: sed -n '%dp' %s | head -c %d]",
				total, length, float64(maxBytes)/1024, total, name, maxBytes), nil
		case out.Len()+length > maxBytes:
			bySize = true
		default:
			out.WriteString(line)
			taken++
		}
		if errors.Is(err, io.EOF) {
			break
		}
	}
	if offset > max(total, 1) {
		return "", fmt.Errorf("offset %d is past the end of the file (%d lines)", offset, total)
	}
	text := strings.ToValidUTF8(out.String(), string(utf8.RuneError))
	last := offset + taken - 1
	left := total - last
	if left <= 0 {
		return text, nil
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	switch {
	case bySize:
		return text + fmt.Sprintf("\n[Showing lines %d-%d of %d (%.1fKB limit). Use offset=%d to continue.]", offset, last, total, float64(maxBytes)/1024, last+1), nil
	case limit > 0 && limit <= maxLines:
		return text + fmt.Sprintf("\n[%d more lines in file. Use offset=%d to continue.]", left, last+1), nil
	}
	return text + fmt.Sprintf("\n[Showing lines %d-%d of %d. Use offset=%d to continue.]", offset, last, total, last+1), nil
}

// readLine reads to the next newline and keeps at most maxBytes of it.
func readLine(r *bufio.Reader) (line string, length int, err error) {
	var sb strings.Builder
	for {
		piece, err := r.ReadSlice('\n')
		length += len(piece)
		if room := maxBytes + 1 - sb.Len(); room > 0 {
			sb.Write(piece[:min(room, len(piece))])
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return sb.String(), length, err
		}
	}
}
