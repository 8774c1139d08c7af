package main

import (
	"errors"
	"fmt"
	"net/url"
)

// chooseModel offers the keys of the environment and the servers of this machine before it asks for a key.
func (w *wizard) chooseModel() (err error) {
	if told, err := w.flags.model(w.tool, w.loaded); err != nil || told.choice != authSkip || w.flags.AuthChoice == authSkip {
		w.plan.model = told
		return err
	}
	w.plan.model = modelPlan{choice: authSkip}
	named := w.loaded.Config.Agents.Defaults.Model.Primary
	if w.keep && hasModel(w.loaded) {
		return nil
	}
	var options []option
	if named != "" && !w.plan.reset {
		options = append(options, option{"keep", "Keep " + named})
	}
	for _, a := range authChoices() {
		if w.loaded.Environ.Get(a.variable) != "" {
			options = append(options, option{a.id, a.label + ", with the key in " + a.variable})
		}
	}
	found := map[string][]string{}
	for _, server := range localServers() {
		if models, err := modelsAt(w.ctx, server.baseURL, ""); err == nil && len(models) > 0 {
			found[server.provider] = models
			options = append(options, option{server.provider, fmt.Sprintf("%s (%d models)", server.label, len(models))})
		}
	}
	for _, a := range authChoices() {
		if w.loaded.Environ.Get(a.variable) == "" {
			options = append(options, option{a.id, a.label + ", with a key"})
		}
	}
	options = append(options, option{authCustom, "Another OpenAI-compatible server"}, option{authSkip, "Later: the built-in demo answers until then"})
	choice, err := w.choose(w.ctx, "Which model shall answer?", options, options[0].value)
	if err != nil || choice == "keep" || choice == authSkip {
		return err
	}
	if known, ok := choiceOf(choice); ok {
		w.plan.model.choice = choice
		if w.loaded.Environ.Get(known.variable) == "" {
			w.plan.model.key, err = w.ask(w.ctx, question{title: known.label + " key", secret: true, check: oneWord})
		}
		return err
	}
	for _, server := range localServers() {
		if server.provider == choice {
			return w.serverModel(modelPlan{choice: authCustom, provider: server.provider, baseURL: server.baseURL}, found[choice])
		}
	}
	return w.customServer()
}

func (w *wizard) customServer() (err error) {
	plan := modelPlan{choice: authCustom, provider: authCustom}
	if plan.baseURL, err = w.ask(w.ctx, question{title: "Address of the server", hint: "With its /v1, for example http://127.0.0.1:8080/v1", check: serverAddress}); err != nil {
		return err
	}
	if plan.key, err = w.ask(w.ctx, question{title: "Its key", hint: "Leave it empty if there is none.", secret: true, optional: true}); err != nil {
		return err
	}
	models, err := modelsAt(w.ctx, plan.baseURL, plan.key)
	if err != nil {
		w.note("Its models cannot be listed now: %v", err)
	}
	return w.serverModel(plan, models)
}

// maxListed is how many models are shown to choose from; more are asked for by name.
const maxListed = 30

func (w *wizard) serverModel(plan modelPlan, models []string) (err error) {
	if len(models) == 0 || len(models) > maxListed {
		plan.model, err = w.ask(w.ctx, question{title: "Model there", check: oneWord})
	} else {
		options := make([]option, len(models))
		for i, id := range models {
			options[i] = option{id, id}
		}
		plan.model, err = w.choose(w.ctx, "Which of its models?", options, models[0])
	}
	w.plan.model = plan
	return err
}

func serverAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("use http://host:port/v1 or https://host/v1")
	}
	return nil
}
