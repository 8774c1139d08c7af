package main

import (
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

type channelsRemoveCmd struct {
	Channel string `required:"" help:"The channel." placeholder:"ID"`
	Account string `help:"The account; without it the default one." placeholder:"ID"`
	Delete  bool   `help:"Take the account out of the file instead of turning it off; the file before is kept as a backup."`
	JSON    bool   `help:"Print one JSON document."`
}

// removedAccount is the JSON document of `channels remove`.
type removedAccount struct {
	Channel string `json:"channel"`
	Account string `json:"account"`
	// Deleted tells that it is out of the file; else it is turned off. Whole tells that the channel's block went with it.
	Deleted bool   `json:"deleted"`
	Whole   bool   `json:"channelDeleted"`
	Config  string `json:"config"`
}

// Run turns the account off, or takes it out of the file.
func (c *channelsRemoveCmd) Run(t *tool) error {
	loaded, err := t.guarded()
	if err != nil {
		return err
	}
	account, err := accountID(c.Account)
	if err != nil {
		return err
	}
	id := strings.ToLower(strings.TrimSpace(c.Channel))
	kind, _ := kindOf(id)
	env := tokenVariable(id) != "" && loaded.Environ.Get(tokenVariable(id)) != ""
	done := removedAccount{Channel: id, Account: account, Deleted: c.Delete, Config: t.paths.ConfigFile}
	err = t.edit(func(doc *json5.Document) error {
		e := &editor{doc: doc}
		base := []string{"channels", id}
		block, exists := e.get(base...)
		channel, _ := block.(map[string]any)
		accounts, _ := channel["accounts"].(map[string]any)
		at, isNew := base, !exists && !env
		if len(accounts) > 0 || account != defaultAccount {
			isNew = true
			for name := range accounts {
				if strings.EqualFold(name, account) {
					at, isNew = append(slices.Clone(base), "accounts", name), false
				}
			}
		}
		switch {
		case isNew || id == "defaults":
			return fail("see what there is: "+t.program+" channels list", "%s has no account %q", kind.label, account)
		case !c.Delete:
			e.set(false, append(slices.Clone(at), "enabled")...)
		case len(accounts) > 1:
			e.unset(at...)
		case !exists:
			return fail("unset it where the gateway is started, or leave --delete out to turn the account off", "the account is not in the file; it comes from %s", tokenVariable(id))
		default:
			done.Whole = true
			e.unset(base...)
		}
		return e.err
	}, true)
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(done)
	}
	switch {
	case done.Whole:
		t.print("Deleted %s account %q, and with it channels.%s; the file before is %s.bak.", kind.label, account, id, t.paths.ConfigFile)
	case done.Deleted:
		t.print("Deleted %s account %q.", kind.label, account)
	default:
		t.print("Disabled %s account %q.", kind.label, account)
	}
	if done.Whole && env {
		t.note("%s is still set, so the default account stays. Turn it off: %s channels remove --channel %s", tokenVariable(id), t.program, id)
	}
	return nil
}
