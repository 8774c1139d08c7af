package turn

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/transcript"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// interruptedText closes a tool call of which nobody knows how it went.
const interruptedText = "interrupted: it is not known whether this took effect"

// state is how far a run is, by its entries in the transcript.
type state struct {
	// resumed: there are entries of the run.
	resumed bool
	// inputs are the ids of the stored user messages.
	inputs []string
	// open are the tool calls of the last assistant message that have no result.
	open []chat.Block
	// parts is the highest number of a part.
	parts uint32
	// terminal: the last entry ends the run.
	terminal bool
	last     transcript.Entry
}

// examine reads the state from the entries of one run, in file order.
func examine(entries []transcript.Entry) state {
	st := state{resumed: len(entries) > 0}
	for _, e := range entries {
		if e.Message == nil {
			continue
		}
		st.last = e
		st.terminal = false
		switch e.Message.Role {
		case chat.RoleUser:
			if e.Tag.InputID != "" {
				st.inputs = append(st.inputs, e.Tag.InputID)
			}
		case chat.RoleToolResult:
			st.open = slices.DeleteFunc(st.open, func(b chat.Block) bool { return b.ID == e.Message.ToolCallID })
		case chat.RoleAssistant:
			if n := uint32(len(e.Tag.PartEnds)); n > 0 {
				st.parts = max(st.parts, e.Tag.FirstPart+n-1)
			}
			if e.Tag.Delivered {
				continue
			}
			st.open = e.Message.ToolCalls()
			switch e.Message.StopReason {
			case chat.StopEnd, chat.StopLength:
				st.terminal = len(st.open) == 0
			case chat.StopError, chat.StopAborted:
				st.terminal = true
			}
		}
	}
	return st
}

// takeUp brings the transcript to where the model can be asked: inputs are stored,
// open tool calls closed, and text that was sent already is on record.
func (r *run) takeUp(st state) error {
	r.nextPart = st.parts + 1
	r.usage = spent(r.t.Run(r.req.RunID))
	var missing []agent.Input
	for _, in := range r.req.Inputs {
		if !slices.Contains(st.inputs, in.ID) {
			missing = append(missing, in)
		}
	}
	if len(st.inputs) > 0 {
		if err := r.emit(agent.RunEvent{InputStored: st.inputs}); err != nil {
			return err
		}
		if err := r.emit(agent.RunEvent{Progress: &agent.Progress{EntryID: st.last.ID}}); err != nil {
			return err
		}
	}
	for _, call := range st.open {
		if _, err := r.append(r.resultEntry(call, chat.Blocks{chat.Text(interruptedText)}, nil, true)); err != nil {
			return err
		}
	}
	if err := r.storeInputs(r.modelEntries(), missing); err != nil {
		return err
	}
	return r.recordDelivered(st)
}

// modelEntries says which model answers from here on, where the transcript says another or none.
func (r *run) modelEntries() []transcript.Entry {
	if len(r.candidates) == 0 {
		return nil
	}
	var out []transcript.Entry
	now, m := r.t.Context(), r.model()
	if now.Provider != m.Provider || now.Model != m.ID {
		out = transcript.ModelEntries(m.Provider, m.ID, m.Endpoint.API, r.e.cfg.Now())
	}
	if level := r.level(); now.Thinking != level {
		out = slices.Insert(out, min(1, len(out)), transcript.Entry{Type: transcript.TypeThinking, ThinkingLevel: level})
	}
	return out
}

// storeInputs writes what leads and one user entry per input in one go, and names the inputs once they are on disk.
func (r *run) storeInputs(lead []transcript.Entry, inputs []agent.Input) error {
	if len(inputs) == 0 {
		return nil
	}
	entries := lead
	ids := make([]string, len(inputs))
	for i, in := range inputs {
		ids[i] = in.ID
		stamp := in.TimestampMS
		if stamp == 0 {
			stamp = r.e.cfg.Now().UnixMilli()
		}
		entries = append(entries, transcript.MessageEntry(
			chat.Message{Role: chat.RoleUser, Content: inputBlocks(in), Timestamp: stamp},
			&transcript.Tag{RunID: r.req.RunID, InputID: in.ID}))
	}
	out, err := r.t.Append(entries...)
	if err != nil {
		return err
	}
	if err := r.emit(agent.RunEvent{InputStored: ids}); err != nil {
		return err
	}
	return r.emit(agent.RunEvent{Progress: &agent.Progress{EntryID: out[len(out)-1].ID}})
}

// recordDelivered puts on record the parts that were sent and of which the
// transcript knows nothing: the attempt died in the middle of that message.
func (r *run) recordDelivered(st state) error {
	var texts []string
	first, last := uint32(0), st.parts
	for _, p := range r.req.Delivered {
		if n := uint32(max(p.N, 0)); n > last {
			if first == 0 {
				first = n
			}
			last = n
			texts = append(texts, strings.TrimSpace(p.Text))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	r.nextPart = last + 1
	text, ends := "", []int(nil)
	for i, t := range texts {
		if i > 0 {
			text += "\n\n"
		}
		text += t
		ends = append(ends, len(text))
	}
	return r.appendDelivered(text, first, ends)
}

// appendDelivered writes an assistant entry that is cut short and does not end the run.
func (r *run) appendDelivered(text string, first uint32, ends []int) error {
	_, err := r.append(r.assistantEntry(chat.Blocks{chat.Text(text)}, chat.StopAborted, chat.Usage{}, "",
		&transcript.Tag{RunID: r.req.RunID, Delivered: true, FirstPart: first, PartEnds: ends}))
	return err
}

// maxImage is the largest picture that becomes part of a message, in bytes.
const maxImage = 5 << 20

// inputBlocks turns an input into what a message holds: its text and its pictures.
func inputBlocks(in agent.Input) chat.Blocks {
	out := chat.Blocks{chat.Text(in.Text)}
	for _, a := range in.Attachments {
		if !strings.HasPrefix(a.MIME, "image/") {
			continue
		}
		block, err := imageBlock(a)
		if err != nil {
			block = chat.Text(fmt.Sprintf("[picture %s is left out: %v]", a.Name, err))
		}
		out = append(out, block)
	}
	return out
}

func imageBlock(a agent.Attachment) (chat.Block, error) {
	info, err := os.Stat(a.Path)
	if err != nil {
		return chat.Block{}, fmt.Errorf("it cannot be read")
	}
	if info.Size() > maxImage {
		return chat.Block{}, fmt.Errorf("it has %d bytes, the limit is %d", info.Size(), maxImage)
	}
	raw, err := os.ReadFile(a.Path)
	if err != nil {
		return chat.Block{}, fmt.Errorf("it cannot be read")
	}
	mime := http.DetectContentType(raw)
	if !strings.HasPrefix(mime, "image/") {
		mime = a.MIME
	}
	return chat.Block{Type: chat.BlockImage, Data: base64.StdEncoding.EncodeToString(raw), MimeType: mime}, nil
}

func spent(entries []transcript.Entry) chat.Usage {
	var sum chat.Usage
	for _, e := range entries {
		if e.Message != nil && e.Message.Usage != nil {
			sum = sum.Add(*e.Message.Usage)
		}
	}
	return sum
}
