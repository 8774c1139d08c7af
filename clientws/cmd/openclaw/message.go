package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/openclaw/openclaw-supervisor/clientws"
	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// messageCmd is `openclaw message`.
type messageCmd struct {
	Send messageSendCmd `cmd:"" help:"Send a message over one of the channels."`
}

type messageSendCmd struct {
	Target  string `short:"t" aliases:"to" required:"" help:"Who gets it: number, chat id, @name, user:ID or channel:ID." placeholder:"TARGET"`
	Message string `short:"m" help:"The text." placeholder:"TEXT"`
	Media   string `help:"Picture or file to send, as path or URL." placeholder:"URL"`
	Channel string `help:"The channel; may be left out while only one is configured." placeholder:"ID"`
	Account string `help:"The channel's account; the default one where none is named." placeholder:"ID"`
	DryRun  bool   `help:"Show what would be sent, and send nothing."`
	Timeout int    `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// sentMessage is the JSON document of `message send`.
type sentMessage struct {
	Action    string `json:"action"`
	Channel   string `json:"channel"`
	DryRun    bool   `json:"dryRun"`
	HandledBy string `json:"handledBy"`
	Payload   any    `json:"payload"`
}

// Run hands the message to the gateway and waits until the network has it.
func (c *messageSendCmd) Run(t *tool) error {
	if strings.TrimSpace(c.Message) == "" && c.Media == "" {
		return fail(`pass some text: --message "hello"`, "the message is empty")
	}
	loaded, err := t.guarded()
	if err != nil {
		return err
	}
	found, err := t.resolve(c.rpc)
	if err != nil {
		return err
	}
	params := protocol.SendParams{
		To: c.Target, Message: c.Message, MediaURL: c.Media, AccountID: c.Account, IdempotencyKey: uuid.NewString(),
		Channel: strings.ToLower(strings.TrimSpace(c.Channel)),
	}
	if c.DryRun && (params.Channel != "" || found.local) {
		return c.dryRun(t, loaded, params)
	}
	ctx, cancel := context.WithTimeout(t.ctx, millis(c.Timeout))
	defer cancel()
	client, found, err := t.dial(ctx, c.rpc)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if params.Channel, err = c.channel(ctx, t, loaded, client, found); err != nil {
		return err
	}
	if c.DryRun {
		return c.dryRun(t, loaded, params)
	}
	var result protocol.SendResult
	err = t.answer(client.Call(ctx, protocol.MethodSend, params, &result), found, millis(c.Timeout))
	if err != nil && ctx.Err() != nil && t.ctx.Err() == nil {
		return fail("see whether it went out: "+t.program+" outbox list", "%s did not send the message within %dms; it may be stored and go out later",
			params.Channel, c.Timeout)
	}
	var refused *failure
	if errors.As(err, &refused) && refused.remedy == "" && found.local && !slices.Contains(usableChannels(loaded), params.Channel) {
		return fail("add it: "+t.program+" channels add --channel "+params.Channel, "%s", refused.what)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(sentMessage{Action: "send", Channel: params.Channel, HandledBy: "core", Payload: result})
	}
	t.print("Sent via %s. Message ID: %s", params.Channel, orDash(result.MessageID))
	return nil
}

// dryRun shows what would be sent. A local gateway's channel is found in the configuration, so none need run.
func (c *messageSendCmd) dryRun(t *tool, loaded *config.Loaded, params protocol.SendParams) error {
	if params.Channel == "" {
		only, err := onlyChannel(t, usableChannels(loaded))
		if err != nil {
			return err
		}
		params.Channel = only
	}
	if c.JSON {
		payload := map[string]any{"to": params.To, "message": params.Message}
		if params.MediaURL != "" {
			payload["mediaUrl"] = params.MediaURL
		}
		if params.AccountID != "" {
			payload["accountId"] = params.AccountID
		}
		return t.json(sentMessage{Action: "send", Channel: params.Channel, DryRun: true, HandledBy: "dry-run", Payload: payload})
	}
	t.print("Would send via %s to %s: %s", params.Channel, params.To, short(params.Message, 200))
	return nil
}

// channel is the one that is named, else the only one that is configured: here for a local gateway, there for another.
func (c *messageSendCmd) channel(ctx context.Context, t *tool, loaded *config.Loaded, client *clientws.Client, found target) (string, error) {
	if named := strings.ToLower(strings.TrimSpace(c.Channel)); named != "" {
		return named, nil
	}
	if found.local {
		return onlyChannel(t, usableChannels(loaded))
	}
	var status protocol.ChannelsStatusResult
	if err := t.answer(client.Call(ctx, protocol.MethodChannelsStatus, protocol.ChannelsStatusParams{}, &status), found, millis(c.Timeout)); err != nil {
		return "", err
	}
	var ids []string
	for _, id := range status.ChannelOrder {
		if status.Channels[id].Configured {
			ids = append(ids, id)
		}
	}
	return onlyChannel(t, ids)
}

// usableChannels are the channels with an account that is turned on.
func usableChannels(loaded *config.Loaded) []string {
	var ids []string
	for _, a := range configuredChannels(loaded) {
		if a.Enabled && !slices.Contains(ids, a.Channel) {
			ids = append(ids, a.Channel)
		}
	}
	return ids
}

func onlyChannel(t *tool, ids []string) (string, error) {
	switch len(ids) {
	case 0:
		return "", fail("add one: "+t.program+" channels add", "Channel is required (no configured channels detected).")
	case 1:
		return ids[0], nil
	}
	return "", fail("name one: --channel "+ids[0], "Channel is required when multiple channels are configured: %s", strings.Join(ids, ", "))
}
