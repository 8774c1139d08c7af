package transcript

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// heal puts right what a crash or another program left in the file: a torn last
// line goes to <file>.torn, lines that are no entries are dropped with a backup
// beside the file, and an older format is brought up to date, likewise with a
// backup. Each repair is logged once. It returns the good content.
func (t *File) heal(raw []byte) (parsed, error) {
	p := parse(raw)
	if torn := raw[p.whole:]; len(torn) > 0 {
		if err := t.setTornAside(torn, p.whole); err != nil {
			return p, err
		}
	}
	if p.unterminated {
		if err := t.endLine(); err != nil {
			return p, err
		}
	}
	if p.bad == 0 && !p.migrate && (p.header != nil || len(p.lines) == 0) {
		return p, nil
	}
	backup, err := t.backup(raw[:p.whole])
	if err != nil {
		return p, err
	}
	version := 0
	if p.header != nil {
		version = p.header.Version
	} else {
		p.header = &header{Type: TypeSession, ID: t.opt.SessionID, Timestamp: stamp(t.opt.Now()), Cwd: t.opt.Cwd}
		p.migrate = true
	}
	if p.migrate {
		if err := p.upgrade(); err != nil {
			return p, err
		}
	}
	if err := replaceFile(t.opt.Path, p.lines); err != nil {
		return p, err
	}
	t.opt.Log.Warn("transcript repaired", slog.String("file", t.opt.Path), slog.Int("dropped_lines", p.bad),
		slog.Int("old_version", version), slog.String("backup", backup))
	return p, nil
}

// setTornAside moves the torn end of the file to <file>.torn. The copy is on disk before the cut.
func (t *File) setTornAside(torn []byte, keep int) error {
	aside := t.opt.Path + ".torn"
	f, err := os.OpenFile(aside, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("keep torn transcript line: %w", err)
	}
	_, err = f.Write(append(bytes.Clone(torn), '\n'))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Truncate(t.opt.Path, int64(keep))
	}
	if err != nil {
		return fmt.Errorf("keep torn transcript line: %w", err)
	}
	t.opt.Log.Warn("transcript ended in a torn line", slog.String("file", t.opt.Path),
		slog.Int("bytes", len(torn)), slog.String("moved_to", aside))
	return nil
}

// endLine adds the newline that a complete last line lacks.
func (t *File) endLine() error {
	f, err := os.OpenFile(t.opt.Path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("end last transcript line: %w", err)
	}
	_, err = f.Write([]byte{'\n'})
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("end last transcript line: %w", err)
	}
	t.opt.Log.Warn("transcript ended without a newline", slog.String("file", t.opt.Path))
	return nil
}

// backup keeps raw under a new name beside the file and returns the name.
func (t *File) backup(raw []byte) (string, error) {
	name := archiveName(t.opt.Path, "bak", t.opt.Now())
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		return "", fmt.Errorf("back up transcript: %w", err)
	}
	return name, nil
}

// replaceFile writes the lines to a new file and puts it in the old one's place.
func replaceFile(path string, lines [][]byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".transcript-*")
	if err != nil {
		return fmt.Errorf("rewrite transcript: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	for _, l := range lines {
		if _, err = tmp.Write(append(bytes.Clone(l), '\n')); err != nil {
			break
		}
	}
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("rewrite transcript: %w", err)
	}
	return nil
}
