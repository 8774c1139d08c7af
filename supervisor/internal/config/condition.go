package config

import (
	"fmt"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

// The codes of a [Condition].
const (
	// CodeInvalid: the file cannot be used; what runs is the last good configuration.
	CodeInvalid = "config_invalid"
	// CodeMissing: the file is gone; what runs is the last good configuration.
	CodeMissing = "config_missing"
	// CodeLegacy: a key has an older name; it is read as the new one.
	CodeLegacy = "config_legacy"
	// CodeWarning: something is allowed, but probably not meant.
	CodeWarning = "config_warning"
	// CodeSecret: a channel's token cannot be found where the configuration says it is.
	CodeSecret = "config_secret"
)

// Condition is something about the configuration that an operator should see.
type Condition struct {
	Code string `json:"code"`
	// Text says what is the matter, Action what to do.
	Text   string `json:"text"`
	Action string `json:"action,omitempty"`
	// Key is the key concerned, File, Line and Column where it stands; zero where that is unknown.
	Key    string `json:"key,omitempty"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String is the key, what is the matter with it and where it stands, on one line; Code and Action are not part of it.
func (c Condition) String() string {
	text := c.Text
	if c.Key != "" {
		text = c.Key + ": " + text
	}
	if c.Line > 0 {
		text += fmt.Sprintf(" (%s, line %d, column %d)", c.File, c.Line, c.Column)
	}
	return text
}

func conditionOf(code string, p source.Problem) Condition {
	return Condition{Code: code, Text: p.Message, Action: p.Remedy, Key: p.Path, File: p.File, Line: p.Pos.Line, Column: p.Pos.Column}
}
