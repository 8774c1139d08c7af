package config

import (
	"encoding/json"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

// View is the configuration as config.get shows it: every secret is replaced by source.Redacted.
type View struct {
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	// Raw is the file's text; "" where it cannot be parsed, because then no secret in it can be told apart.
	Raw string `json:"raw"`
	// Parsed is the file as written, Config what it means with defaults.
	Parsed json.RawMessage `json:"parsed"`
	Valid  bool            `json:"valid"`
	Config json.RawMessage `json:"config"`
	// Hash is the SHA-256 of the file's bytes in hex, "" without a file; writes are based on it.
	Hash         string  `json:"hash"`
	Issues       []Issue `json:"issues"`
	Warnings     []Issue `json:"warnings"`
	LegacyIssues []Issue `json:"legacyIssues"`
}

// Issue is one problem with its key.
type Issue struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// Issues turns problems into the form that the control plane sends.
func Issues(problems []source.Problem) []Issue {
	out := make([]Issue, 0, len(problems))
	for _, p := range problems {
		path := p.Path
		p.Path = ""
		out = append(out, Issue{Path: path, Message: p.String()})
	}
	return out
}

// View reads the file afresh and shows it. sensitive adds to the schema's own idea of what a secret is, for the keys
// that plugins name; it may be nil.
func (s *Store) View(sensitive func(json5.Path) bool) (View, error) {
	file, err := source.Load(s.sourceOptions())
	if err != nil {
		return View{}, err
	}
	v := View{
		Path: file.File, Exists: file.Exists, Raw: source.RedactText(file.Raw, sensitive), Valid: file.Valid(), Hash: file.Hash,
		Issues: Issues(file.Problems), Warnings: Issues(file.Warnings), LegacyIssues: Issues(file.Legacy),
	}
	v.Parsed = redacted(file.Parsed, sensitive)
	tree := s.Snapshot().Tree
	if file.Valid() {
		tree = file.Tree
	}
	v.Config = redacted(source.Effective(tree), sensitive)
	return v, nil
}

func redacted(tree map[string]any, sensitive func(json5.Path) bool) json.RawMessage {
	if tree == nil {
		return json.RawMessage("{}")
	}
	shown, _ := source.Redact(tree, sensitive).(map[string]any)
	return encode(shown)
}
