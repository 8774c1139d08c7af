package main

import (
	"context"
	"errors"
	"os"

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

func (f *forms) run(ctx context.Context, field huh.Field) error {
	form := huh.NewForm(huh.NewGroup(field)).WithInput(f.in).WithOutput(f.out).WithShowHelp(true)
	if !f.color {
		form.WithTheme(huh.ThemeFunc(huh.ThemeBase))
	}
	err := form.RunWithContext(ctx)
	if errors.Is(err, huh.ErrUserAborted) || ctx.Err() != nil {
		return errCancelled
	}
	return err
}
