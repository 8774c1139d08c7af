package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
)

// authChoice is a way to reach a model: a provider and the variable that holds its key.
type authChoice struct {
	id, label, variable, model string
}

const (
	authSkip   = "skip"
	authCustom = "custom"
)

// authChoices are in the order in which a key makes one the default.
func authChoices() []authChoice {
	return []authChoice{
		{"apiKey", "Anthropic", "ANTHROPIC_API_KEY", "anthropic/claude-opus-4-6"},
		{"openai-api-key", "OpenAI", "OPENAI_API_KEY", "openai/gpt-5.2"},
		{"openrouter-api-key", "OpenRouter", "OPENROUTER_API_KEY", "openrouter/openrouter/auto"},
	}
}

func choiceOf(id string) (authChoice, bool) {
	choices := authChoices()
	if i := slices.IndexFunc(choices, func(a authChoice) bool { return a.id == id }); i >= 0 {
		return choices[i], true
	}
	return authChoice{}, false
}

// modelPlan is how the agent gets its model.
type modelPlan struct {
	// choice is an authChoice's id, authCustom or authSkip.
	choice string
	// key is stored; an empty one is in the environment already.
	key string
	// provider, baseURL and model are those of an OpenAI-compatible server.
	provider, baseURL, model string
}

// write puts the key where the supervisor finds it, and names the model.
func (m modelPlan) write(e *editor) {
	if choice, ok := choiceOf(m.choice); ok {
		if m.key != "" {
			e.set(m.key, "env", "vars", choice.variable)
		}
		e.set(choice.model, modelPath(e)...)
		return
	}
	if m.choice != authCustom {
		return
	}
	key := m.key
	if key == "" {
		key = "none"
	}
	at := []string{"models", "providers", m.provider}
	below := func(name string) []string { return append(slices.Clone(at), name) }
	e.set(m.baseURL, below("baseUrl")...)
	e.set(key, below("apiKey")...)
	e.set("openai-completions", below("api")...)
	models, _ := e.get(below("models")...)
	list, _ := models.([]any)
	if !slices.ContainsFunc(list, func(entry any) bool {
		known, _ := entry.(map[string]any)
		return known["id"] == m.model
	}) {
		e.set(append(list, map[string]any{"id": m.model, "name": m.model}), below("models")...)
	}
	e.set(m.provider+"/"+m.model, modelPath(e)...)
}

// modelPath is the key of the default model, which may have fallbacks beside it.
func modelPath(e *editor) []string {
	path := []string{"agents", "defaults", "model"}
	if value, _ := e.get(path...); value != nil {
		if _, plain := value.(string); plain {
			return path
		}
	}
	return append(path, "primary")
}

// ref is the model that the plan leads to, "" for none.
func (m modelPlan) ref() string {
	if choice, ok := choiceOf(m.choice); ok {
		return choice.model
	}
	if m.choice == authCustom {
		return m.provider + "/" + m.model
	}
	return ""
}

// localServer is a model server that usually runs on the machine itself.
type localServer struct{ provider, label, baseURL string }

func localServers() []localServer {
	return []localServer{
		{"ollama", "Ollama on this machine", "http://127.0.0.1:11434/v1"},
		{"lmstudio", "LM Studio on this machine", "http://127.0.0.1:1234/v1"},
	}
}

// modelsAt lists the models of an OpenAI-compatible server. One that does not answer within a second is not there.
func modelsAt(ctx context.Context, baseURL, key string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(baseURL, "/")+"/models", nil)
	if err != nil {
		return nil, err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", baseURL, response.Status)
	}
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 4<<20)).Decode(&list); err != nil {
		return nil, fmt.Errorf("%s answers no list of models: %w", baseURL, err)
	}
	var ids []string
	for _, model := range list.Data {
		if model.ID != "" {
			ids = append(ids, model.ID)
		}
	}
	return ids, nil
}

// hasModel tells whether the configuration names a model already.
func hasModel(loaded *config.Loaded) bool { return loaded.Config.Agents.Defaults.Model.Primary != "" }
