package pairing

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

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// fileVersion is the version of both files' format.
const fileVersion = 1

// The lock is the one that other writers of these files take: a directory beside the
// file. Its holder touches it, so that one left behind by a crash is known by its age.
const (
	lockStale = 30 * time.Second
	// ownStale is how long a lock of ours outlives a crash: it is made to look older than it is,
	// because we hold it for one write and never touch it.
	ownStale  = 5 * time.Second
	lockFirst = 100 * time.Millisecond
	lockMax   = 10 * time.Second
)

var unsafeKey = strings.NewReplacer("..", "_", `\`, "_", "/", "_", ":", "_", "*", "_", "?", "_", `"`, "_", "<", "_", ">", "_", "|", "_")

// fileKey is a channel's name as part of a file's name.
func fileKey(channel string) (string, error) {
	key := unsafeKey.Replace(strings.ToLower(strings.TrimSpace(channel)))
	if key == "" {
		return "", errors.New("a channel without a name has no pairing")
	}
	return key, nil
}

// requestFile is <channel>-pairing.json.
type requestFile struct {
	Version  int      `json:"version"`
	Requests []stored `json:"requests"`
}

func writeRequests(path string, all []Request) error {
	f := requestFile{Version: fileVersion, Requests: make([]stored, len(all))}
	for i, r := range all {
		f.Requests[i] = r.store()
	}
	return writeJSON(path, f)
}

// readRequests reads a channel's requests, expired ones too; none where there is no file.
// An entry that is no request is left out.
func readRequests(path string) ([]Request, error) {
	var raw struct {
		Requests []json.RawMessage `json:"requests"`
	}
	if err := readJSON(path, &raw); err != nil {
		return nil, err
	}
	var out []Request
	for _, entry := range raw.Requests {
		var s stored
		if json.Unmarshal(entry, &s) != nil {
			continue
		}
		if r, ok := s.request(); ok {
			out = append(out, r)
		}
	}
	return out, nil
}

// allowFile is <channel>-allowFrom.json.
type allowFile struct {
	Version   int      `json:"version"`
	AllowFrom []string `json:"allowFrom"`
}

// readAllowed reads a channel's allow-list; ids may be written as numbers. "*" lets
// nobody in here: it is a word of the configuration alone.
func readAllowed(path string) ([]string, error) {
	var raw struct {
		AllowFrom []json.RawMessage `json:"allowFrom"`
	}
	if err := readJSON(path, &raw); err != nil {
		return nil, err
	}
	var out []string
	for _, entry := range raw.AllowFrom {
		var text string
		var number json.Number
		switch {
		case json.Unmarshal(entry, &text) == nil:
		case json.Unmarshal(entry, &number) == nil:
			text = number.String()
		}
		if text = strings.TrimSpace(text); text != "" && text != "*" {
			out = append(out, text)
		}
	}
	return out, nil
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

func writeJSON(path string, value any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return json5.WriteAtomic(path, b.Bytes())
}

// acquire takes the lock of a file, waiting for another writer until ctx ends.
func acquire(ctx context.Context, path string) (release func(), err error) {
	dir := path + ".lock"
	for wait := lockFirst; ; wait = min(2*wait, lockMax) {
		err := os.Mkdir(dir, 0o700)
		if err == nil {
			aged := time.Now().Add(ownStale - lockStale)
			_ = os.Chtimes(dir, aged, aged) // else it is believed for the whole time
			return func() { _ = os.Remove(dir) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > lockStale {
			if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("remove the lock that a crash left on %s: %w", path, err)
			}
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, fmt.Errorf("another program is writing %s: %w", path, ctx.Err())
		}
	}
}
