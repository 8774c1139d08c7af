// Package channel is the contract of a chat network's worker, in Go, for both ends.
//
// An author writes a Plugin, adds the optional interfaces the network has (Typer,
// Reactor, Loginer …), and calls Serve in main. Optional powers are found by type
// assertion and reported in Describe: nobody writes stubs that say "unsupported".
// The supervisor's end is Client. The contract suite is sdk/channel/channeltest.
//
// Concurrency: the supervisor calls methods of a Plugin from several goroutines at
// once, except where a method says otherwise. A Plugin never retries a send and never
// decides who may write: access, routing, chunking, pacing and retry are the supervisor's.
package channel

import (
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// The nouns of the contract under one import; see their own packages.
type (
	AccountID       = message.AccountID
	ConversationID  = message.ConversationID
	ThreadID        = message.ThreadID
	MessageID       = message.MessageID
	DeliveryID      = message.DeliveryID
	PersonID        = message.PersonID
	Inbound         = message.Inbound
	InboundEdit     = message.InboundEdit
	InboundReaction = message.InboundReaction
	Sender          = message.Sender
	Span            = message.Span
	Text            = message.Text
	MediaRef        = message.MediaRef
	MediaMeta       = message.MediaMeta
	Cursor          = message.Cursor
	Outbound        = message.Outbound
	SendResult      = message.SendResult
	Description     = plugin.Description
	Caps            = plugin.ChannelCaps
	Configuration   = plugin.Configuration
	AccountState    = plugin.AccountState
	Condition       = plugin.Condition
	Event           = plugin.Event
	Ack             = plugin.Ack
	Line            = plugin.Line
)
