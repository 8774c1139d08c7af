package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// channelKind is what the command line knows of a channel's settings. A plugin's channel has none of it.
type channelKind struct {
	id, label string
	// keys are those that an account cannot do without.
	keys []channelKey
	// fileKey names a file with the first key's value, "" where the channel has no such key.
	fileKey string
}

// channelKey is a key of an account's block, and the flag that gives it.
type channelKey struct {
	key, flag, title, hint string
	secret                 bool
}

// channelKinds are in the order in which they are offered.
func channelKinds() []channelKind {
	return []channelKind{
		{id: "telegram", label: "Telegram", fileKey: "tokenFile", keys: []channelKey{
			{key: "botToken", flag: "--token", title: "Bot token", hint: "Write to @BotFather on Telegram, send /newbot, and copy the token.", secret: true}}},
		{id: "whatsapp", label: "WhatsApp"},
		{id: "discord", label: "Discord", keys: []channelKey{
			{key: "token", flag: "--token", title: "Bot token", hint: "From discord.com/developers: your application, Bot, Reset Token.", secret: true}}},
		{id: "mattermost", label: "Mattermost", keys: []channelKey{
			{key: "botToken", flag: "--bot-token", title: "Bot token", hint: "From your server: Integrations, Bot Accounts.", secret: true},
			{key: "baseUrl", flag: "--http-url", title: "Address of the server, for example https://chat.example.com"}}},
		{id: "slack", label: "Slack", keys: []channelKey{
			{key: "botToken", flag: "--bot-token", title: "Bot token (xoxb-…)", secret: true},
			{key: "appToken", flag: "--app-token", title: "App token (xapp-…)", secret: true}}},
	}
}

// kindOf finds a channel's kind; one that is not known is a plugin's.
func kindOf(id string) (channelKind, bool) {
	kinds := channelKinds()
	if i := slices.IndexFunc(kinds, func(k channelKind) bool { return k.id == id }); i >= 0 {
		return kinds[i], true
	}
	return channelKind{id: id, label: id}, false
}

// flags names the flags that give what an account cannot do without.
func (k channelKind) flags() string {
	var names []string
	for _, key := range k.keys {
		names = append(names, key.flag)
	}
	text := strings.Join(names, " and ")
	if k.fileKey != "" {
		text += " or --token-file"
	}
	if tokenVariable(k.id) != "" {
		text += " (or --use-env)"
	}
	return text
}

// served tells whether this installation has a program for a channel. known is false where that cannot be found out.
func (t *tool) served(channel string) (served, known bool) {
	supervisor, err := supervisorBinary()
	if err != nil {
		return false, false
	}
	beside := filepath.Dir(supervisor)
	for _, dir := range []string{beside, filepath.Join(beside, "plugins"), t.paths.PluginsDir()} {
		if info, err := os.Stat(filepath.Join(dir, "openclaw-channel-"+channel)); err == nil && !info.IsDir() {
			return true, true
		}
	}
	return false, true
}
