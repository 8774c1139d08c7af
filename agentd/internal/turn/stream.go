package turn

import (
	"fmt"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// silent is the whole answer of a model that has nothing to say.
const silent = "NO_REPLY"

// streamer turns the stream of one message into events, and into parts where
// blocks are sent while the model still writes.
type streamer struct {
	r      *run
	text   strings.Builder
	blocks *blocks // nil = the message is one part
	first  uint32
	ends   []int
	told   int // so many of the ends have been told as Part

	unsaid strings.Builder // deltas that have not been told
	last   time.Time       // when one was told
}

// maxText bounds one message of a model, in bytes.
const maxText = 4 << 20

// paceBytes is how much of a message goes into events per millisecond. Each event
// holds the whole text so far: a long text that comes fast is told in larger steps.
const paceBytes = 1024

func newStreamer(r *run) *streamer {
	s := &streamer{r: r, first: r.nextPart}
	if r.agent.BlockStreamingDefault == "on" && r.agent.BlockStreamingBreak != "message_end" {
		s.blocks = newBlocks(r.agent.BlockStreamingChunk.MinChars, r.agent.BlockStreamingChunk.MaxChars)
	}
	return s
}

// event takes one event of the provider.
func (s *streamer) event(ev provider.Event) error {
	switch ev.Kind {
	case provider.TextDelta:
		if ev.Delta == "" {
			return nil
		}
		if s.text.Len()+len(ev.Delta) > maxText {
			return fmt.Errorf("the model's message is longer than %d bytes", maxText)
		}
		s.text.WriteString(ev.Delta)
		s.unsaid.WriteString(ev.Delta)
		if now := time.Now(); now.Sub(s.last) >= time.Duration(s.text.Len()/paceBytes)*time.Millisecond {
			s.last = now
			if err := s.say(); err != nil {
				return err
			}
		}
		if s.blocks == nil {
			return nil
		}
		s.ends = append(s.ends, s.blocks.next(s.text.String(), false)...)
		return s.tell()
	case provider.ThinkingDelta:
		return s.r.emit(agent.RunEvent{Thinking: &agent.ThinkingDelta{Delta: ev.Delta}})
	}
	return nil
}

// say tells what has come since the last time.
func (s *streamer) say() error {
	if s.unsaid.Len() == 0 {
		return nil
	}
	delta := s.unsaid.String()
	s.unsaid.Reset()
	return s.r.emit(agent.RunEvent{Assistant: &agent.AssistantDelta{Delta: delta, Text: s.text.String()}})
}

// flush ends the message: what is left of the text is its last part.
func (s *streamer) flush(text string) {
	if s.blocks != nil {
		s.ends = append(s.ends, s.blocks.next(text, true)...)
		return
	}
	if t := strings.TrimSpace(text); t != "" && t != silent {
		s.ends = []int{len(text)}
	}
}

// tell emits the parts that have not been told, where blocks are sent one by one.
func (s *streamer) tell() error {
	if s.r.agent.BlockStreamingDefault != "on" {
		return nil
	}
	for ; s.told < len(s.ends); s.told++ {
		from := 0
		if s.told > 0 {
			from = s.ends[s.told-1]
		}
		p := &agent.Part{N: int(s.first) + s.told, Text: strings.TrimSpace(s.text.String()[from:s.ends[s.told]])}
		if err := s.r.emit(agent.RunEvent{Part: p}); err != nil {
			return err
		}
	}
	return nil
}

// rest is what is kept of a message that broke off: its text; tool calls are not.
func (s *streamer) rest(a provider.Answer) partial {
	p := partial{usage: s.r.modelUsage(a), ends: s.ends}
	if s.text.Len() > 0 {
		p.content = chat.Blocks{chat.Text(s.text.String())}
	}
	if len(s.ends) > 0 {
		p.first = s.first
	}
	return p
}

func (r *run) modelUsage(a provider.Answer) chat.Usage {
	if len(r.candidates) == 0 {
		return a.Usage
	}
	return r.model().Price(a.Usage)
}

// blocks cuts a growing text into pieces of min to max characters, at the end of
// a paragraph, a line, a sentence or a word, and never inside a code fence.
type blocks struct {
	min, max int
	done     int // bytes that have been cut off
}

func newBlocks(minChars, maxChars int) *blocks {
	if minChars <= 0 {
		minChars = 800
	}
	if maxChars < minChars {
		maxChars = max(1200, minChars)
	}
	return &blocks{min: minChars, max: maxChars}
}

// next returns the ends, as byte offsets into text, of the blocks that are complete
// now; at the end of the message the rest is one.
func (b *blocks) next(text string, end bool) []int {
	var out []int
	for {
		cut := b.cut(text[b.done:])
		if cut == 0 {
			break
		}
		b.done += cut
		out = append(out, b.done)
	}
	if rest := strings.TrimSpace(text[b.done:]); end && rest != "" && (rest != silent || b.done > 0) {
		b.done = len(text)
		out = append(out, b.done)
	}
	return out
}

// cut returns the length in bytes of the first block of text; 0 = it is not complete.
func (b *blocks) cut(text string) int {
	low, high := runeOffset(text, b.min), runeOffset(text, b.max)
	if low < 0 {
		return 0
	}
	window := text
	if high >= 0 {
		window = text[:high]
	}
	seps := []string{"\n\n"}
	if high >= 0 { // the block is as long as it may get
		seps = append(seps, "\n", ". ", "! ", "? ", " ")
	}
	for _, sep := range seps {
		for i := strings.LastIndex(window, sep); i >= 0 && i+len(sep) >= low; i = strings.LastIndex(window[:i], sep) {
			if at := i + len(sep); strings.TrimSpace(text[:at]) != "" && !inFence(text[:at]) {
				return at
			}
		}
	}
	if high < 0 || inFence(text[:high]) {
		return 0
	}
	return high
}

// runeOffset is the byte offset after n characters; -1 = the text is not longer.
func runeOffset(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return -1
}

func inFence(text string) bool {
	open := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "```") {
			open = !open
		}
	}
	return open
}
