package settings

// KnownProvider reports whether the built-in catalogue has an address for id, so
// that a config entry for it needs none.
func KnownProvider(id string) bool {
	switch id {
	case "anthropic", "openai", "openrouter", "groq", "xai", "cerebras", "mistral", "ollama":
		return true
	}
	return false
}
