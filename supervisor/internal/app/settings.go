package app

import (
	"encoding/json"
	"time"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/outbox"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/router"
)

// accountBlock is what the supervisor itself reads of an account's block.
type accountBlock struct {
	DMPolicy  string            `json:"dmPolicy"`
	AllowFrom []json.RawMessage `json:"allowFrom"`
	DM        struct {
		Enabled   *bool             `json:"enabled"`
		Policy    string            `json:"policy"`
		AllowFrom []json.RawMessage `json:"allowFrom"`
	} `json:"dm"`
	TextChunkLimit int    `json:"textChunkLimit"`
	LinkPreview    *bool  `json:"linkPreview"`
	ReplyToMode    string `json:"replyToMode"`
}

func readBlock(raw json.RawMessage) accountBlock {
	var b accountBlock
	// The block passed the schema; a part of it that does not fit is as if it were not set.
	_ = json.Unmarshal(raw, &b)
	return b
}

// channelSettings reads access rules; a policy that is not set is pairing (spec: direct-message policy).
func channelSettings(raw json.RawMessage) router.ChannelSettings {
	b := readBlock(raw)
	out := router.ChannelSettings{DMPolicy: b.DMPolicy}
	list := b.AllowFrom
	if out.DMPolicy == "" {
		out.DMPolicy = b.DM.Policy
	}
	if out.DMPolicy == "" {
		out.DMPolicy = router.PolicyPairing
	}
	if b.DM.Enabled != nil && !*b.DM.Enabled {
		out.DMPolicy = router.PolicyDisabled
	}
	if len(list) == 0 {
		list = b.DM.AllowFrom
	}
	for _, raw := range list {
		out.AllowFrom = append(out.AllowFrom, idText(raw))
	}
	return out
}

// idText reads an id that may be written as a number.
func idText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// retryBlock is channels.<id>.retry.
type retryBlock struct {
	Retry struct {
		Attempts   *int     `json:"attempts"`
		MinDelayMS *int     `json:"minDelayMs"`
		MaxDelayMS *int     `json:"maxDelayMs"`
		Jitter     *float64 `json:"jitter"`
	} `json:"retry"`
}

// retry gives a channel's rules for trying again: the defaults with its own figures laid over them.
func (a *App) retry(id string) outbox.Retry {
	out := outbox.DefaultRetry()
	block, ok := a.store.Snapshot().ChannelBlock(id)
	if !ok {
		return out
	}
	var b retryBlock
	_ = json.Unmarshal(block.Common, &b)
	if v := b.Retry.Attempts; v != nil && *v > 0 {
		out.Attempts = *v
	}
	if v := b.Retry.MinDelayMS; v != nil && *v >= 0 {
		out.MinDelay = time.Duration(*v) * time.Millisecond
	}
	if v := b.Retry.MaxDelayMS; v != nil && *v > 0 {
		out.MaxDelay = time.Duration(*v) * time.Millisecond
	}
	if v := b.Retry.Jitter; v != nil && *v >= 0 && *v <= 1 {
		out.Jitter = *v
	}
	return out
}
