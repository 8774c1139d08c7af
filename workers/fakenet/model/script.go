package model

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ToolCall is one of several calls in an answer.
type ToolCall struct {
	Tool string
	Args json.RawMessage
}

// Answer is what the model says: thoughts, then text in parts, then calls of tools; or an error.
type Answer struct {
	// Status, if not 0, answers with an HTTP error.
	Status int
	Parts  []string
	// Gap between two parts; 0 = the server's.
	Gap      time.Duration
	Tool     string
	ToolArgs json.RawMessage
	// Calls are made beside Tool, in the same answer.
	Calls []ToolCall
	// Thinking, in parts, comes before all else; Anthropic's dialect signs it with Signature.
	Thinking  []string
	Signature string
	// Hidden thoughts follow it, in Anthropic's dialect alone: one opaque block.
	Hidden string
	// Refusal ends the answer, behind Parts, as one that the model declined to give, with
	// this explanation.
	Refusal string
	// Cut ends the answer for its length.
	Cut bool
}

// calls are all tool calls in order.
func (a Answer) calls() []ToolCall {
	var out []ToolCall
	if a.Tool != "" {
		out = append(out, ToolCall{Tool: a.Tool, Args: a.ToolArgs})
	}
	return append(out, a.Calls...)
}

// Say is an answer with text, word by word.
func Say(text string) Answer { return Answer{Parts: words(text)} }

// Call is an answer that calls a tool.
func Call(tool string, args any) Answer {
	raw, err := json.Marshal(args)
	if err != nil {
		panic(fmt.Sprintf("fake model: %v", err))
	}
	return Answer{Tool: tool, ToolArgs: raw}
}

var (
	sayForm   = regexp.MustCompile(`say: ([^\n]+)`)
	slowForm  = regexp.MustCompile(`slow: (\d+)`)
	toolForm  = regexp.MustCompile(`tool: (\w+) ([^\n]+)`)
	thinkForm = regexp.MustCompile(`think: ([^\n]+)`)
	refuse    = regexp.MustCompile(`\brefuse\b`)
	errorForm = regexp.MustCompile(`error: (\d{3})`)
	countForm = regexp.MustCompile(`\bcount\b`)
)

// Script chooses an answer by the last user message; the first that fits counts:
//
//	say: TEXT        TEXT
//	slow: N          N seconds of numbered parts, four a second
//	tool: read FILE  a call of the tool "read" with {"path": FILE}; "exec" gets
//	                 {"command": …}; afterwards "tool result: " and its first line
//	think: TEXT      TEXT as thoughts, then "thought"
//	refuse           the model declines
//	error: CODE      HTTP status CODE
//	count            "users=N" with the number of user messages
//
// Anything else gets "ok".
func Script(r Request) Answer {
	if result, ok := r.ToolResult(); ok {
		line, _, _ := strings.Cut(strings.TrimSpace(result), "\n")
		return Say("tool result: " + line)
	}
	text := r.LastUser()
	if m := sayForm.FindStringSubmatch(text); m != nil {
		return Say(m[1])
	}
	if m := slowForm.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		a := Answer{Gap: 250 * time.Millisecond}
		for i := range 4 * n {
			a.Parts = append(a.Parts, fmt.Sprintf("part %d ", i+1))
		}
		return a
	}
	if m := toolForm.FindStringSubmatch(text); m != nil {
		arg := strings.TrimSpace(m[2])
		if m[1] == "exec" {
			return Call("exec", map[string]string{"command": arg})
		}
		path, _, _ := strings.Cut(arg, " ")
		return Call(m[1], map[string]string{"path": path})
	}
	if m := errorForm.FindStringSubmatch(text); m != nil {
		status, _ := strconv.Atoi(m[1])
		return Answer{Status: status}
	}
	if m := thinkForm.FindStringSubmatch(text); m != nil {
		a := Say("thought")
		a.Thinking, a.Signature = words(m[1]), fmt.Sprintf("signed-%d", r.N)
		return a
	}
	if refuse.MatchString(text) {
		return Answer{Refusal: "it declines what it is asked to decline"}
	}
	if countForm.MatchString(text) {
		return Answer{Parts: []string{fmt.Sprintf("users=%d", r.Users())}}
	}
	return Answer{Parts: []string{"ok"}}
}

func words(s string) []string {
	var out []string
	for i, w := range strings.Fields(s) {
		if i > 0 {
			w = " " + w
		}
		out = append(out, w)
	}
	return out
}
