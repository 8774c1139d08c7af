package main

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"charm.land/huh/v2"
)

// forms asks with fields that are drawn on a terminal.
type forms struct {
	in, out *os.File
	color   bool
}

func (f *forms) confirm(ctx context.Context, title string, preset bool) (bool, error) {
	err := f.run(ctx, huh.NewConfirm().Title(title).Value(&preset))
	return preset, err
}

func (f *forms) choose(ctx context.Context, title string, options []option, preset string) (string, error) {
	list := make([]huh.Option[string], len(options))
	for i, o := range options {
		list[i] = huh.NewOption(o.label, o.value)
	}
	err := f.run(ctx, huh.NewSelect[string]().Title(title).Options(list...).Value(&preset))
	return preset, err
}

func (f *forms) ask(ctx context.Context, q question) (string, error) {
	var answer string
	field := huh.NewInput().Title(q.title).Description(q.hint).Value(&answer).Validate(func(text string) error {
		_, err := q.accept(text)
		return err
	})
	if q.secret {
		field.EchoMode(huh.EchoModePassword)
	} else {
		field.Placeholder(q.preset)
	}
	if err := f.run(ctx, field); err != nil {
		return "", err
	}
	return q.accept(answer)
}

// formKeys is the terminal as one form reads it. A form that has ended may still wait for a key; once that comes it is
// turned away here, and the key is left for the form that is shown now.
type formKeys struct {
	*os.File
	over atomic.Bool
}

// Read reads for as long as the form is shown.
func (k *formKeys) Read(data []byte) (int, error) {
	if k.over.Load() {
		return 0, io.EOF
	}
	return k.File.Read(data)
}

func (f *forms) run(ctx context.Context, field huh.Field) error {
	keys := &formKeys{File: f.in}
	defer keys.over.Store(true)
	form := huh.NewForm(huh.NewGroup(field)).WithInput(keys).WithOutput(f.out).WithShowHelp(true)
	if !f.color {
		form.WithTheme(huh.ThemeFunc(huh.ThemeBase))
	}
	err := form.RunWithContext(ctx)
	if errors.Is(err, huh.ErrUserAborted) || ctx.Err() != nil {
		return errCancelled
	}
	return err
}
