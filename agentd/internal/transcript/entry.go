// Package transcript reads and writes a session's JSONL file (format version 3):
// an append-only tree of entries of which each is one whole line.
//
// One process writes a transcript at a time, held by a kernel lock beside the
// file; readers take no lock. Every append is one write and is on disk when the
// call returns. What a crash left behind is put right when the file is opened for
// writing; nothing before the torn line is ever lost. The package never asks a
// model and never touches the session index.
package transcript

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
)

// Version is the format that this package writes.
const Version = 3

// Types of an entry that mean something to this package; others are kept as they are.
const (
	TypeSession       = "session"
	TypeMessage       = "message"
	TypeModelChange   = "model_change"
	TypeThinking      = "thinking_level_change"
	TypeCompaction    = "compaction"
	TypeBranchSummary = "branch_summary"
	TypeCustom        = "custom"
	TypeCustomMessage = "custom_message"
)

// CustomModelSnapshot is the customType of the entry that says which model answered.
const CustomModelSnapshot = "model-snapshot"

// Tag is our extra key on an entry: it binds the entry to a run, so that the run
// can be resumed. Other readers of the format ignore it.
type Tag struct {
	RunID   string `json:"runId,omitempty"`
	InputID string `json:"inputId,omitempty"`
	// Key makes an injected entry idempotent.
	Key string `json:"key,omitempty"`
	// Delivered marks an assistant entry that only records text which was sent before an interruption.
	Delivered bool `json:"delivered,omitempty"`
	// FirstPart is the number of the first part in the entry's text and PartEnds
	// the byte offset at which each part ends; absent = the text is no part or one.
	FirstPart uint32 `json:"firstPart,omitempty"`
	PartEnds  []int  `json:"partEnds,omitempty"`
	// ErrorCode and Retryable of a run that failed with this entry.
	ErrorCode string `json:"errorCode,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
}

// Entry is one line. Fields that its type does not use are zero.
type Entry struct {
	Type      string  `json:"type"`
	ID        string  `json:"id"`
	ParentID  *string `json:"parentId"`
	Timestamp string  `json:"timestamp"`

	Message *chat.Message `json:"message,omitempty"`

	// model_change
	Provider string `json:"provider,omitempty"`
	ModelID  string `json:"modelId,omitempty"`
	// thinking_level_change
	ThinkingLevel string `json:"thinkingLevel,omitempty"`
	// compaction, branch_summary
	Summary          string `json:"summary,omitempty"`
	FirstKeptEntryID string `json:"firstKeptEntryId,omitempty"`
	TokensBefore     int64  `json:"tokensBefore,omitempty"`
	// custom, custom_message
	CustomType string          `json:"customType,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Content    chat.Blocks     `json:"content,omitempty"`

	Tag *Tag `json:"openclaw,omitempty"`
}

// RunID returns the run that the entry belongs to, or "".
func (e *Entry) RunID() string {
	if e.Tag == nil {
		return ""
	}
	return e.Tag.RunID
}

// header is the first line of a file.
type header struct {
	Type          string `json:"type"`
	Version       int    `json:"version"`
	ID            string `json:"id"`
	Timestamp     string `json:"timestamp"`
	Cwd           string `json:"cwd"`
	ParentSession string `json:"parentSession,omitempty"`
}

// MessageEntry returns an entry for m; id, parent and time are given when it is appended.
func MessageEntry(m chat.Message, tag *Tag) Entry {
	return Entry{Type: TypeMessage, Message: &m, Tag: tag}
}

// ModelEntries returns the entries that record a change of model.
func ModelEntries(provider, modelID, api string, now time.Time) []Entry {
	data, err := json.Marshal(map[string]any{
		"timestamp": now.UnixMilli(), "provider": provider, "modelApi": api, "modelId": modelID,
	})
	if err != nil {
		panic(fmt.Sprintf("transcript: encode model snapshot: %v", err))
	}
	return []Entry{
		{Type: TypeModelChange, Provider: provider, ModelID: modelID},
		{Type: TypeCustom, CustomType: CustomModelSnapshot, Data: data},
	}
}

// stamp writes a time the way the format does: UTC with milliseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// newID returns 8 hex digits that taken does not know.
func newID(taken func(string) bool) (string, error) {
	var b [4]byte
	for range 100 {
		if _, err := rand.Read(b[:]); err != nil {
			return "", fmt.Errorf("make an entry id: %w", err)
		}
		if id := hex.EncodeToString(b[:]); !taken(id) {
			return id, nil
		}
	}
	return "", fmt.Errorf("make an entry id: none is free")
}
