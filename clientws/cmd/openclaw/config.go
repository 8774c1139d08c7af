package main

import (
	"errors"
	"os"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// configCmd is `openclaw config`.
type configCmd struct {
	Get   configGetCmd   `cmd:"" help:"Print a value as it stands in the file."`
	Set   configSetCmd   `cmd:"" help:"Set a value; comments and everything else stay."`
	Unset configUnsetCmd `cmd:"" help:"Remove a key."`
	File  configFileCmd  `cmd:"" help:"Print where the file is."`
}

type configFileCmd struct{}

// Run prints the path.
func (configFileCmd) Run(t *tool) error {
	t.print("%s", t.paths.ConfigFile)
	return nil
}

type configGetCmd struct {
	Path string `arg:"" help:"Key, for example gateway.port or agents.list[0].id."`
	JSON bool   `help:"Print JSON."`
}

// Run prints the value: scalars bare, anything else as JSON with its secrets hidden.
func (c *configGetCmd) Run(t *tool) error {
	path, err := parsePath(c.Path)
	if err != nil {
		return err
	}
	loaded, err := t.guarded()
	if err != nil {
		return err
	}
	doc, err := json5.NewDocument(loaded.Raw)
	if err != nil {
		return err
	}
	value, ok := doc.Get(path)
	if !ok {
		return fail("list what there is: "+t.program+" config get '' --json", "Config path not found: %s", c.Path)
	}
	if text, ok := value.(string); ok && !c.JSON {
		t.print("%s", text)
		return nil
	}
	switch value.(type) {
	case map[string]any, []any:
		// Hide secrets as seen from the root, where the schema knows them.
		shown := config.Redact(doc.Value(), nil)
		normal, err := json5.Render(shown)
		if err != nil {
			return err
		}
		if doc, err = json5.NewDocument(normal); err != nil {
			return err
		}
		value, _ = doc.Get(path)
	}
	return t.json(value)
}

type configSetCmd struct {
	Path  string `arg:"" help:"Key, for example gateway.port."`
	Value string `arg:"" help:"Value: JSON5, else taken as text."`
	JSON  bool   `help:"The value must be JSON5; text is not taken as it is."`
}

// Run writes the value.
func (c *configSetCmd) Run(t *tool) error {
	path, err := parsePath(c.Path)
	if err != nil {
		return err
	}
	if len(path) == 0 {
		return fail("name a key: gateway.port", "the whole file cannot be set at once")
	}
	var value any = c.Value
	doc, err := json5.Parse([]byte(c.Value))
	switch {
	case err == nil:
		value = doc.Value()
	case c.JSON:
		return fail("quote text: '\"text\"'", "the value is no JSON5: %v", err)
	}
	if err := t.edit(func(doc *json5.Document) error { return doc.Set(path, value) }, true); err != nil {
		return err
	}
	t.print("Updated %s. A running gateway takes it over, and says so where a restart is needed.", c.Path)
	return nil
}

type configUnsetCmd struct {
	Path string `arg:"" help:"Key, for example gateway.port."`
}

// Run removes the key.
func (c *configUnsetCmd) Run(t *tool) error {
	path, err := parsePath(c.Path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(t.paths.ConfigFile); errors.Is(err, os.ErrNotExist) {
		return fail("", "Config path not found: %s", c.Path)
	}
	notThere := fail("list what there is: "+t.program+" config get '' --json", "Config path not found: %s", c.Path)
	err = t.edit(func(doc *json5.Document) error {
		was, err := doc.Unset(path)
		if err == nil && !was {
			return notThere
		}
		return err
	}, true)
	if err != nil {
		return err
	}
	t.print("Removed %s. A running gateway takes it over, and says so where a restart is needed.", c.Path)
	return nil
}

// edit changes the file. confirmed: the operator named the very key, so dropping much is meant.
func (t *tool) edit(apply func(*json5.Document) error, confirmed bool) error {
	workDir, _ := os.Getwd()
	opts := config.Options{Paths: t.paths, Environ: t.env, WorkDir: workDir}
	_, err := config.Edit(t.ctx, opts, config.Change{Apply: apply, Version: t.build.version, Now: time.Now(), AllowShrink: confirmed})
	var invalid *config.InvalidError
	if errors.As(err, &invalid) {
		return fail("nothing was written; correct the value, or run: "+t.program+" doctor --fix", "%v", err)
	}
	return err
}

func parsePath(text string) (json5.Path, error) {
	path, err := json5.ParsePath(text)
	if err != nil {
		return nil, fail(`write it like agents.list[0].id or channels.telegram.groups["-100"]`, "%v", err)
	}
	return path, nil
}
