package config

import (
	"fmt"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// Repair changes a document of the same file: keys of older versions get their names of today, and keys that nobody
// knows are taken out. It says what it did. What stands in an included file is left alone, and so are values that are
// wrong in another way: only their owner knows what was meant.
func (l *Loaded) Repair(doc *json5.Document) ([]string, error) {
	var done []string
	for _, p := range l.Problems {
		if !strings.HasPrefix(p.Message, "Unrecognized key") {
			continue
		}
		path, err := json5.ParsePath(p.Path)
		if err != nil {
			return done, err
		}
		was, err := doc.Unset(l.legacy.original(path))
		if err != nil {
			return done, err
		}
		if was {
			done = append(done, fmt.Sprintf("removed the unknown key %s", l.legacy.original(path)))
		}
	}
	for _, mv := range l.legacy.moved {
		moved, err := rename(doc, dotted(mv.from), dotted(mv.to))
		if err != nil {
			return done, err
		}
		if moved {
			done = append(done, fmt.Sprintf("moved %s to %s", mv.from, mv.to))
		}
	}
	more, err := repairOddities(doc)
	return append(done, more...), err
}

// rename moves a value, under what is at the new name already, and drops the empty object it leaves behind.
func rename(doc *json5.Document, from, to json5.Path) (bool, error) {
	value, ok := doc.Get(from)
	if !ok {
		return false, nil
	}
	if newer, ok := doc.Get(to); ok {
		value = prefer(newer, value)
	}
	if _, err := doc.Unset(from); err != nil {
		return false, err
	}
	for n := len(from) - 1; n > 0; n-- {
		if rest, ok := doc.Get(from[:n]); !ok || !json5.Equal(rest, map[string]any{}) {
			break
		}
		if _, err := doc.Unset(from[:n]); err != nil {
			return false, err
		}
	}
	return true, doc.Set(to, value)
}

// repairOddities rewrites the old keys that are more than a rename.
func repairOddities(doc *json5.Document) ([]string, error) {
	var done []string
	if was, err := doc.Unset(json5.Path{"bridge"}); err != nil {
		return done, err
	} else if was {
		done = append(done, "removed bridge, which no longer exists")
	}
	enabled, has := doc.Get(dotted("messages.tts.enabled"))
	if on, isBool := enabled.(bool); has && isBool {
		if _, set := doc.Get(dotted("messages.tts.auto")); !set {
			auto := "off"
			if on {
				auto = "always"
			}
			if err := doc.Set(dotted("messages.tts.auto"), auto); err != nil {
				return done, err
			}
		}
		if _, err := doc.Unset(dotted("messages.tts.enabled")); err != nil {
			return done, err
		}
		done = append(done, "moved messages.tts.enabled to messages.tts.auto")
	}
	bindings, _ := doc.Get(json5.Path{"bindings"})
	list, _ := bindings.([]any)
	for i := range list {
		match := json5.Path{"bindings", fmt.Sprint(i), "match"}
		moved, err := rename(doc, match.Join("accountID"), match.Join("accountId"))
		if err != nil {
			return done, err
		}
		if moved {
			done = append(done, fmt.Sprintf("renamed %s.accountID to accountId", match))
		}
	}
	return done, nil
}
