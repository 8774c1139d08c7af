package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// move is a key that was renamed.
type move struct{ from, to string }

func moves() []move {
	var list []move
	for _, channel := range []string{"whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams"} {
		list = append(list, move{channel, "channels." + channel})
	}
	return append(list,
		move{"gateway.token", "gateway.auth.token"},
		move{"tools.bash", "tools.exec"},
		move{"routing.allowFrom", "channels.whatsapp.allowFrom"},
		move{"routing.groupChat.mentionPatterns", "messages.groupChat.mentionPatterns"},
		move{"routing.groupChat.historyLimit", "messages.groupChat.historyLimit"},
		move{"routing.queue", "messages.queue"},
		move{"routing.bindings", "bindings"},
		move{"routing.agentToAgent", "tools.agentToAgent"},
	)
}

// refused are keys of old versions that cannot be read as anything today without guessing.
func refused() map[string]string {
	return map[string]string{
		"agent":    "its keys are now under agents.defaults and tools",
		"identity": "it is now agents.list[].identity",
		"routing":  "its keys are now under channels, messages, bindings, agents and tools",
	}
}

// migrated is a tree with the old keys read as the new ones.
type migrated struct {
	// moved are the moves that took place, the longest target first: for finding the place of a key in the file.
	moved    []move
	warnings []finding
	findings []finding
}

// migrate reads legacy keys as what they are called today. It changes the tree it is given; the file is never touched.
func migrate(tree map[string]any) migrated {
	var m migrated
	for _, mv := range moves() {
		from, to := dotted(mv.from), dotted(mv.to)
		value, ok := lookup(tree, from)
		if !ok {
			continue
		}
		drop(tree, from)
		if old, ok := lookup(tree, to); ok {
			value = prefer(old, value)
		}
		put(tree, to, value)
		m.moved = append(m.moved, mv)
		m.warnings = append(m.warnings, finding{path: from, atKey: true,
			message: fmt.Sprintf("%s is now %s and is read as that", mv.from, mv.to), remedy: "write it there"})
	}
	if section, ok := lookup(tree, dotted("messages.tts")); ok {
		m.ttsEnabled(section)
	}
	m.accountID(tree)
	if _, ok := tree["bridge"]; ok {
		delete(tree, "bridge")
		m.warnings = append(m.warnings, finding{path: json5.Path{"bridge"}, atKey: true, message: "bridge no longer exists and is ignored", remedy: "remove it"})
	}
	if routing, ok := tree["routing"].(map[string]any); ok && len(routing) == 0 {
		delete(tree, "routing")
	}
	old := refused()
	for _, key := range slices.Sorted(maps.Keys(old)) {
		if _, ok := tree[key]; ok {
			delete(tree, key)
			m.findings = append(m.findings, finding{path: json5.Path{key}, atKey: true, message: "the key " + key + " is of an older version", remedy: old[key]})
		}
	}
	return m
}

func (m *migrated) ttsEnabled(section any) {
	tts, ok := section.(map[string]any)
	if !ok {
		return
	}
	enabled, ok := tts["enabled"].(bool)
	if _, has := tts["auto"]; !ok || has {
		return
	}
	tts["auto"] = "off"
	if enabled {
		tts["auto"] = "always"
	}
	delete(tts, "enabled")
	m.warnings = append(m.warnings, finding{path: dotted("messages.tts.enabled"), atKey: true, message: "messages.tts.enabled is now messages.tts.auto and is read as that", remedy: "write it there"})
}

func (m *migrated) accountID(tree map[string]any) {
	bindings, _ := tree["bindings"].([]any)
	for i, item := range bindings {
		binding, _ := item.(map[string]any)
		match, _ := binding["match"].(map[string]any)
		old, ok := match["accountID"]
		if !ok {
			continue
		}
		delete(match, "accountID")
		if _, has := match["accountId"]; !has {
			match["accountId"] = old
		}
		path := json5.Path{"bindings", fmt.Sprint(i), "match", "accountID"}
		m.warnings = append(m.warnings, finding{path: path, atKey: true, message: "match.accountID is now match.accountId and is read as that", remedy: "rename it"})
	}
}

// original gives the path that a migrated path had in the file.
func (m *migrated) original(path json5.Path) json5.Path {
	for _, mv := range m.moved {
		to := dotted(mv.to)
		if len(path) >= len(to) && path[:len(to)].String() == to.String() {
			return append(dotted(mv.from), path[len(to):]...)
		}
	}
	return path
}

func dotted(path string) json5.Path { return strings.Split(path, ".") }

// prefer lays what is written under the new name over what is written under the old one.
func prefer(newer, older any) any {
	n, okN := newer.(map[string]any)
	o, okO := older.(map[string]any)
	if !okN || !okO {
		return newer
	}
	for key, value := range o {
		if have, ok := n[key]; ok {
			value = prefer(have, value)
		}
		n[key] = value
	}
	return n
}

func lookup(tree map[string]any, path json5.Path) (any, bool) {
	var at any = tree
	for _, step := range path {
		object, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at, ok = object[step]; !ok {
			return nil, false
		}
	}
	return at, true
}

func put(tree map[string]any, path json5.Path, value any) {
	at := tree
	for _, step := range path[:len(path)-1] {
		next, ok := at[step].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[step] = next
		}
		at = next
	}
	at[path[len(path)-1]] = value
}

// drop removes a key, and the objects above it that it leaves empty, but for a section of today.
func drop(tree map[string]any, path json5.Path) {
	at := tree
	for _, step := range path[:len(path)-1] {
		next, ok := at[step].(map[string]any)
		if !ok {
			return
		}
		at = next
	}
	delete(at, path[len(path)-1])
	if len(at) == 0 && len(path) > 1 && path[0] == "routing" {
		drop(tree, path[:len(path)-1])
	}
}
