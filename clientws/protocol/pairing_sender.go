package protocol

// Methods of the pairing of senders (ours): people who want to write to a channel, as
// opposed to devices that want to connect.
const (
	MethodPairingList    = "pairing.list"
	MethodPairingApprove = "pairing.approve"
	MethodPairingReject  = "pairing.reject"
)

// PairingListParams are the parameters of pairing.list. An empty Channel means all.
type PairingListParams struct {
	Channel string `json:"channel,omitempty"`
}

// PairingListResult is the result of pairing.list: by channel, the oldest request first.
// Channel is that of the parameters.
type PairingListResult struct {
	Channel  string           `json:"channel,omitempty"`
	Requests []PairingRequest `json:"requests"`
}

// PairingRequest is a sender who waits to be let in. Times are ISO 8601 in UTC.
type PairingRequest struct {
	Channel    string            `json:"channel"`
	ID         string            `json:"id"`
	Code       string            `json:"code"`
	CreatedAt  string            `json:"createdAt"`
	LastSeenAt string            `json:"lastSeenAt"`
	Meta       map[string]string `json:"meta,omitempty"`
}

// PairingApproveParams are the parameters of pairing.approve. The code is taken in either case.
type PairingApproveParams struct {
	Channel string `json:"channel"`
	Code    string `json:"code"`
	// Notify tells the sender, over the channel.
	Notify bool `json:"notify,omitempty"`
}

// PairingApproveResult is the result of pairing.approve. Notified says that the word for
// the sender is stored and goes out, NotifyError why it is not, where that was asked for.
type PairingApproveResult struct {
	OK          bool   `json:"ok"`
	Channel     string `json:"channel"`
	ID          string `json:"id"`
	Notified    bool   `json:"notified,omitempty"`
	NotifyError string `json:"notifyError,omitempty"`
	DeliveryID  string `json:"deliveryId,omitempty"`
}

// PairingRejectParams are the parameters of pairing.reject.
type PairingRejectParams struct {
	Channel string `json:"channel"`
	Code    string `json:"code"`
}

// PairingRejectResult is the result of pairing.reject.
type PairingRejectResult struct {
	OK      bool   `json:"ok"`
	Channel string `json:"channel"`
	ID      string `json:"id"`
}
