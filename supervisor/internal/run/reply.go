package run

import (
	"regexp"
	"strings"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Tokens that a model uses to say something to us and not to people (spec: silent
// replies, heartbeats, reply tags). They are wire contracts.
const (
	silentToken    = "NO_REPLY"
	heartbeatToken = "HEARTBEAT_OK"
)

var (
	replyTag  = regexp.MustCompile(`(?i)\[\[\s*reply_to(?:_current|\s*:\s*([^\]]+?))\s*\]\]`)
	finalTags = regexp.MustCompile(`(?i)</?final>`)
	silentAt  = regexp.MustCompile(`^\s*` + silentToken + `\b|\b` + silentToken + `\s*$`)
	heartbeat = regexp.MustCompile(`^\s*` + heartbeatToken + `\b|\b` + heartbeatToken + `\s*$`)
)

// Reply is one part of an answer, made ready for people.
type Reply struct {
	// Text is Markdown; empty when the part says nothing.
	Text string
	// ReplyTo is the message that the model wants this part to answer; empty = no wish.
	ReplyTo message.MessageID
}

// Clean takes out of a part what is meant for us: silence, heartbeat and reply tags,
// and the wrapping of tag-based reasoning models. current is the message that started the run.
func Clean(text string, current message.MessageID) Reply {
	var r Reply
	text = finalTags.ReplaceAllString(text, "")
	text = replyTag.ReplaceAllStringFunc(text, func(tag string) string {
		r.ReplyTo = current
		if m := replyTag.FindStringSubmatch(tag); m[1] != "" {
			r.ReplyTo = message.MessageID(strings.TrimSpace(m[1]))
		}
		return ""
	})
	if silentAt.MatchString(text) {
		return Reply{}
	}
	r.Text = strings.TrimSpace(heartbeat.ReplaceAllString(text, ""))
	if r.Text == "" {
		return Reply{}
	}
	return r
}
