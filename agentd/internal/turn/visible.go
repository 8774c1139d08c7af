package turn

import (
	"slices"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/model"
)

// continueText follows text of which the person has seen the beginning already.
const continueText = "(Your message was cut off after the text above, which has already been delivered. Continue exactly after it and do not repeat any of it.)"

// visible puts the messages of a transcript into a form that every provider
// takes: each tool call has its result right behind it and each result its call,
// messages that failed are left out, and pictures are shown only to models that see.
func visible(messages []chat.Message, m model.Model) []chat.Message {
	var out []chat.Message
	var open []chat.Block
	settle := func() {
		for _, c := range open {
			isError := true
			out = append(out, chat.Message{Role: chat.RoleToolResult, ToolCallID: c.ID, ToolName: c.Name, IsError: &isError,
				Content: chat.Blocks{chat.Text(interruptedText)}})
		}
		open = nil
	}
	for _, msg := range messages {
		switch msg.Role {
		case chat.RoleToolResult:
			i := slices.IndexFunc(open, func(b chat.Block) bool { return b.ID == msg.ToolCallID })
			if i < 0 {
				continue
			}
			open = slices.Delete(slices.Clone(open), i, i+1)
			msg.Content = pictures(msg.Content, m)
		case chat.RoleAssistant:
			settle()
			if msg.StopReason == chat.StopError || msg.StopReason == chat.StopAborted {
				msg.Content = slices.DeleteFunc(slices.Clone(msg.Content), func(b chat.Block) bool { return b.Type != chat.BlockText })
			}
			open = msg.ToolCalls()
			if len(open) == 0 && msg.Content.Text() == "" {
				continue
			}
		case chat.RoleUser:
			settle()
			msg.Content = pictures(msg.Content, m)
		default:
			continue
		}
		out = append(out, msg)
	}
	settle()
	if n := len(out); n > 0 && out[n-1].Role == chat.RoleAssistant {
		out = append(out, chat.Message{Role: chat.RoleUser, Content: chat.Blocks{chat.Text(continueText)}})
	}
	return out
}

// pictures are replaced by a note for a model that cannot see them.
func pictures(content chat.Blocks, m model.Model) chat.Blocks {
	if m.Sees("image") || !slices.ContainsFunc(content, func(b chat.Block) bool { return b.Type == chat.BlockImage }) {
		return content
	}
	out := slices.Clone(content)
	for i := range out {
		if out[i].Type == chat.BlockImage {
			out[i] = chat.Text("[a picture that this model cannot see]")
		}
	}
	return out
}
