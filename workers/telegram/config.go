package telegram

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

//go:embed schema.json
var schema []byte

// Defaults of the config keys.
const (
	defaultTimeout    = 500 * time.Second
	defaultMediaMaxMB = 5
)

// tokenForm is what telego, and Telegram, take for a token.
var tokenForm = regexp.MustCompile(`^\d+:[\w-]{35}$`)

// config is what the worker itself needs of a block; the rest is the supervisor's.
type config struct {
	BotToken       string          `json:"botToken"`
	APIRoot        string          `json:"apiRoot"`
	Proxy          string          `json:"proxy"`
	TimeoutSeconds float64         `json:"timeoutSeconds"`
	LinkPreview    *bool           `json:"linkPreview"`
	MediaMaxMB     float64         `json:"mediaMaxMb"`
	WebhookURL     string          `json:"webhookUrl"`
	WebhookSecret  string          `json:"webhookSecret"`
	CustomCommands []customCommand `json:"customCommands"`
}

type customCommand struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

// parseConfig reads a block; the error is a *plugin.InvalidConfigError.
func parseConfig(block json.RawMessage) (config, error) {
	var c config
	if len(block) == 0 {
		return c, nil
	}
	if err := json.Unmarshal(block, &c); err != nil {
		var typeErr *json.UnmarshalTypeError
		if errors.As(err, &typeErr) {
			return c, &plugin.InvalidConfigError{Path: typeErr.Field, Message: fmt.Sprintf("must not be a %s", typeErr.Value)}
		}
		return c, &plugin.InvalidConfigError{Message: "not valid JSON"}
	}
	if err := checkURL("apiRoot", c.APIRoot, "http", "https"); err != nil {
		return c, err
	}
	if err := checkURL("proxy", c.Proxy, "http", "https", "socks5", "socks5h"); err != nil {
		return c, err
	}
	switch {
	case c.TimeoutSeconds < 0:
		return c, &plugin.InvalidConfigError{Path: "timeoutSeconds", Message: "must not be negative"}
	case c.MediaMaxMB < 0:
		return c, &plugin.InvalidConfigError{Path: "mediaMaxMb", Message: "must not be negative"}
	case c.WebhookURL != "" && c.WebhookSecret == "":
		return c, &plugin.InvalidConfigError{Path: "webhookSecret", Message: "is needed where webhookUrl is set"}
	}
	c.APIRoot = strings.TrimRight(c.APIRoot, "/")
	return c, nil
}

func checkURL(key, value string, schemes ...string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return &plugin.InvalidConfigError{Path: key, Message: "must be an absolute URL"}
	}
	for _, s := range schemes {
		if u.Scheme == s {
			return nil
		}
	}
	return &plugin.InvalidConfigError{Path: key, Message: "must begin with " + strings.Join(schemes, "://, ") + "://"}
}

func (c config) timeout() time.Duration {
	if c.TimeoutSeconds == 0 {
		return defaultTimeout
	}
	return time.Duration(c.TimeoutSeconds * float64(time.Second))
}

// mediaMax is the media cap in bytes.
func (c config) mediaMax() int64 {
	mb := c.MediaMaxMB
	if mb == 0 {
		mb = defaultMediaMaxMB
	}
	return int64(mb * (1 << 20))
}

// tokenProblem says why no bot can be made of the token; empty = it can.
func (c config) tokenProblem(account channel.AccountID) (text, action string) {
	key := "channels.telegram.accounts." + string(account) + ".botToken"
	if account == "default" {
		key = "channels.telegram.botToken, or TELEGRAM_BOT_TOKEN in the environment"
	}
	switch {
	case c.BotToken == "":
		return "not configured: no token", "set " + key
	case !tokenForm.MatchString(c.BotToken):
		return "not configured: malformed token", "copy the whole token from BotFather to " + key
	}
	return "", ""
}
