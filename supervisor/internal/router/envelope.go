package router

import (
	"fmt"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// stampLayout is the time in an envelope: weekday, day and minute.
const stampLayout = "Mon 2006-01-02 15:04"

// Stamp is the time as it stands in front of what the model reads.
func Stamp(t time.Time) string {
	zone, _ := t.Zone()
	return t.Format(stampLayout) + " " + zone
}

// envelope is what the model reads of a message: channel, sender and time in
// brackets, then the text, media placeholders, and what the message answers.
func envelope(label string, m message.Inbound, at time.Time) string {
	from := strings.TrimSpace(m.Sender.Name)
	id := string(m.Sender.ID)
	switch {
	case from == "":
		from = id
	case id != "" && from != id:
		from += " id:" + id
	}
	return fmt.Sprintf("[%s %s %s] %s", label, from, Stamp(at), body(m))
}

// body is the text of a message with everything that goes with it, without the envelope.
func body(m message.Inbound) string {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(m.Text)
	if note := mediaNote(m.Media); note != "" {
		text = strings.TrimSpace(note + "\n" + text)
	}
	if q := m.ReplyTo; q != nil {
		who := q.Sender.Name
		if who == "" {
			who = q.Sender.Username
		}
		if who == "" {
			who = "unknown sender"
		}
		text += fmt.Sprintf("\n\n[Replying to %s id:%s]\n%s\n[/Replying]", who, q.ID, q.Text)
	}
	return text
}

func mediaNote(refs []message.MediaRef) string {
	if len(refs) == 0 {
		return ""
	}
	note := fmt.Sprintf("<media:%s>", refs[0].Kind)
	if len(refs) > 1 {
		note += fmt.Sprintf(" (%d %ss)", len(refs), refs[0].Kind)
	}
	return note
}
