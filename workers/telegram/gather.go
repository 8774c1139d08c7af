package telegram

import (
	"time"
	"unicode/utf8"

	"github.com/mymmrac/telego"
)

// Bounds of a pasted text that Telegram cut into fragments.
const (
	fragmentStart = 4000 // characters that make a message a possible first fragment
	maxFragments  = 12
	maxPasted     = 50_000 // characters
)

// gather puts the updates together that are one message to a person: the items of an
// album, the fragments of a long text. Order is kept; a group is never empty.
func gather(updates []telego.Update) [][]telego.Update {
	var groups [][]telego.Update
	for _, u := range updates {
		joined := false
		if m := u.Message; m != nil {
			// Others may write between two items: look back over them.
			for i := len(groups) - 1; i >= 0 && !joined; i-- {
				first := groups[i][0].Message
				if first == nil || first.Chat.ID != m.Chat.ID {
					continue
				}
				if sameAlbum(first, m) || continues(groups[i], m) {
					groups[i] = append(groups[i], u)
					joined = true
				}
				break
			}
		}
		if !joined {
			groups = append(groups, []telego.Update{u})
		}
	}
	return groups
}

// offsetsAfter tells for each group up to where updates may be confirmed once it and all
// before it are stored. A group that looked back over others never confirms those.
func offsetsAfter(groups [][]telego.Update) []int {
	out := make([]int, len(groups))
	highest := 0
	for _, g := range groups {
		highest = max(highest, g[len(g)-1].UpdateID+1)
	}
	waiting := highest
	for i := len(groups) - 1; i >= 0; i-- {
		out[i] = waiting
		waiting = min(waiting, groups[i][0].UpdateID)
	}
	return out
}

func sameAlbum(a, b *telego.Message) bool {
	return a.MediaGroupID != "" && a.MediaGroupID == b.MediaGroupID
}

// continues tells whether m is the next fragment of a pasted text.
func continues(group []telego.Update, m *telego.Message) bool {
	first, last := group[0].Message, group[len(group)-1].Message
	if !isFragment(last) || m.Text == "" || len(group) >= maxFragments || from(first) != from(m) || from(m) == 0 {
		return false
	}
	if first.MessageThreadID != m.MessageThreadID || m.MessageID-last.MessageID != 1 || m.Date-last.Date > 2 || m.ForwardOrigin != nil || m.ReplyToMessage != nil {
		return false
	}
	total := utf8.RuneCountInString(m.Text)
	for _, u := range group {
		total += utf8.RuneCountInString(u.Message.Text)
	}
	return total <= maxPasted
}

func isFragment(m *telego.Message) bool { return utf8.RuneCountInString(m.Text) >= fragmentStart }

func from(m *telego.Message) int64 {
	if m.From == nil {
		return 0
	}
	return m.From.ID
}

// unsettled is how long to wait for what may still belong to the last messages of a
// batch; 0 = nothing is missing.
func unsettled(updates []telego.Update, now time.Time, o Options) time.Duration {
	var wait time.Duration
	for _, g := range gather(updates) {
		m := g[len(g)-1].Message
		if m == nil {
			continue
		}
		// Dates are whole seconds by Telegram's clock; an old one waits for nothing.
		age := now.Sub(time.Unix(m.Date, 0))
		switch {
		case age > 10*time.Second:
		case m.MediaGroupID != "":
			wait = max(wait, o.AlbumWait)
		case isFragment(m) && len(g) < maxFragments:
			wait = max(wait, o.FragmentWait)
		}
	}
	return wait
}
