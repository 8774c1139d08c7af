package tool

import (
	"path"
	"slices"
	"strings"
)

// Policy is one step of the filter chain; steps can only take away. Names may hold
// `*`, stand for a group ("group:fs") or be aliases ("bash"); case does not matter.
type Policy struct {
	// Profile is "", "minimal", "coding", "messaging" or "full".
	Profile string
	// Allow is what may be used; empty = everything.
	Allow []string
	// AlsoAllow adds to Profile and Allow.
	AlsoAllow []string
	// Deny wins over all.
	Deny []string
}

func (p Policy) allows(name string, known []string) bool {
	if matches(p.Deny, name) {
		return false
	}
	if matches(p.AlsoAllow, name) {
		return true
	}
	if list, limited := profile(p.Profile); limited && !matches(list, name) {
		return false
	}
	// A list that names nothing we have would leave a run without any tool: it is
	// meant for others.
	if len(p.Allow) == 0 || !slices.ContainsFunc(known, func(k string) bool { return matches(p.Allow, k) }) {
		return true
	}
	return matches(p.Allow, name)
}

func profile(name string) (list []string, limited bool) {
	switch strings.ToLower(name) {
	case "minimal":
		return []string{"session_status"}, true
	case "coding":
		return []string{"group:fs", "group:runtime", "group:sessions", "group:memory", "image"}, true
	case "messaging":
		return []string{"group:messaging", "sessions_list", "sessions_history", "sessions_send", "session_status"}, true
	}
	return nil, false
}

func group(name string) []string {
	switch name {
	case "group:fs":
		return []string{"read", "write", "edit", "apply_patch"}
	case "group:runtime":
		return []string{"exec", "process"}
	case "group:sessions":
		return []string{"sessions_list", "sessions_history", "sessions_send", "sessions_spawn", "session_status"}
	case "group:memory":
		return []string{"memory_search", "memory_get"}
	case "group:web":
		return []string{"web_search", "web_fetch"}
	case "group:ui":
		return []string{"browser", "canvas"}
	case "group:automation":
		return []string{"cron", "gateway"}
	case "group:messaging":
		return []string{"message"}
	case "group:nodes":
		return []string{"nodes"}
	}
	return nil
}

func matches(list []string, name string) bool {
	for _, pattern := range list {
		pattern = strings.ToLower(strings.TrimSpace(pattern))
		switch pattern {
		case "bash":
			pattern = "exec"
		case "apply-patch":
			pattern = "apply_patch"
		}
		if slices.Contains(group(pattern), name) {
			return true
		}
		if ok, err := path.Match(pattern, name); err == nil && ok {
			return true
		}
	}
	return false
}
