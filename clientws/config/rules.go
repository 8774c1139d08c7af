package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// crossRules checks what no schema can say: keys that depend on each other.
func (c *checker) crossRules(tree map[string]any) {
	channels, _ := tree["channels"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(channels)) {
		block, ok := channels[id].(map[string]any)
		if !ok || id == "defaults" {
			continue
		}
		at := json5.Path{"channels", id}
		c.channel(id, at, block, block)
		accounts, _ := block["accounts"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(accounts)) {
			if account, ok := accounts[name].(map[string]any); ok {
				c.channel(id, at.Join("accounts").Join(name), account, overlay(block, account))
			}
		}
	}
	c.toolScope(json5.Path{"tools"}, tree["tools"])
	c.agents(tree)
	if hooks, ok := tree["hooks"].(map[string]any); ok && hooks["enabled"] == true {
		if token, _ := hooks["token"].(string); token == "" {
			c.add(json5.Path{"hooks"}, "set hooks.token", "hooks.enabled needs a token")
		}
		if hooks["path"] == "/" {
			c.add(json5.Path{"hooks", "path"}, "use /hooks", "the path may not be /")
		}
	}
}

// overlay is an account's block over its channel's.
func overlay(block, account map[string]any) map[string]any {
	merged := maps.Clone(block)
	delete(merged, "accounts")
	maps.Copy(merged, account)
	return merged
}

// channel checks one block; own is what it says itself, whole is that with what it has from its channel.
func (c *checker) channel(id string, at json5.Path, own, whole map[string]any) {
	if own["dmPolicy"] == "open" && !hasStar(whole["allowFrom"]) {
		c.add(at.Join("dmPolicy"), `add allowFrom: ["*"], or choose pairing`, `"open" lets everybody write to the agent and needs "*" in allowFrom`)
	}
	if dm, ok := own["dm"].(map[string]any); ok && dm["policy"] == "open" && !hasStar(dm["allowFrom"]) {
		c.add(at.Join("dm").Join("policy"), `add allowFrom: ["*"] beside it, or choose pairing`, `"open" lets everybody write to the agent and needs "*" in dm.allowFrom`)
	}
	set := func(key string) bool { text, _ := whole[key].(string); return text != "" }
	if _, own := own["webhookUrl"]; own && id == "telegram" && !set("webhookSecret") {
		c.add(at.Join("webhookUrl"), "set webhookSecret", "webhookUrl needs a webhookSecret")
	}
	if id == "slack" && own["mode"] == "http" && !set("signingSecret") {
		c.add(at.Join("mode"), "set signingSecret", "mode http needs a signingSecret")
	}
}

func hasStar(list any) bool {
	items, _ := list.([]any)
	return slices.Contains(items, any("*"))
}

func (c *checker) toolScope(at json5.Path, section any) {
	tools, ok := section.(map[string]any)
	if !ok {
		return
	}
	_, allow := tools["allow"]
	_, also := tools["alsoAllow"]
	if allow && also {
		c.add(at.Join("alsoAllow"), "keep one of them", "allow and alsoAllow cannot both be set: allow replaces the profile, alsoAllow adds to it")
	}
}

func (c *checker) agents(tree map[string]any) {
	section, _ := tree["agents"].(map[string]any)
	list, _ := section["list"].([]any)
	ids, dirs := map[string]int{}, map[string]int{}
	for i, item := range list {
		agent, ok := item.(map[string]any)
		if !ok {
			continue
		}
		at := json5.Path{"agents", "list", strconv.Itoa(i)}
		c.toolScope(at.Join("tools"), agent["tools"])
		c.once(at, "id", agent, ids)
		c.once(at, "agentDir", agent, dirs)
	}
	if len(list) == 0 {
		ids["main"] = 0
	}
	broadcast, _ := tree["broadcast"].(map[string]any)
	for _, peer := range slices.Sorted(maps.Keys(broadcast)) {
		targets, _ := broadcast[peer].([]any)
		for i, target := range targets {
			if id, ok := target.(string); ok {
				if _, known := ids[id]; !known {
					c.add(json5.Path{"broadcast", peer, strconv.Itoa(i)}, "name an agent of agents.list", "there is no agent %q", id)
				}
			}
		}
	}
}

func (c *checker) once(at json5.Path, key string, agent map[string]any, seen map[string]int) {
	value, _ := agent[key].(string)
	if value == "" {
		return
	}
	if first, again := seen[value]; again {
		c.add(at.Join(key), "", "%q is already the %s of agents.list[%d]", value, key, first)
		return
	}
	seen[value] = len(seen)
}

// hints gathers what is allowed but probably not meant.
func hints(tree map[string]any) []finding {
	var out []finding
	channels, _ := tree["channels"].(map[string]any)
	known := slices.Collect(maps.Keys(loadSchema().Properties["channels"].Properties))
	for _, id := range slices.Sorted(maps.Keys(channels)) {
		if slices.Contains(known, id) {
			continue
		}
		remedy := fmt.Sprintf("it is used once a plugin openclaw-channel-%s is there", id)
		if near := Nearest(id, known); near != "" {
			remedy = fmt.Sprintf("did you mean %q? %s", near, remedy)
		}
		out = append(out, finding{path: json5.Path{"channels", id}, atKey: true, message: fmt.Sprintf("%q is no bundled channel", id), remedy: remedy})
	}
	if gateway, ok := tree["gateway"].(map[string]any); ok {
		remote, _ := gateway["remote"].(map[string]any)
		auth, _ := gateway["auth"].(map[string]any)
		if remote["token"] != nil && auth["token"] == nil && gateway["mode"] != "remote" {
			out = append(out, finding{path: dotted("gateway.remote.token"), message: "gateway.remote.token is what a client sends; it does not protect this gateway", remedy: "set gateway.auth.token for that"})
		}
	}
	return out
}
