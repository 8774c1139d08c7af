package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Kept says what Compact did.
type Kept struct {
	Compacted bool
	// Reason why nothing was done: "no transcript", or "".
	Reason string
	// Lines that the transcript has now, or had all along.
	Lines int
	// Archive is the path of the old file.
	Archive string
}

// Compact keeps the last maxLines entries (the header always stays); the whole old
// file lives on under another name.
func Compact(ctx context.Context, opt Options, maxLines int) (Kept, error) {
	if !exists(opt.Path) {
		return Kept{Reason: "no transcript"}, nil
	}
	t, err := Open(ctx, opt)
	if err != nil {
		return Kept{}, err
	}
	defer func() { _ = t.Close() }()
	raw, err := os.ReadFile(opt.Path)
	if err != nil {
		return Kept{}, fmt.Errorf("read transcript: %w", err)
	}
	p := parse(raw)
	if len(p.lines) <= maxLines {
		return Kept{Lines: len(p.lines)}, nil
	}
	name, err := t.backup(raw)
	if err != nil {
		return Kept{}, err
	}
	lines := p.lines[len(p.lines)-maxLines:]
	if err := replaceFile(opt.Path, append([][]byte{p.lines[0]}, lines...)); err != nil {
		return Kept{}, err
	}
	return Kept{Compacted: true, Lines: len(lines), Archive: name}, nil
}

// Archive renames the file to <file>.<why>.<time>, waiting for a writer to end. A
// file that does not exist is no error: the answer is "".
func Archive(ctx context.Context, opt Options, why string) (string, error) {
	if !exists(opt.Path) {
		return "", nil
	}
	now := time.Now
	if opt.Now != nil {
		now = opt.Now
	}
	l, err := lock(ctx, opt.Path)
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	name := archiveName(opt.Path, why, now())
	err = os.Rename(opt.Path, name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("archive transcript: %w", err)
	}
	return name, nil
}

// Fork copies the entries of the file at source to target, a new session whose
// header names the old file. A target that exists stays as it is.
func Fork(ctx context.Context, source string, target Options) error {
	if exists(target.Path) {
		return nil
	}
	raw, err := os.ReadFile(source)
	if err != nil {
		return fmt.Errorf("read transcript to fork: %w", err)
	}
	p := parse(raw)
	t, err := Open(ctx, target)
	if err != nil {
		return err
	}
	defer func() { _ = t.Close() }()
	if exists(target.Path) {
		return nil
	}
	head := header{Type: TypeSession, Version: Version, ID: target.SessionID, Timestamp: stamp(t.opt.Now()), Cwd: target.Cwd, ParentSession: source}
	if p.header != nil && head.Cwd == "" {
		head.Cwd = p.header.Cwd
	}
	if p.header == nil || p.migrate {
		if p.header == nil {
			p.header = &header{Type: TypeSession}
		}
		if err := p.upgrade(); err != nil {
			return err
		}
	}
	first, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("encode header: %w", err)
	}
	return replaceFile(target.Path, append([][]byte{first}, p.lines[1:]...))
}

// Inject appends one message that no run made. With a key that is already in the
// file nothing is written. It returns the entry's id.
func Inject(ctx context.Context, opt Options, e Entry) (string, error) {
	t, err := Open(ctx, opt)
	if err != nil {
		return "", err
	}
	defer func() { _ = t.Close() }()
	if e.Tag != nil && e.Tag.Key != "" {
		for i := range t.entries {
			if tag := t.entries[i].Tag; tag != nil && tag.Key == e.Tag.Key {
				return t.entries[i].ID, nil
			}
		}
	}
	out, err := t.Append(e)
	if err != nil {
		return "", err
	}
	return out[0].ID, nil
}

// archiveName is <path>.<why>.<time>; a number is added where that is taken.
func archiveName(path, why string, now time.Time) string {
	base := path + "." + why + "." + strings.ReplaceAll(stamp(now), ":", "-")
	name := base
	for n := 2; exists(name); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// readLines returns the complete lines of a file, oldest first; a missing file has none.
func readLines(path string) ([][]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read transcript: %w", err)
	}
	var lines [][]byte
	for l := range bytes.Lines(raw) {
		lines = append(lines, l)
	}
	return lines, nil
}
