package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// DefaultAccount is the id of a channel's account where the configuration names none.
const DefaultAccount = "default"

// ChannelConfig is what one channel's worker is given, finished: no environment, file or include is left to read.
type ChannelConfig struct {
	ID string
	// Common is the block that all accounts share, without accounts and without tokens: for Configure.
	Common json.RawMessage
	// Accounts are the accounts by id; the default one is DefaultAccount.
	Accounts []Account
	// DefaultAccount is the account meant where none is named.
	DefaultAccount string
}

// Account is one account of a channel with its finished block: the channel's keys, its own over them, its token resolved.
type Account struct {
	ID string
	// Name is the operator's label, "" for none.
	Name string
	JSON json.RawMessage
	// Enabled is false where the operator turned the account or its channel off.
	Enabled bool
	// TokenSource is config, tokenFile, env or none; none also where the network needs no token.
	TokenSource string
	// Problem says why the token could not be read; "" where all is well.
	Problem string

	block map[string]any
}

// tokenKey is a key of an account that holds a secret, and the variable that may give it to the default account.
type tokenKey struct {
	key, env, file string
}

// tokenKeys are the keys by channel; the first one decides the account's TokenSource.
func tokenKeys(channel string) []tokenKey {
	switch channel {
	case "telegram":
		return []tokenKey{{"botToken", "TELEGRAM_BOT_TOKEN", "tokenFile"}}
	case "discord":
		return []tokenKey{{"token", "DISCORD_BOT_TOKEN", ""}}
	case "mattermost":
		return []tokenKey{{"botToken", "MATTERMOST_BOT_TOKEN", ""}, {"baseUrl", "MATTERMOST_URL", ""}}
	case "slack":
		return []tokenKey{{"botToken", "SLACK_BOT_TOKEN", ""}, {"appToken", "SLACK_APP_TOKEN", ""}}
	}
	return nil
}

// ChannelIDs lists the channels that have a block or a token in the environment, sorted.
func (s *Snapshot) ChannelIDs() []string {
	ids := map[string]bool{}
	for id := range s.section("channels") {
		if id != "defaults" {
			ids[id] = true
		}
	}
	for _, id := range []string{"telegram", "discord", "mattermost", "slack"} {
		if s.Environ.Get(tokenKeys(id)[0].env) != "" {
			ids[id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// ChannelBlock gives a channel's finished configuration, and whether the channel is configured at all.
func (s *Snapshot) ChannelBlock(id string) (ChannelConfig, bool) {
	if !slices.Contains(s.ChannelIDs(), id) {
		return ChannelConfig{}, false
	}
	block := cloneTree(s.section("channels." + quoteStep(id)))
	accounts, _ := block["accounts"].(map[string]any)
	delete(block, "accounts")
	if _, set := block["groupPolicy"]; !set && s.Config.Channels.Defaults.GroupPolicy != "" {
		block["groupPolicy"] = s.Config.Channels.Defaults.GroupPolicy
	}
	c := ChannelConfig{ID: id, Common: encode(withoutTokens(id, block))}
	own := map[string]map[string]any{}
	for name, value := range accounts {
		account, _ := value.(map[string]any)
		own[AccountID(name)] = account
	}
	if len(own) == 0 {
		own[DefaultAccount] = map[string]any{}
	}
	ids := slices.Sorted(maps.Keys(own))
	c.DefaultAccount = ids[0]
	if slices.Contains(ids, DefaultAccount) {
		c.DefaultAccount = DefaultAccount
	}
	for _, account := range ids {
		c.Accounts = append(c.Accounts, s.account(id, account, account == DefaultAccount, block, own[account]))
	}
	return c, true
}

// Account finds an account; "" names the default one.
func (c ChannelConfig) Account(id string) (Account, bool) {
	if id == "" {
		id = c.DefaultAccount
	}
	id = AccountID(id)
	for _, account := range c.Accounts {
		if account.ID == id {
			return account, true
		}
	}
	return Account{}, false
}

// Decode reads the account's block into a struct.
func (a Account) Decode(into any) error {
	if err := json.Unmarshal(a.JSON, into); err != nil {
		return fmt.Errorf("account %s: %w", a.ID, err)
	}
	return nil
}

var unsafeID = regexp.MustCompile(`[^a-z0-9_-]+`)

// AccountID brings an account's name into the form of an id: lower case, other characters than letters, digits, - and _
// replaced by -; DefaultAccount when nothing is left.
func AccountID(name string) string {
	id := strings.Trim(unsafeID.ReplaceAllString(strings.ToLower(strings.TrimSpace(name)), "-"), "-")
	if id == "" {
		return DefaultAccount
	}
	return id
}

func (s *Snapshot) account(channel, id string, isDefault bool, block, own map[string]any) Account {
	merged := maps.Clone(block)
	for _, key := range tokenKeys(channel) {
		// A secret of the account replaces the channel's in either form.
		if key.file != "" && (has(own, key.key) || has(own, key.file)) {
			delete(merged, key.key)
			delete(merged, key.file)
		}
	}
	maps.Copy(merged, own)
	a := Account{ID: id, TokenSource: "none"}
	a.Name, _ = merged["name"].(string)
	a.Enabled = block["enabled"] != false && own["enabled"] != false && (channel != "whatsapp" || s.Config.Web.Enabled)
	for i, key := range tokenKeys(channel) {
		from, problem := s.token(merged, key, isDefault)
		if i == 0 {
			a.TokenSource = from
		}
		if problem != "" {
			a.Problem = problem
		}
		if key.file != "" {
			delete(merged, key.file)
		}
	}
	merged["enabled"] = a.Enabled
	a.JSON, a.block = encode(merged), merged
	return a
}

// token resolves one secret into the block and says where it came from.
func (s *Snapshot) token(block map[string]any, key tokenKey, isDefault bool) (from, problem string) {
	if file, _ := block[key.file].(string); key.file != "" && file != "" {
		secret, err := readSecret(s.Paths.Expand(file))
		if err != nil {
			delete(block, key.key)
			return "none", fmt.Sprintf("%s cannot be read: %v", key.file, err)
		}
		block[key.key] = secret
		return "tokenFile", ""
	}
	if text, _ := block[key.key].(string); text != "" {
		return "config", ""
	}
	if secret := s.Environ.Get(key.env); isDefault && secret != "" {
		block[key.key] = secret
		return "env", ""
	}
	return "none", ""
}

func withoutTokens(channel string, block map[string]any) map[string]any {
	out := maps.Clone(block)
	for _, key := range tokenKeys(channel) {
		if key.key != "baseUrl" {
			delete(out, key.key)
		}
		delete(out, key.file)
	}
	delete(out, "webhookSecret")
	delete(out, "signingSecret")
	delete(out, "userToken")
	return out
}

func has(block map[string]any, key string) bool {
	text, _ := block[key].(string)
	return text != ""
}

func quoteStep(step string) string {
	if strings.ContainsAny(step, ".[]") {
		return `["` + step + `"]`
	}
	return step
}

// encode writes a tree that was read from JSON; that cannot fail.
func encode(tree map[string]any) json.RawMessage {
	data, err := json.Marshal(tree)
	if err != nil {
		panic(fmt.Sprintf("config: a tree read from JSON cannot be written: %v", err))
	}
	return data
}
