package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// errCancelled: the person at the prompt does not want to go on. It is no failure.
var errCancelled = errors.New("cancelled")

// option is one of the answers to choose from.
type option struct{ value, label string }

// question is asked for a line of text.
type question struct {
	title, hint, preset string
	// secret is not shown while it is typed; optional may be left empty.
	secret, optional bool
	// check says what is wrong with an answer, nil for nothing.
	check func(string) error
}

// accept checks an answer, an empty one standing for the preset, and gives it trimmed.
func (q question) accept(answer string) (string, error) {
	answer = strings.TrimSpace(answer)
	if answer == "" {
		answer = q.preset
	}
	switch {
	case answer == "" && q.optional:
		return "", nil
	case answer == "":
		return "", errors.New("an answer is needed")
	case q.check != nil:
		return answer, q.check(answer)
	}
	return answer, nil
}

// prompter asks the person at the terminal. Its errors are errCancelled, or that nobody answers.
type prompter interface {
	confirm(ctx context.Context, title string, preset bool) (bool, error)
	choose(ctx context.Context, title string, options []option, preset string) (string, error)
	ask(ctx context.Context, q question) (string, error)
}

// prompter is a form on a terminal that can show one, else a plain question and a line read from the input.
func (t *tool) prompter() prompter {
	in, inIsFile := t.in.(*os.File)
	out, outIsFile := t.err.(*os.File)
	terminal := inIsFile && outIsFile && isTerminal(in) && isTerminal(out)
	if kind := t.env.Get("TERM"); terminal && kind != "" && kind != "dumb" && t.env.Get("ACCESSIBLE") == "" {
		return &forms{in: in, out: out, color: t.color}
	}
	return &lines{in: t.in, out: t.err, reader: bufio.NewReader(t.in), program: t.program}
}

// lines asks in plain text, one question a line: for pipes, plain terminals and screen readers.
type lines struct {
	in      io.Reader
	out     io.Writer
	reader  *bufio.Reader
	program string
}

func (l *lines) confirm(ctx context.Context, title string, preset bool) (bool, error) {
	choice := "y/N"
	if preset {
		choice = "Y/n"
	}
	for {
		_, _ = fmt.Fprintf(l.out, "%s [%s] ", title, choice)
		answer, err := l.line(ctx, title, false)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "":
			return preset, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		_, _ = fmt.Fprintln(l.out, "Answer y or n.")
	}
}

func (l *lines) choose(ctx context.Context, title string, options []option, preset string) (string, error) {
	_, _ = fmt.Fprintln(l.out, title)
	chosen := "1"
	for i, o := range options {
		_, _ = fmt.Fprintf(l.out, "  %d) %s\n", i+1, o.label)
		if o.value == preset {
			chosen = strconv.Itoa(i + 1)
		}
	}
	for {
		_, _ = fmt.Fprintf(l.out, "Number [%s] ", chosen)
		answer, err := l.line(ctx, title, false)
		if err != nil {
			return "", err
		}
		if answer == "" {
			answer = chosen
		}
		for i, o := range options {
			if answer == o.value || answer == strconv.Itoa(i+1) {
				return o.value, nil
			}
		}
		_, _ = fmt.Fprintf(l.out, "Answer a number from 1 to %d.\n", len(options))
	}
}

func (l *lines) ask(ctx context.Context, q question) (string, error) {
	if q.hint != "" {
		_, _ = fmt.Fprintln(l.out, q.hint)
	}
	for {
		_, _ = fmt.Fprint(l.out, q.title)
		if q.preset != "" && !q.secret {
			_, _ = fmt.Fprintf(l.out, " [%s]", q.preset)
		}
		_, _ = fmt.Fprint(l.out, ": ")
		answer, err := l.line(ctx, q.title, q.secret)
		if err != nil {
			return "", err
		}
		if answer, err = q.accept(answer); err == nil {
			return answer, nil
		}
		_, _ = fmt.Fprintf(l.out, "%v\n", err)
	}
}

// line reads one line. A read of a terminal cannot be called off: when ctx ends it is left behind, and the program ends.
func (l *lines) line(ctx context.Context, title string, secret bool) (string, error) {
	type read struct {
		text string
		err  error
	}
	got := make(chan read, 1)
	go func() {
		text, err := l.read(secret)
		got <- read{text, err}
	}()
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(l.out)
		return "", errCancelled
	case r := <-got:
		if r.err != nil && r.text == "" {
			_, _ = fmt.Fprintln(l.out)
			return "", fail("run it in a terminal, or with flags: "+l.program+" --help", "nobody answers: %s", strings.TrimSuffix(title, "?"))
		}
		return strings.TrimSpace(r.text), nil
	}
}

func (l *lines) read(secret bool) (string, error) {
	if in, ok := l.in.(*os.File); ok && secret && isTerminal(in) {
		text, err := term.ReadPassword(int(in.Fd()))
		_, _ = fmt.Fprintln(l.out)
		return string(text), err
	}
	return l.reader.ReadString('\n')
}
