package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

type channelsAddCmd struct {
	Channel   string `help:"The channel: telegram, whatsapp, discord, mattermost, slack, or a plugin's id. Without it you are asked." placeholder:"ID"`
	Account   string `help:"The account; without it the default one." placeholder:"ID"`
	Name      string `help:"What to call the account in lists." placeholder:"TEXT"`
	Token     string `help:"Bot token (Telegram, Discord); other users see command lines, --token-file is better." placeholder:"SECRET"`
	TokenFile string `help:"File that holds the bot token (Telegram)." placeholder:"FILE"`
	BotToken  string `help:"Bot token (Mattermost, Slack)." placeholder:"SECRET"`
	AppToken  string `help:"App token (Slack)." placeholder:"SECRET"`
	HTTPURL   string `name:"http-url" help:"Address of the server (Mattermost)." placeholder:"URL"`
	AuthDir   string `help:"Folder of the login (WhatsApp)." placeholder:"DIR"`
	UseEnv    bool   `help:"Take the token from the environment, for the default account."`
	JSON      bool   `help:"Print one JSON document."`
}

// addition is an account that is to be added, or changed.
type addition struct {
	channel, account string
	// values are the keys to set in the account's block.
	values map[string]any
	useEnv bool
}

// changedAccount is the JSON document of `channels add`.
type changedAccount struct {
	Channel string `json:"channel"`
	Account string `json:"account"`
	// Added is false for an account that was there and is changed.
	Added  bool   `json:"added"`
	Config string `json:"config"`
}

// Run writes the account into the configuration; comments and other keys stay.
func (c *channelsAddCmd) Run(t *tool) error {
	loaded, err := t.guarded()
	if err != nil {
		return err
	}
	var want addition
	if c.Channel == "" {
		if *c != (channelsAddCmd{JSON: c.JSON}) {
			return fail("name it: --channel telegram", "which channel is meant?")
		}
		if want, err = t.askChannel(loaded, t.prompter()); err != nil {
			return err
		}
	} else if want, err = c.addition(); err != nil {
		return err
	}
	done, err := t.addChannel(loaded, want)
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(done)
	}
	t.showAdded(done)
	return nil
}

func (t *tool) showAdded(done changedAccount) {
	kind, _ := kindOf(done.Channel)
	verb := "Updated"
	if done.Added {
		verb = "Added"
	}
	t.print("%s %s account %q.", verb, kind.label, done.Account)
	if served, known := t.served(done.Channel); known && !served {
		t.note("This installation has no openclaw-channel-%s yet; the account waits for it.", done.Channel)
	}
}

// addition reads the flags; one that the channel does not know is an error.
func (c *channelsAddCmd) addition() (addition, error) {
	want := addition{channel: strings.ToLower(strings.TrimSpace(c.Channel)), values: map[string]any{}, useEnv: c.UseEnv}
	var err error
	if want.account, err = accountID(c.Account); err != nil {
		return want, err
	}
	kind, known := kindOf(want.channel)
	given := map[string]string{"--token": c.Token, "--token-file": c.TokenFile, "--bot-token": c.BotToken, "--app-token": c.AppToken, "--http-url": c.HTTPURL, "--auth-dir": c.AuthDir}
	take := func(flag, key string) {
		if given[flag] != "" && key != "" {
			want.values[key] = given[flag]
			delete(given, flag)
		}
	}
	for _, key := range kind.keys {
		take(key.flag, key.key)
	}
	take("--token-file", kind.fileKey)
	if len(kind.keys) > 0 && kind.keys[0].flag == "--token" {
		take("--bot-token", kind.keys[0].key)
	}
	if kind.id == "whatsapp" {
		take("--auth-dir", "authDir")
	}
	for _, flag := range slices.Sorted(maps.Keys(given)) {
		if given[flag] == "" {
			continue
		}
		if !known {
			return want, fail("set its own keys with: openclaw config set channels."+want.channel+".KEY VALUE", "%s is a plugin's channel, which %s does not fit", want.channel, flag)
		}
		return want, fail("it takes "+orDash(kind.flags()), "%s has no use for %s", kind.label, flag)
	}
	if c.Name != "" {
		want.values["name"] = c.Name
	}
	return want, nil
}

var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

const defaultAccount = "default"

// accountID brings an account's name into the form of an id.
func accountID(name string) (string, error) {
	id := strings.ToLower(strings.TrimSpace(name))
	switch {
	case id == "":
		return defaultAccount, nil
	case !accountName.MatchString(id):
		return "", fail("use letters, digits, - and _", "%q is no name of an account", name)
	}
	return id, nil
}

// addChannel writes the account.
func (t *tool) addChannel(loaded *config.Loaded, want addition) (changedAccount, error) {
	kind, known := kindOf(want.channel)
	done := changedAccount{Channel: want.channel, Account: want.account, Config: t.paths.ConfigFile}
	if want.channel == "defaults" || !known && !accountName.MatchString(want.channel) {
		return done, fail("use one of telegram, whatsapp, discord, mattermost, slack, or a plugin's id", "%q is no channel", want.channel)
	}
	variable := tokenVariable(want.channel)
	switch {
	case want.useEnv && variable == "":
		return done, fail("leave --use-env out", "%s takes no token from the environment", kind.label)
	case want.useEnv && want.account != defaultAccount:
		return done, fail("give the account its own token: "+kind.flags(), "%s can only be used for the default account.", variable)
	}
	err := t.edit(func(doc *json5.Document) error {
		e := &editor{doc: doc}
		base := []string{"channels", want.channel}
		env := loaded.Environ.Get(variable) != ""
		at, isNew := e.place(base, want.account, env)
		done.Added = isNew
		if !want.useEnv && (!env || want.account != defaultAccount) {
			if err := e.complete(kind, at, want.values); err != nil {
				return err
			}
		}
		e.fill(kind, base, at, want)
		return e.err
	}, true)
	return done, err
}

// place finds the block of an account, and says whether it is new. The first account, being the default one, has the
// channel's own block; as soon as there is another, accounts lists both, and the channel's block is what they share.
func (e *editor) place(base []string, account string, env bool) (at []string, isNew bool) {
	block, exists := e.get(base...)
	channel, _ := block.(map[string]any)
	accounts, _ := channel["accounts"].(map[string]any)
	for name := range accounts {
		if strings.EqualFold(name, account) {
			return append(slices.Clone(base), "accounts", name), false
		}
	}
	if account == defaultAccount && len(accounts) == 0 {
		return base, !exists && !env
	}
	// Without an entry of its own the default account would be gone once another is listed.
	if len(accounts) == 0 && (exists || env) {
		e.set(map[string]any{}, append(slices.Clone(base), "accounts", defaultAccount)...)
	}
	return append(slices.Clone(base), "accounts", account), true
}

// complete tells what an account lacks: keys that neither the flags nor its block hold.
func (e *editor) complete(kind channelKind, at []string, values map[string]any) error {
	for i, key := range kind.keys {
		own := func(name string) bool {
			return name != "" && (values[name] != nil || e.text(append(slices.Clone(at), name)...) != "")
		}
		if !own(key.key) && (i > 0 || !own(kind.fileKey)) {
			return fail("pass "+kind.flags(), "%s requires %s.", kind.label, kind.flags())
		}
	}
	return nil
}

// fill writes the values and turns the account on.
func (e *editor) fill(kind channelKind, base, at []string, want addition) {
	below := func(key string) []string { return append(slices.Clone(at), key) }
	for _, key := range slices.Sorted(maps.Keys(want.values)) {
		e.set(want.values[key], below(key)...)
	}
	// A token has one source: the new one replaces the other.
	if len(kind.keys) > 0 && kind.fileKey != "" {
		token := kind.keys[0].key
		if want.values[token] != nil || want.useEnv {
			e.unset(below(kind.fileKey)...)
		}
		if want.values[kind.fileKey] != nil {
			e.unset(below(token)...)
		}
	}
	if want.useEnv {
		for _, key := range kind.keys {
			if key.secret {
				e.unset(below(key.key)...)
			}
		}
	}
	for _, block := range [][]string{base, at} {
		enabled := append(slices.Clone(block), "enabled")
		_, exists := e.get(block...)
		if on, set := e.get(enabled...); !exists || set && on != true {
			e.set(true, enabled...)
		}
	}
}

// askChannel asks for an account and what it needs.
func (t *tool) askChannel(loaded *config.Loaded, p prompter) (addition, error) {
	var options []option
	for _, kind := range channelKinds() {
		label := kind.label
		if served, known := t.served(kind.id); known && !served {
			label += " (not in this installation yet)"
		}
		options = append(options, option{kind.id, label})
	}
	id, err := p.choose(t.ctx, "Which channel?", options, "telegram")
	if err != nil {
		return addition{}, err
	}
	return t.askAccount(loaded, p, id)
}

func (t *tool) askAccount(loaded *config.Loaded, p prompter, id string) (addition, error) {
	kind, _ := kindOf(id)
	want := addition{channel: id, account: defaultAccount, values: map[string]any{}}
	if slices.ContainsFunc(configuredChannels(loaded), func(a configuredAccount) bool { return a.Channel == id }) {
		name, err := p.ask(t.ctx, question{
			title: "Account", hint: kind.label + " is configured already. Name an account to change, or a new one to add.", preset: defaultAccount,
			check: func(text string) error { _, err := accountID(text); return err },
		})
		if err != nil {
			return want, err
		}
		if want.account, err = accountID(name); err != nil {
			return want, err
		}
	}
	if variable := tokenVariable(id); want.account == defaultAccount && loaded.Environ.Get(variable) != "" {
		use, err := p.confirm(t.ctx, fmt.Sprintf("Use the token in %s?", variable), true)
		if err != nil {
			return want, err
		}
		want.useEnv = use
	}
	for _, key := range kind.keys {
		if want.useEnv && key.secret {
			continue
		}
		value, err := p.ask(t.ctx, question{title: key.title, hint: key.hint, secret: key.secret, check: oneWord})
		if err != nil {
			return want, err
		}
		want.values[key.key] = value
	}
	return want, nil
}

func oneWord(text string) error {
	if strings.ContainsAny(text, " \t") {
		return errors.New("there must be no blanks in it")
	}
	return nil
}
