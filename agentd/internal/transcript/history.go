package transcript

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
)

// Page says which messages History shall return.
type Page struct {
	// Limit is the largest number of messages; 0 = no limit.
	Limit int
	// MaxBytes bounds the sum of the messages' sizes; 0 = no bound. The newest
	// message is returned in any case.
	MaxBytes int64
	// Before is the id of an entry; only older ones are returned. Empty = start at the newest.
	Before string
}

// History returns messages of the file at path, oldest first, each as a JSON
// object of protocol v3, and the id to give as Before for the page before; "" =
// there is none. It takes no lock; a line that is being written is left out.
func History(path string, page Page) (messages []json.RawMessage, before string, err error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, "", err
	}
	var size int64
	var oldest string
	skipping := page.Before != ""
	for i := len(lines) - 1; i >= 0; i-- {
		var e struct {
			Type    string          `json:"type"`
			ID      string          `json:"id"`
			Message json.RawMessage `json:"message"`
		}
		if json.Unmarshal(lines[i], &e) != nil {
			continue
		}
		if skipping {
			skipping = e.ID != page.Before
			continue
		}
		if e.Type != TypeMessage || len(e.Message) == 0 {
			continue
		}
		shown := present(e.Message)
		size += int64(len(shown)) + 1
		full := page.Limit > 0 && len(messages) == page.Limit
		if full || (page.MaxBytes > 0 && size > page.MaxBytes && len(messages) > 0) {
			before = oldest
			break
		}
		messages = append(messages, shown)
		oldest = e.ID
	}
	for l, r := 0, len(messages)-1; l < r; l, r = l+1, r-1 {
		messages[l], messages[r] = messages[r], messages[l]
	}
	return messages, before, nil
}

// PreviewItem is one text of a conversation, cut short.
type PreviewItem struct {
	Role, Text string
}

// Preview returns the last texts of the file at path, oldest first, each of at most
// maxChars characters (0 = whole), and whether the file exists.
func Preview(path string, limit, maxChars int) ([]PreviewItem, bool, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, false, err
	}
	var items []PreviewItem
	for i := len(lines) - 1; i >= 0 && (limit <= 0 || len(items) < limit); i-- {
		var e Entry
		if json.Unmarshal(lines[i], &e) != nil || e.Type != TypeMessage || e.Message == nil {
			continue
		}
		role := e.Message.Role
		if role != chat.RoleUser && role != chat.RoleAssistant {
			continue
		}
		text := e.Message.Content.Text()
		if role == chat.RoleUser {
			text = Said(text)
		}
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if r := []rune(text); maxChars > 0 && len(r) > maxChars {
			text = strings.TrimRight(string(r[:max(maxChars-1, 0)]), " \n") + "…"
		}
		items = append(items, PreviewItem{Role: role, Text: text})
	}
	for l, r := 0, len(items)-1; l < r; l, r = l+1, r-1 {
		items[l], items[r] = items[r], items[l]
	}
	return items, len(lines) > 0, nil
}

// present turns a stored message into what a client is shown: content is always
// a list, and a user's text is what the person said.
func present(raw json.RawMessage) json.RawMessage {
	var m struct {
		Role    string      `json:"role"`
		Content chat.Blocks `json:"content"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return raw
	}
	isString := jsonString(raw)
	if m.Role != chat.RoleUser && !isString {
		return raw
	}
	changed := isString
	for i := range m.Content {
		if m.Role != chat.RoleUser || m.Content[i].Type != chat.BlockText {
			continue
		}
		if said := Said(m.Content[i].Text); said != m.Content[i].Text {
			m.Content[i].Text = said
			changed = true
		}
	}
	if !changed {
		return raw
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return raw
	}
	content, err := json.Marshal(m.Content)
	if err != nil {
		return raw
	}
	all["content"] = content
	out, err := json.Marshal(all)
	if err != nil {
		return raw
	}
	return out
}

// jsonString reports whether the message's content is a bare string.
func jsonString(raw json.RawMessage) bool {
	var m struct {
		Content json.RawMessage `json:"content"`
	}
	return json.Unmarshal(raw, &m) == nil && len(m.Content) > 0 && m.Content[0] == '"'
}

var (
	// envelope matches "[<channel> <from> … Sat 2026-11-21 20:32 UTC] " and the bare time stamp alike.
	envelope = regexp.MustCompile(`^\[(?:[^\[\]\n]* )?(?:[A-Z][a-z]{2} )?\d{4}-\d{2}-\d{2}(?: |T)\d{2}:\d{2}[^\[\]\n]*\] ?`)
	idLine   = regexp.MustCompile(`(?m)^[ \t]*\[message_id: [^\]\n]*\][ \t]*\n?`)
)

// Said strips from a user's text what was put round it for the model: the
// envelope or time stamp in front and lines with message ids.
func Said(text string) string {
	out := envelope.ReplaceAllString(text, "")
	if cut := idLine.ReplaceAllString(out, ""); cut != out {
		out = strings.TrimRight(cut, "\n")
	}
	return out
}
