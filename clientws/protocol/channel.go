package protocol

import "encoding/json"

// ChannelsStatusParams are the parameters of channels.status.
type ChannelsStatusParams struct {
	Probe     bool   `json:"probe,omitempty"`
	TimeoutMS *int64 `json:"timeoutMs,omitempty"`
}

// ChannelsStatusResult is the result of channels.status. Maps and lists are
// present even when empty.
type ChannelsStatusResult struct {
	TS                      int64                               `json:"ts"`
	ChannelOrder            []string                            `json:"channelOrder"`
	ChannelLabels           map[string]string                   `json:"channelLabels"`
	ChannelDetailLabels     map[string]string                   `json:"channelDetailLabels"`
	ChannelSystemImages     map[string]string                   `json:"channelSystemImages"`
	ChannelMeta             []ChannelUIMeta                     `json:"channelMeta"`
	Channels                map[string]ChannelHealth            `json:"channels"`
	ChannelAccounts         map[string][]ChannelAccountSnapshot `json:"channelAccounts"`
	ChannelDefaultAccountID map[string]string                   `json:"channelDefaultAccountId"`
}

// ChannelUIMeta names a channel for people.
type ChannelUIMeta struct {
	ID          string `json:"id"`
	Label       string `json:"label"`
	DetailLabel string `json:"detailLabel"`
	SystemImage string `json:"systemImage,omitempty"`
}

// ChannelAccountSnapshot is one account of a channel.
type ChannelAccountSnapshot struct {
	AccountID         string          `json:"accountId"`
	Name              string          `json:"name,omitempty"`
	Enabled           *bool           `json:"enabled,omitempty"`
	Configured        *bool           `json:"configured,omitempty"`
	Linked            *bool           `json:"linked,omitempty"`
	Running           *bool           `json:"running,omitempty"`
	Connected         *bool           `json:"connected,omitempty"`
	ReconnectAttempts *int64          `json:"reconnectAttempts,omitempty"`
	LastConnectedAt   int64           `json:"lastConnectedAt,omitempty"`
	LastError         string          `json:"lastError,omitempty"`
	LastStartAt       int64           `json:"lastStartAt,omitempty"`
	LastStopAt        int64           `json:"lastStopAt,omitempty"`
	LastInboundAt     int64           `json:"lastInboundAt,omitempty"`
	LastOutboundAt    int64           `json:"lastOutboundAt,omitempty"`
	LastProbeAt       int64           `json:"lastProbeAt,omitempty"`
	Mode              string          `json:"mode,omitempty"`
	DMPolicy          string          `json:"dmPolicy,omitempty"`
	AllowFrom         []string        `json:"allowFrom,omitempty"`
	TokenSource       string          `json:"tokenSource,omitempty"`
	BaseURL           string          `json:"baseUrl,omitempty"`
	Probe             json.RawMessage `json:"probe,omitempty"`
	State             *WorkerAccount  `json:"state,omitempty"`
}

// SendParams are the parameters of send.
type SendParams struct {
	To             string   `json:"to"`
	Message        string   `json:"message"`
	MediaURL       string   `json:"mediaUrl,omitempty"`
	MediaURLs      []string `json:"mediaUrls,omitempty"`
	GIFPlayback    bool     `json:"gifPlayback,omitempty"`
	Channel        string   `json:"channel,omitempty"`
	AccountID      string   `json:"accountId,omitempty"`
	SessionKey     string   `json:"sessionKey,omitempty"`
	IdempotencyKey string   `json:"idempotencyKey"`
}

// SendResult is the result of send.
type SendResult struct {
	RunID          string `json:"runId"`
	MessageID      string `json:"messageId"`
	Channel        string `json:"channel"`
	ConversationID string `json:"conversationId,omitempty"`
	DeliveryID     string `json:"deliveryId,omitempty"`
}
