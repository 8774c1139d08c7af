package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// pairingCmd is `openclaw pairing`.
type pairingCmd struct {
	List    pairingListCmd    `cmd:"" default:"withargs" help:"List who wrote to a channel and waits to be let in."`
	Approve pairingApproveCmd `cmd:"" help:"Let the sender in who was sent a code."`
	Reject  pairingRejectCmd  `cmd:"" help:"Forget the request of the sender who was sent a code."`
}

type pairingListCmd struct {
	In      string `arg:"" optional:"" name:"channel" help:"Only this channel."`
	Channel string `help:"Only this channel." placeholder:"ID"`
	Timeout int    `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run lists who waits.
func (c *pairingListCmd) Run(t *tool) error {
	channel := c.Channel
	if channel == "" {
		channel = c.In
	}
	var result protocol.PairingListResult
	if err := t.call(c.rpc, millis(c.Timeout), protocol.MethodPairingList, protocol.PairingListParams{Channel: channel}, &result); err != nil {
		return err
	}
	if c.JSON {
		return t.json(result)
	}
	if len(result.Requests) == 0 {
		t.print("%s", strings.Join(strings.Fields("No pending "+channel+" pairing requests."), " "))
		return nil
	}
	rows := make([][]string, len(result.Requests))
	for i, r := range result.Requests {
		rows[i] = []string{r.Code, r.Channel, r.ID, orDash(describeMeta(r.Meta)), requested(r.CreatedAt)}
	}
	t.table([]string{"Code", "Channel", "Sender", "Who", "Requested"}, rows)
	t.print("→ let somebody in: %s pairing approve <channel> <code>", t.program)
	return nil
}

// describeMeta writes what a channel knows of a sender, in an order that does not change.
func describeMeta(meta map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		parts = append(parts, key+"="+meta[key])
	}
	return strings.Join(parts, " ")
}

// requested writes how long a stamp of the pairing store lies back.
func requested(stamp string) string {
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return orDash(stamp)
	}
	return ago(at.UnixMilli())
}

// pairingTarget is how approve and reject are told whom they mean.
type pairingTarget struct {
	First   string `arg:"" name:"code-or-channel" help:"The channel; with --channel, the code."`
	Second  string `arg:"" optional:"" name:"code" help:"The code that the sender was sent."`
	Channel string `help:"The channel." placeholder:"ID"`
}

func (p *pairingTarget) resolve(t *tool, verb string) (channel, code string, err error) {
	switch {
	case p.Channel != "" && p.Second != "":
		return "", "", fail(t.program+" pairing "+verb+" --channel <channel> <code>", "too many arguments")
	case p.Channel != "":
		return p.Channel, p.First, nil
	case p.Second == "":
		return "", "", fail(t.program+" pairing "+verb+" <channel> <code>", "a channel and a code are needed")
	}
	return p.First, p.Second, nil
}

type pairingApproveCmd struct {
	pairingTarget
	Notify  bool `help:"Tell the sender, over the channel."`
	Timeout int  `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run lets a sender in.
func (c *pairingApproveCmd) Run(t *tool) error {
	channel, code, err := c.resolve(t, "approve")
	if err != nil {
		return err
	}
	var result protocol.PairingApproveResult
	params := protocol.PairingApproveParams{Channel: channel, Code: code, Notify: c.Notify}
	if err := t.call(c.rpc, millis(c.Timeout), protocol.MethodPairingApprove, params, &result); err != nil {
		return err
	}
	if result.NotifyError != "" {
		t.note("The sender could not be told: %s", result.NotifyError)
	}
	if c.JSON {
		return t.json(result)
	}
	t.print("Approved %s sender %s.", result.Channel, result.ID)
	return nil
}

type pairingRejectCmd struct {
	pairingTarget
	Timeout int `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run forgets a request.
func (c *pairingRejectCmd) Run(t *tool) error {
	channel, code, err := c.resolve(t, "reject")
	if err != nil {
		return err
	}
	var result protocol.PairingRejectResult
	params := protocol.PairingRejectParams{Channel: channel, Code: code}
	if err := t.call(c.rpc, millis(c.Timeout), protocol.MethodPairingReject, params, &result); err != nil {
		return err
	}
	if c.JSON {
		return t.json(result)
	}
	t.print("Rejected %s sender %s.", result.Channel, result.ID)
	return nil
}
