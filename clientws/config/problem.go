package config

import (
	"fmt"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// Problem is one thing that is wrong, or worth saying, about a configuration.
type Problem struct {
	// Path names the key: agents.list[0].id. Empty when the file as a whole is meant.
	Path string `json:"path"`
	// File is the file the problem is in, Pos the place in it where known.
	File string    `json:"file,omitempty"`
	Pos  json5.Pos `json:"pos,omitzero"`
	// Message is one sentence, Remedy what a person can do about it; Remedy may be empty.
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// String writes the problem on one line: path: message (file, line, column). remedy
func (p Problem) String() string {
	var b strings.Builder
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	switch {
	case p.File != "" && p.Pos.IsValid():
		fmt.Fprintf(&b, " (%s, %s)", p.File, p.Pos)
	case p.Pos.IsValid():
		fmt.Fprintf(&b, " (%s)", p.Pos)
	case p.File != "":
		fmt.Fprintf(&b, " (%s)", p.File)
	}
	if p.Remedy != "" {
		b.WriteString(". " + strings.ToUpper(p.Remedy[:1]) + p.Remedy[1:])
	}
	return b.String()
}

// InvalidError says that a configuration cannot be used. It lists every problem found, not only the first.
type InvalidError struct {
	File     string
	Problems []Problem
}

// Error gives all problems, one a line.
func (e *InvalidError) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	lines = append(lines, "invalid config "+e.File+":")
	for _, p := range e.Problems {
		lines = append(lines, "  "+p.String())
	}
	return strings.Join(lines, "\n")
}
