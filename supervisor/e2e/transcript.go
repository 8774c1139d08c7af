package e2e

import (
	"bufio"
	"encoding/json"
	"strings"
)

// Spoken is one message of a transcript.
type Spoken struct {
	Role string
	Text string
}

// Spoken lists the messages of all transcripts of the agent main.
func (e *Env) Spoken() []Spoken {
	e.t.Helper()
	var list []Spoken
	lines := bufio.NewScanner(strings.NewReader(e.Transcripts()))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var entry struct {
			Type    string `json:"type"`
			Message struct {
				Role    string          `json:"role"`
				Content json.RawMessage `json:"content"`
			} `json:"message"`
		}
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			e.t.Errorf("a transcript holds a line that is no JSON: %v", err)
			continue
		}
		if entry.Type == "message" {
			list = append(list, Spoken{Role: entry.Message.Role, Text: contentText(entry.Message.Content)})
		}
	}
	return list
}

// contentText is the text of a message's content: a string, or blocks.
func contentText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var blocks []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &blocks) != nil {
		return ""
	}
	var parts []string
	for _, b := range blocks {
		parts = append(parts, b.Text)
	}
	return strings.Join(parts, "")
}

// Heard counts the user messages of all transcripts that contain a text.
func (e *Env) Heard(text string) int {
	e.t.Helper()
	n := 0
	for _, s := range e.Spoken() {
		if s.Role == "user" && strings.Contains(s.Text, text) {
			n++
		}
	}
	return n
}
