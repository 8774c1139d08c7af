// Package command answers slash commands and stop words, between router and lane, so
// that they work while the agent runtime is down.
//
// Set owns which words are commands and what each does. It never talks to a network
// and stores nothing: the caller puts the answer, and the state of the message that
// asked, into one transaction. Concurrency: a Set is read-only once made; Run may be
// called from any goroutine.
package command

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// stopWords end a session's runs when they are the whole message.
var stopWords = []string{"stop", "esc", "abort", "wait", "exit", "interrupt"}

// Command is a parsed command.
type Command struct {
	// Name without the slash, lower-case.
	Name string
	Args string
}

// Call is a command in its place.
type Call struct {
	Command
	SessionKey string
	AgentID    string
}

// Result is what a command did.
type Result struct {
	// Text is the answer, as Markdown.
	Text string
	// Stop says that the command ended runs; Aborted are the ids that clients know them by.
	Stop    bool
	Aborted []string
}

// Aborter ends the runs of a session and drops what waits in its lane.
type Aborter interface {
	AbortSession(ctx context.Context, sessionKey, stopReason string) []string
}

// Set is all commands.
type Set struct {
	entries []entry
	aborter Aborter
}

type entry struct {
	name, args, help string
	run              func(context.Context, Call) (Result, error)
}

// NewSet makes the commands; aborter is what /stop uses.
func NewSet(aborter Aborter) *Set {
	s := &Set{aborter: aborter}
	s.entries = []entry{
		{name: "help", help: "show the commands", run: s.help},
		{name: "commands", help: "show the commands", run: s.help},
		{name: "stop", help: "end what runs in this conversation and drop what waits", run: s.stop},
	}
	return s
}

// Parse reads a command: a known word behind a slash at the start of the message, or
// a stop word that is the whole message. Everything else is text for the model.
func (s *Set) Parse(text string) (Command, bool) {
	text = strings.TrimSpace(text)
	if slices.Contains(stopWords, strings.ToLower(text)) {
		return Command{Name: "stop"}, true
	}
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return Command{}, false
	}
	name, args, _ := strings.Cut(rest, " ")
	name, bot, addressed := strings.Cut(strings.ToLower(strings.TrimSuffix(name, ":")), "@")
	if addressed && bot == "" {
		return Command{}, false
	}
	for _, e := range s.entries {
		if e.name == name {
			return Command{Name: name, Args: strings.TrimSpace(args)}, true
		}
	}
	return Command{}, false
}

// Run does a command that Parse gave.
func (s *Set) Run(ctx context.Context, c Call) (Result, error) {
	for _, e := range s.entries {
		if e.name == c.Name {
			return e.run(ctx, c)
		}
	}
	return Result{}, fmt.Errorf("run command: there is no /%s", c.Name)
}

func (s *Set) help(context.Context, Call) (Result, error) {
	var b strings.Builder
	b.WriteString("Commands of this assistant:\n")
	for _, e := range s.entries {
		if e.name == "commands" {
			continue
		}
		fmt.Fprintf(&b, "/%s: %s\n", strings.TrimSpace(e.name+" "+e.args), e.help)
	}
	b.WriteString("Everything else is read by the model.")
	return Result{Text: b.String()}, nil
}

func (s *Set) stop(ctx context.Context, c Call) (Result, error) {
	return Result{Text: "⚙️ Agent was aborted.", Stop: true, Aborted: s.aborter.AbortSession(ctx, c.SessionKey, "stop")}, nil
}
