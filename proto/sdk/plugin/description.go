package plugin

import (
	"encoding/json"
	"slices"

	messagev1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/message/v1"
	pluginv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/plugin/v1"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Kind tells which second contract a plugin serves. The numbers are the wire's.
type Kind int32

// The kinds of plugin.
const (
	KindUnspecified Kind = 0
	KindChannel     Kind = 1
	KindAgent       Kind = 2
)

// Description is what a plugin says of itself before anything else is asked.
type Description struct {
	// ID as in the binary's name "openclaw-channel-<id>" and the config key "channels.<id>".
	ID      string
	Label   string
	Kind    Kind
	Version string
	// Contracts and Features are filled in by the SDK when a plugin is served.
	Contracts []ContractVersions
	Features  []string
	// ConfigSchema is the JSON Schema (draft 2020-12) of the plugin's config block.
	ConfigSchema json.RawMessage
	// Channel is set for KindChannel, Agent for KindAgent.
	Channel        *ChannelCaps
	Agent          *AgentCaps
	HTTPRoutes     []HTTPRoute
	SensitivePaths []string
}

// Has reports whether an optional power is named in Features.
func (d Description) Has(feature string) bool { return slices.Contains(d.Features, feature) }

// LengthUnit is what a network counts when it limits a text. The numbers are the wire's.
type LengthUnit int32

// The units of length; unspecified counts as UTF-16, the strictest of the usual ones.
const (
	LengthUnspecified LengthUnit = 0
	LengthRunes       LengthUnit = 1
	LengthUTF16       LengthUnit = 2
	LengthBytes       LengthUnit = 3
)

// TextLimit is the longest text of one message.
type TextLimit struct {
	N    int
	Unit LengthUnit
	// CaptionN limits a text that goes with media; 0 = as N.
	CaptionN int
	// MaxLines is 0 where there is no limit.
	MaxLines int
}

// MediaCap is the largest file of one kind, in bytes, each way.
type MediaCap struct {
	Kind          message.MediaKind
	MaxIn, MaxOut int64
}

// Pacing is the least time between two sends, in milliseconds.
type Pacing struct {
	PerConversationMS int64
	PerAccountMS      int64
}

// IdempotentSend tells whether a network lets the sender name a message. The numbers are the wire's.
type IdempotentSend int32

// Whether a lost answer can be settled by sending the same name again.
const (
	IdempotentUnspecified IdempotentSend = 0
	IdempotentNone        IdempotentSend = 1
	IdempotentNamed       IdempotentSend = 2
)

// ChannelCaps says what a channel can do and where its limits are.
type ChannelCaps struct {
	ChatKinds []message.ChatKind
	TextLimit TextLimit
	Spans     []message.SpanKind
	Media     []MediaCap
	// The powers below are filled in by the SDK from the interfaces a plugin has.
	Poll, Edit, Delete, React, Typing, Drafts, Receipts bool

	Pacing         Pacing
	IdempotentSend IdempotentSend
	// IdempotentWindowMS is how long the network remembers a name; 0 with Named = for ever.
	IdempotentWindowMS int64
}

// AgentCaps says what an agent runtime can do.
type AgentCaps struct {
	ModelAPIs []string
	Tools     []string
}

// HTTPRoute is a path on the gateway's port whose requests go to the worker.
type HTTPRoute struct {
	Path    string
	Methods []string
}

func (d Description) toWire() *pluginv1.DescribeResponse {
	w := &pluginv1.DescribeResponse{
		Id: d.ID, Label: d.Label, Kind: pluginv1.Kind(d.Kind), Version: d.Version, Features: d.Features,
		ConfigSchemaJson: string(d.ConfigSchema), SensitivePaths: d.SensitivePaths,
	}
	for _, c := range d.Contracts {
		w.Contracts = append(w.Contracts, &pluginv1.ContractVersions{Name: c.Name, Versions: c.Versions})
	}
	for _, r := range d.HTTPRoutes {
		w.HttpRoutes = append(w.HttpRoutes, &pluginv1.HttpRoute{Path: r.Path, Methods: r.Methods})
	}
	if c := d.Channel; c != nil {
		w.Channel = c.toWire()
	}
	if a := d.Agent; a != nil {
		w.Agent = &pluginv1.AgentCaps{ModelApis: a.ModelAPIs, Tools: a.Tools}
	}
	return w
}

func descriptionFromWire(w *pluginv1.DescribeResponse) Description {
	d := Description{
		ID: w.GetId(), Label: w.GetLabel(), Kind: Kind(w.GetKind()), Version: w.GetVersion(), Features: w.GetFeatures(),
		ConfigSchema: json.RawMessage(w.GetConfigSchemaJson()), SensitivePaths: w.GetSensitivePaths(),
	}
	for _, c := range w.GetContracts() {
		d.Contracts = append(d.Contracts, ContractVersions{Name: c.GetName(), Versions: c.GetVersions()})
	}
	for _, r := range w.GetHttpRoutes() {
		d.HTTPRoutes = append(d.HTTPRoutes, HTTPRoute{Path: r.GetPath(), Methods: r.GetMethods()})
	}
	if c := w.GetChannel(); c != nil {
		caps := capsFromWire(c)
		d.Channel = &caps
	}
	if a := w.GetAgent(); a != nil {
		d.Agent = &AgentCaps{ModelAPIs: a.GetModelApis(), Tools: a.GetTools()}
	}
	return d
}

func (c ChannelCaps) toWire() *pluginv1.ChannelCaps {
	w := &pluginv1.ChannelCaps{
		TextLimit: &pluginv1.TextLimit{
			N: uint32(max(c.TextLimit.N, 0)), Unit: pluginv1.LengthUnit(c.TextLimit.Unit),
			CaptionN: uint32(max(c.TextLimit.CaptionN, 0)), MaxLines: uint32(max(c.TextLimit.MaxLines, 0)),
		},
		Poll: c.Poll, Edit: c.Edit, Delete: c.Delete, React: c.React, Typing: c.Typing, Drafts: c.Drafts, Receipts: c.Receipts,
		Pacing:             &pluginv1.Pacing{PerConversationMs: c.Pacing.PerConversationMS, PerAccountMs: c.Pacing.PerAccountMS},
		IdempotentSend:     pluginv1.IdempotentSend(c.IdempotentSend),
		IdempotentWindowMs: c.IdempotentWindowMS,
	}
	for _, k := range c.ChatKinds {
		w.ChatKinds = append(w.ChatKinds, messagev1.ChatKind(k))
	}
	for _, s := range c.Spans {
		w.Spans = append(w.Spans, messagev1.SpanKind(s))
	}
	for _, m := range c.Media {
		w.Media = append(w.Media, &pluginv1.MediaCap{Kind: messagev1.MediaKind(m.Kind), MaxBytesIn: m.MaxIn, MaxBytesOut: m.MaxOut})
	}
	return w
}

func capsFromWire(w *pluginv1.ChannelCaps) ChannelCaps {
	c := ChannelCaps{
		TextLimit: TextLimit{
			N: int(w.GetTextLimit().GetN()), Unit: LengthUnit(w.GetTextLimit().GetUnit()),
			CaptionN: int(w.GetTextLimit().GetCaptionN()), MaxLines: int(w.GetTextLimit().GetMaxLines()),
		},
		Poll: w.GetPoll(), Edit: w.GetEdit(), Delete: w.GetDelete(), React: w.GetReact(), Typing: w.GetTyping(),
		Drafts: w.GetDrafts(), Receipts: w.GetReceipts(),
		Pacing:             Pacing{PerConversationMS: w.GetPacing().GetPerConversationMs(), PerAccountMS: w.GetPacing().GetPerAccountMs()},
		IdempotentSend:     IdempotentSend(w.GetIdempotentSend()),
		IdempotentWindowMS: w.GetIdempotentWindowMs(),
	}
	for _, k := range w.GetChatKinds() {
		c.ChatKinds = append(c.ChatKinds, message.ChatKind(k))
	}
	for _, s := range w.GetSpans() {
		c.Spans = append(c.Spans, message.SpanKind(s))
	}
	for _, m := range w.GetMedia() {
		c.Media = append(c.Media, MediaCap{Kind: message.MediaKind(m.GetKind()), MaxIn: m.GetMaxBytesIn(), MaxOut: m.GetMaxBytesOut()})
	}
	return c
}
