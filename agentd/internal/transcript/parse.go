package transcript

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
)

// parsed is what a file's bytes hold.
type parsed struct {
	header  *header
	entries []Entry
	// whole is the length of all complete lines; what follows is torn.
	whole int
	// unterminated says that the last line is complete but for its newline.
	unterminated bool
	// bad counts complete lines that are no entries.
	bad int
	// migrate says that the file has an older version and must be written anew.
	migrate bool
	// lines are the good lines, header first if there is one, without newline.
	lines [][]byte
}

// parse reads a file's bytes. It never fails: what cannot be read is counted.
func parse(raw []byte) parsed {
	var p parsed
	for off := 0; off < len(raw); {
		line, rest := raw[off:], 0
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line, rest = line[:i], 1
		}
		next := off + len(line) + rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		if rest == 0 && !p.add(line) {
			return p
		}
		if rest == 0 {
			p.unterminated = true
		} else if len(bytes.TrimSpace(line)) > 0 && !p.add(line) {
			p.bad++
		}
		off, p.whole = next, next
	}
	return p
}

// add takes one line over; it reports whether the line was good.
func (p *parsed) add(line []byte) bool {
	var e Entry
	if json.Unmarshal(line, &e) != nil || e.Type == "" || (e.Type == TypeMessage && e.Message == nil) {
		return false
	}
	if e.Type == TypeSession {
		var h header
		if json.Unmarshal(line, &h) != nil || p.header != nil || len(p.entries) > 0 {
			return false
		}
		p.header = &h
		p.migrate = h.Version < Version
		p.lines = append(p.lines, line)
		return true
	}
	p.entries = append(p.entries, e)
	p.lines = append(p.lines, line)
	return true
}

// upgrade brings the entries of an older version to the current one: version 1
// was a plain list without ids, version 2 knew another role name.
func (p *parsed) upgrade() error {
	taken := map[string]bool{}
	for i := range p.entries {
		taken[p.entries[i].ID] = true
	}
	taken[""] = true
	for i := range p.entries {
		e := &p.entries[i]
		if e.ID == "" {
			id, err := newID(func(s string) bool { return taken[s] })
			if err != nil {
				return err
			}
			taken[id] = true
			e.ID = id
			if i > 0 {
				e.ParentID = &p.entries[i-1].ID
			}
		}
		if e.Message != nil && e.Message.Role == "hookMessage" {
			e.Message.Role = "custom"
		}
	}
	p.header.Version = Version
	head, err := json.Marshal(p.header)
	if err != nil {
		return fmt.Errorf("encode header: %w", err)
	}
	p.lines = [][]byte{head}
	for i := range p.entries {
		line, err := json.Marshal(&p.entries[i])
		if err != nil {
			return fmt.Errorf("encode entry: %w", err)
		}
		p.lines = append(p.lines, line)
	}
	p.migrate = false
	return nil
}

// path returns the entries from the root to the leaf, which is the last entry.
// An entry whose parent is gone hangs on the entry before it in the file.
func path(entries []Entry) []*Entry {
	if len(entries) == 0 {
		return nil
	}
	index := make(map[string]int, len(entries))
	for i := range entries {
		index[entries[i].ID] = i
	}
	var back []*Entry
	for i := len(entries) - 1; i >= 0; {
		e := &entries[i]
		back = append(back, e)
		if e.ParentID == nil {
			break
		}
		parent, ok := index[*e.ParentID]
		if !ok || parent >= i {
			parent = i - 1
		}
		i = parent
	}
	for l, r := 0, len(back)-1; l < r; l, r = l+1, r-1 {
		back[l], back[r] = back[r], back[l]
	}
	return back
}

// Context is what a model gets to see of a transcript.
type Context struct {
	Messages []chat.Message
	// Provider, Model and Thinking are those of the last change on the path; "" = none.
	Provider, Model, Thinking string
}

// buildContext walks from the root to the leaf. Where a compaction lies on the
// way, its summary stands for everything before the first entry that it kept.
func buildContext(entries []Entry) Context {
	var c Context
	way := path(entries)
	cut := -1
	for i, e := range way {
		switch e.Type {
		case TypeModelChange:
			c.Provider, c.Model = e.Provider, e.ModelID
		case TypeThinking:
			c.Thinking = e.ThinkingLevel
		case TypeCompaction:
			cut = i
		}
	}
	start := 0
	if cut >= 0 {
		c.Messages = append(c.Messages, summaryMessage("The conversation before this point was summarised:", way[cut].Summary))
		for start = cut; start > 0 && way[start].ID != way[cut].FirstKeptEntryID; start-- {
		}
		if way[start].ID != way[cut].FirstKeptEntryID {
			start = cut
		}
	}
	for _, e := range way[start:] {
		switch {
		case e.Type == TypeMessage:
			c.Messages = append(c.Messages, *e.Message)
		case e.Type == TypeBranchSummary && e.Summary != "":
			c.Messages = append(c.Messages, summaryMessage("Summary of a branch of this conversation:", e.Summary))
		case e.Type == TypeCustomMessage && len(e.Content) > 0:
			c.Messages = append(c.Messages, chat.Message{Role: chat.RoleUser, Content: e.Content})
		}
	}
	return c
}

func summaryMessage(lead, summary string) chat.Message {
	return chat.Message{Role: chat.RoleUser, Content: chat.Blocks{chat.Text(lead + "\n\n" + summary)}}
}
