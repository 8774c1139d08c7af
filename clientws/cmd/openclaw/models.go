package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// modelsCmd is `openclaw models`.
type modelsCmd struct {
	List modelsListCmd `cmd:"" default:"withargs" help:"List the models that can be used."`
}

type modelsListCmd struct {
	Plain   bool `help:"Print one provider/model a line."`
	Timeout int  `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run lists the models the gateway offers; while none runs, those that the configuration names.
func (c *modelsListCmd) Run(t *tool) error {
	loaded, err := t.guarded()
	if err != nil {
		return err
	}
	var result protocol.ModelsListResult
	err = t.call(c.rpc, millis(c.Timeout), protocol.MethodModelsList, nil, &result)
	if unreachable(err) {
		t.note("gateway is not running: only what the configuration names is listed")
		result, err = configuredModels(loaded.Config)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(result)
	}
	primary := loaded.Config.Agents.Defaults.Model.Primary
	rows := make([][]string, 0, len(result.Models))
	for _, m := range result.Models {
		name := m.Provider + "/" + m.ID
		if c.Plain {
			t.print("%s", name)
			continue
		}
		size, mark := "-", ""
		if m.ContextWindow > 0 {
			size = fmt.Sprintf("%dk", m.ContextWindow/1000)
		}
		if name == primary {
			mark = "default"
		}
		rows = append(rows, []string{name, orDash(m.Name), size, orDash(strings.Join(m.Input, "+")), mark})
	}
	if !c.Plain {
		t.table([]string{"Model", "Name", "Context", "Input", ""}, rows)
	}
	return nil
}

// configuredModels are the models of models.providers, and the default one.
func configuredModels(c config.Config) (protocol.ModelsListResult, error) {
	result := protocol.ModelsListResult{Models: []protocol.ModelChoice{}}
	var section struct {
		Providers map[string]struct {
			Models []protocol.ModelChoice `json:"models"`
		} `json:"providers"`
	}
	if len(c.Models) > 0 {
		if err := json.Unmarshal(c.Models, &section); err != nil {
			return result, fmt.Errorf("read models: %w", err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(section.Providers)) {
		for _, m := range section.Providers[id].Models {
			m.Provider = id
			if m.Name == "" {
				m.Name = m.ID
			}
			result.Models = append(result.Models, m)
		}
	}
	primary := c.Agents.Defaults.Model.Primary
	if provider, id, ok := strings.Cut(primary, "/"); ok && !slices.ContainsFunc(result.Models, func(m protocol.ModelChoice) bool { return m.Provider == provider && m.ID == id }) {
		result.Models = append(result.Models, protocol.ModelChoice{ID: id, Name: id, Provider: provider})
	}
	return result, nil
}
