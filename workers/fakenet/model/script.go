package model

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Answer is what the model says: text in parts, or a call of a tool, or an error.
type Answer struct {
	// Status, if not 0, answers with an HTTP error.
	Status int
	Parts  []string
	// Gap between two parts; 0 = the server's.
	Gap      time.Duration
	Tool     string
	ToolArgs json.RawMessage
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
	errorForm = regexp.MustCompile(`error: (\d{3})`)
	countForm = regexp.MustCompile(`\bcount\b`)
)

// Script chooses an answer by the last user message; the first that fits counts:
//
//	say: TEXT        TEXT
//	slow: N          N seconds of numbered parts, four a second
//	tool: read FILE  a call of the tool "read" with {"path": FILE}; "exec" gets
//	                 {"command": …}; afterwards "tool result: " and its first line
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
