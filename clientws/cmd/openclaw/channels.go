package main

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// channelsCmd is `openclaw channels`.
type channelsCmd struct {
	Status channelsStatusCmd `cmd:"" default:"withargs" help:"Show the state of each account."`
	List   channelsListCmd   `cmd:"" help:"List the configured channels and accounts."`
	Add    channelsAddCmd    `cmd:"" help:"Add an account, or change one; asks where no flags are given."`
	Remove channelsRemoveCmd `cmd:"" help:"Turn an account off, or delete it."`
}

type channelsStatusCmd struct {
	Probe   bool `help:"Ask the networks themselves."`
	Timeout int  `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run prints the state of each account; while no gateway runs, what is configured.
func (c *channelsStatusCmd) Run(t *tool) error {
	loaded, err := t.guarded()
	if err != nil {
		return err
	}
	timeout := int64(c.Timeout)
	var result protocol.ChannelsStatusResult
	err = t.call(c.rpc, millis(c.Timeout), protocol.MethodChannelsStatus, protocol.ChannelsStatusParams{Probe: c.Probe, TimeoutMS: &timeout}, &result)
	if unreachable(err) && !c.JSON {
		t.note("gateway is not running; this is what is configured. Start it: %s gateway", t.program)
		return t.listChannels(loaded)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(result)
	}
	if len(result.ChannelOrder) == 0 {
		t.print("No channels are configured.")
		return nil
	}
	var rows [][]string
	for _, id := range result.ChannelOrder {
		label := result.ChannelLabels[id]
		if label == "" {
			label = id
		}
		for _, a := range result.ChannelAccounts[id] {
			rows = append(rows, []string{label, a.AccountID, t.paintState(accountState(a)), accountDetail(a)})
		}
	}
	t.table([]string{"Channel", "Account", "State", "Detail"}, rows)
	return nil
}

func accountState(a protocol.ChannelAccountSnapshot) string {
	is := func(b *bool) bool { return b != nil && *b }
	switch {
	case a.State != nil && a.State.Phase != "":
		return a.State.Phase
	case a.Enabled != nil && !*a.Enabled:
		return "off"
	case is(a.Connected):
		return "connected"
	case is(a.Running):
		return "running"
	case a.Configured != nil && !*a.Configured:
		return "not configured"
	}
	return "stopped"
}

func accountDetail(a protocol.ChannelAccountSnapshot) string {
	switch {
	case a.State != nil && a.State.Text != "" && a.State.Action != "":
		return a.State.Text + " → " + a.State.Action
	case a.State != nil && a.State.Text != "":
		return a.State.Text
	case a.LastError != "":
		return a.LastError
	case a.TokenSource != "":
		return "token: " + a.TokenSource
	}
	return "-"
}

type channelsListCmd struct {
	NoUsage bool `help:"Accepted for compatibility; usage is not shown."`
	JSON    bool `help:"Print one JSON document."`
}

// Run lists what the configuration holds.
func (c *channelsListCmd) Run(t *tool) error {
	loaded, err := t.guarded()
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(map[string]any{"channels": configuredChannels(loaded)})
	}
	return t.listChannels(loaded)
}

func (t *tool) listChannels(loaded *config.Loaded) error {
	list := configuredChannels(loaded)
	if len(list) == 0 {
		t.print("No channels are configured.")
		return nil
	}
	rows := make([][]string, len(list))
	for i, a := range list {
		state := "ON"
		if !a.Enabled {
			state = "OFF"
		}
		rows[i] = []string{a.Channel, a.Account, t.paintState(state), orDash(a.Token)}
	}
	t.table([]string{"Channel", "Account", "Enabled", "Token"}, rows)
	return nil
}

// configuredAccount is an account as the file names it.
type configuredAccount struct {
	Channel string `json:"channel"`
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	Enabled bool   `json:"enabled"`
	// Token is where its token is: config, tokenFile, env, or "" where none is found.
	Token string `json:"tokenSource,omitempty"`
}

type accountBlock struct {
	Name      string `json:"name"`
	Enabled   *bool  `json:"enabled"`
	BotToken  string `json:"botToken"`
	Token     string `json:"token"`
	TokenFile string `json:"tokenFile"`
}

func (b accountBlock) source() string {
	switch {
	case b.BotToken != "" || b.Token != "":
		return "config"
	case b.TokenFile != "":
		return "tokenFile"
	}
	return ""
}

// configuredChannels lists the accounts of every channel block.
func configuredChannels(loaded *config.Loaded) []configuredAccount {
	out := []configuredAccount{}
	for _, id := range channelIDs(loaded) {
		var channel struct {
			accountBlock
			Accounts map[string]accountBlock `json:"accounts"`
		}
		if block := loaded.Config.Channels.Blocks[id]; block != nil && json.Unmarshal(block, &channel) != nil {
			continue // a plugin's own block may give these names another meaning
		}
		accounts := channel.Accounts
		if len(accounts) == 0 {
			accounts = map[string]accountBlock{"default": {}}
		}
		for _, name := range slices.Sorted(maps.Keys(accounts)) {
			own := accounts[name]
			a := configuredAccount{Channel: id, Account: name, Name: own.Name, Token: own.source()}
			a.Enabled = (channel.Enabled == nil || *channel.Enabled) && (own.Enabled == nil || *own.Enabled)
			if a.Token == "" {
				a.Token = channel.source()
			}
			if a.Token == "" && name == "default" && loaded.Environ.Get(tokenVariable(id)) != "" {
				a.Token = "env"
			}
			out = append(out, a)
		}
	}
	return out
}

// channelIDs are the channels that have a block, or a token in the environment, sorted.
func channelIDs(loaded *config.Loaded) []string {
	ids := loaded.Config.Channels.IDs()
	for _, id := range []string{"telegram", "discord", "mattermost", "slack"} {
		if loaded.Environ.Get(tokenVariable(id)) != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func tokenVariable(channel string) string {
	switch channel {
	case "telegram":
		return "TELEGRAM_BOT_TOKEN"
	case "discord":
		return "DISCORD_BOT_TOKEN"
	case "mattermost":
		return "MATTERMOST_BOT_TOKEN"
	case "slack":
		return "SLACK_BOT_TOKEN"
	}
	return ""
}
