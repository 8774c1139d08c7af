package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/openclaw/openclaw-supervisor/clientws"
	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// agentCmd is `openclaw agent`.
type agentCmd struct {
	Message      string `short:"m" required:"" help:"What to tell the agent." placeholder:"TEXT"`
	To           string `short:"t" help:"Take the conversation with this person (number or id)." placeholder:"TARGET"`
	SessionID    string `help:"Take the conversation with this session id." placeholder:"ID"`
	SessionKey   string `help:"Take the conversation with this session key." placeholder:"KEY"`
	Agent        string `help:"The agent that shall answer." placeholder:"ID"`
	Thinking     string `help:"How long it may think: off, minimal, low, medium, high or xhigh." placeholder:"LEVEL"`
	Verbose      string `help:"on shows the tools as they are used; off does not." enum:"on,off" default:"off"`
	Channel      string `help:"The channel that --to and --deliver mean." placeholder:"ID"`
	ReplyTo      string `help:"With --deliver: who gets the answer." placeholder:"TARGET"`
	ReplyChannel string `help:"With --deliver: over which channel." placeholder:"ID"`
	ReplyAccount string `help:"With --deliver: from which account." placeholder:"ID"`
	Deliver      bool   `help:"Send the answer to the conversation's channel as well."`
	Timeout      int64  `help:"How long the agent may take, in seconds." default:"600"`
	rpc
}

// patience is how much longer than the agent's own limit the command waits.
const patience = 30 * time.Second

// Run sends the message and prints the answer.
func (c *agentCmd) Run(t *tool) error {
	if strings.TrimSpace(c.Message) == "" {
		return fail("pass some text: --message \"hello\"", "the message is empty")
	}
	if _, err := t.guarded(); err != nil {
		return err
	}
	timeout := time.Duration(c.Timeout)*time.Second + patience
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	var caps []string
	if c.Verbose == "on" {
		caps = append(caps, protocol.CapToolEvents)
	}
	client, found, err := t.dial(ctx, c.rpc, caps...)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if c.Verbose == "on" {
		events := client.Subscribe(protocol.EventAgent)
		defer t.showTools(ctx, events)()
	}
	var result protocol.AgentResult
	err = client.Call(ctx, protocol.MethodAgent, c.params(client.Hello()), &result, clientws.Final(nil))
	if err := t.answer(err, found, timeout); err != nil {
		return err
	}
	return c.show(t, result)
}

func (c *agentCmd) params(hello protocol.HelloOK) protocol.AgentParams {
	p := protocol.AgentParams{
		Message: c.Message, AgentID: c.Agent, To: c.To, SessionID: c.SessionID, SessionKey: c.SessionKey, Thinking: c.Thinking,
		Deliver: c.Deliver, Channel: c.Channel, ReplyTo: c.ReplyTo, ReplyChannel: c.ReplyChannel, ReplyAccountID: c.ReplyAccount,
		Timeout: &c.Timeout, IdempotencyKey: uuid.NewString(),
	}
	if p.AgentID == "" && p.To == "" && p.SessionID == "" && p.SessionKey == "" {
		p.SessionKey = "main"
		if defaults := hello.Snapshot.SessionDefaults; defaults != nil && defaults.MainSessionKey != "" {
			p.SessionKey = defaults.MainSessionKey
		}
	}
	return p
}

// show prints the answer; one that is an error, or none, is exit code 1.
func (c *agentCmd) show(t *tool, result protocol.AgentResult) error {
	failed := result.Status != protocol.AgentOK
	if c.JSON {
		if err := t.json(result); err != nil {
			return err
		}
		if failed {
			return errSilent
		}
		return nil
	}
	shown := 0
	if result.Result != nil {
		for _, part := range result.Result.Payloads {
			if part.Text != "" {
				t.print("%s", part.Text)
				shown++
			}
			if part.MediaURL != nil && *part.MediaURL != "" {
				t.print("MEDIA: %s", *part.MediaURL)
				shown++
			}
			failed = failed || part.IsError
		}
		if result.Result.Meta.Aborted {
			return fail("", "the run was aborted")
		}
	}
	switch {
	case failed && shown == 0:
		return fail("look at the log: "+t.program+" logs", "the agent could not answer: %s", orDash(result.Summary))
	case failed:
		return errSilent
	case shown == 0:
		t.note("No reply from agent.")
	}
	return nil
}

// showTools prints the tools as they are used, until the returned function is called.
func (t *tool) showTools(ctx context.Context, events *clientws.Subscription) func() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			event, err := events.Next(ctx)
			if err != nil {
				return
			}
			var run protocol.AgentEvent
			var tool protocol.ToolData
			if event.Decode(&run) != nil || run.Stream != protocol.StreamTool || json.Unmarshal(run.Data, &tool) != nil {
				continue
			}
			switch {
			case tool.Phase == "start":
				t.note("%s", t.paint(colorMuted, "· "+tool.Name+" "+short(string(tool.Args), 100)))
			case tool.Phase == "result" && tool.IsError != nil && *tool.IsError:
				t.note("%s", t.paint(colorError, "· "+tool.Name+" failed"))
			}
		}
	}()
	return func() {
		events.Close()
		<-done
	}
}

// short cuts a text to one line of at most n characters.
func short(text string, n int) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}

// unreachable tells whether an error only says that no gateway is there.
func unreachable(err error) bool {
	var f *failure
	return errors.As(err, &f) && strings.HasPrefix(f.what, "gateway is not running")
}
