// Package echo is the smallest channel: a chat over lines of text on a loopback port
// or a Unix socket. It is an example for authors of channels, and useful for trying
// things out: every line in is a direct message, every answer is a line out.
//
// It owns its listeners and connections, one set per account, and keeps nothing on
// disk. All methods are safe for concurrent use.
package echo

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Conversation is the one chat of every account.
const Conversation channel.ConversationID = "local"

// DefaultListen is where an account listens that does not say.
const DefaultListen = "127.0.0.1:7667"

const schema = `{
  "type": "object",
  "properties": {
    "enabled": {"type": "boolean"},
    "listen": {"type": "string", "description": "host:port on loopback, or unix:/path; default 127.0.0.1:7667"},
    "dmPolicy": {"enum": ["pairing", "allowlist", "open", "disabled"]},
    "allowFrom": {"type": "array", "items": {"type": ["string", "integer"]}},
    "accounts": {"type": "object"}
  }
}`

// Plugin is the channel. Optional powers would be further methods: see sdk/channel.
type Plugin struct {
	version  string
	attached chan struct{} // closed once line is set

	mu       sync.Mutex // guards all below
	line     *channel.Line
	accounts map[channel.AccountID]*account
}

var _ channel.Plugin = (*Plugin)(nil)

// New makes the channel; it starts nothing.
func New(version string) *Plugin {
	return &Plugin{version: version, attached: make(chan struct{}), accounts: map[channel.AccountID]*account{}}
}

// Describe implements plugin.Base.
func (p *Plugin) Describe() channel.Description {
	return channel.Description{
		ID: "echo", Label: "Echo", Version: p.version, ConfigSchema: json.RawMessage(schema),
		Channel: &channel.Caps{
			ChatKinds:      []message.ChatKind{message.ChatDirect},
			TextLimit:      plugin.TextLimit{N: maxLine, Unit: plugin.LengthBytes},
			IdempotentSend: plugin.IdempotentNone,
		},
	}
}

type config struct {
	Listen string `json:"listen"`
}

// parse reads settings; its errors name the key that cannot be used.
func parse(block json.RawMessage) (network, address string, err error) {
	c := config{Listen: DefaultListen}
	if err := json.Unmarshal(block, &c); err != nil {
		return "", "", &plugin.InvalidConfigError{Path: "listen", Message: "must be a string"}
	}
	if path, isUnix := strings.CutPrefix(c.Listen, "unix:"); isUnix {
		return "unix", path, nil
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return "", "", &plugin.InvalidConfigError{Path: "listen", Message: "must be host:port or unix:/path"}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", "", &plugin.InvalidConfigError{Path: "listen", Message: "must be a loopback address: whoever connects is trusted"}
	}
	return "tcp", c.Listen, nil
}

// Configure implements plugin.Base.
func (p *Plugin) Configure(_ context.Context, c channel.Configuration) error {
	_, _, err := parse(c.JSON)
	return err
}

// Attached implements plugin.Base.
func (p *Plugin) Attached(line *channel.Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = line
	close(p.attached)
}

// StartAccount implements channel.Plugin.
func (p *Plugin) StartAccount(ctx context.Context, s channel.AccountStart) error {
	network, address, err := parse(s.Config)
	if err != nil {
		return err
	}
	select {
	case <-p.attached:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.accounts[s.Account]; old != nil {
		if old.revision >= s.Revision {
			return nil
		}
		old.stop()
	}
	a := newAccount(s.Account, s.Revision, p.line)
	p.accounts[s.Account] = a
	a.start(network, address)
	return nil
}

// StopAccount implements channel.Plugin.
func (p *Plugin) StopAccount(_ context.Context, id channel.AccountID, _ uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.accounts[id]; a != nil {
		a.stop()
		delete(p.accounts, id)
	}
	return nil
}

// Send implements channel.Plugin.
func (p *Plugin) Send(_ context.Context, m channel.Outbound, _ channel.MediaSource) channel.SendResult {
	p.mu.Lock()
	a := p.accounts[m.Account]
	p.mu.Unlock()
	switch {
	case a == nil:
		return channel.SendResult{Outcome: message.NotSent, Code: "not_running", Text: "the account is not running"}
	case m.Conversation != Conversation:
		return channel.SendResult{Outcome: message.Refused, Code: "bad_target", Text: fmt.Sprintf("the only chat is %q", Conversation)}
	case len(m.Media) > 0:
		return channel.SendResult{Outcome: message.Refused, Code: "no_media", Text: "lines hold no files"}
	}
	return a.write(m.Text.Plain)
}

// Drain implements plugin.Base: sends are short, so that stopping the accounts is all.
func (p *Plugin) Drain(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, a := range p.accounts {
		a.stop()
		delete(p.accounts, id)
	}
	return nil
}
