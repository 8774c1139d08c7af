package protocol

// Methods of the outbox (ours).
const (
	MethodOutboxList  = "outbox.list"
	MethodOutboxRetry = "outbox.retry"
	MethodOutboxDrop  = "outbox.drop"
)

// OutboxListParams are the parameters of outbox.list. Empty fields match all; Limit is 200 where it is zero.
type OutboxListParams struct {
	// States are queued, attempting, sent, refused, unknown, expired or dropped.
	States  []string `json:"states,omitempty"`
	Channel string   `json:"channel,omitempty"`
	Limit   int      `json:"limit,omitempty"`
}

// OutboxListResult is the result of outbox.list, newest first. Counts are of all deliveries, by state.
type OutboxListResult struct {
	Counts     map[string]int64 `json:"counts"`
	Deliveries []Delivery       `json:"deliveries"`
}

// Delivery is one row of the outbox, without its text. Times are unix ms; zero ones are left out.
type Delivery struct {
	DeliveryID   string `json:"deliveryId"`
	RunID        string `json:"runId"`
	Part         string `json:"part"`
	Chunk        int    `json:"chunk"`
	Channel      string `json:"channel"`
	AccountID    string `json:"accountId"`
	Conversation string `json:"conversationId"`
	State        string `json:"state"`
	Attempts     int    `json:"attempts"`
	MessageID    string `json:"messageId,omitempty"`
	// Cause is a code, with a text behind a colon where there is one.
	Cause     string `json:"cause,omitempty"`
	CreatedAt int64  `json:"createdAt"`
	NotBefore int64  `json:"notBefore,omitempty"`
	ExpiresAt int64  `json:"expiresAt,omitempty"`
}

// OutboxParams are the parameters of outbox.retry and outbox.drop.
type OutboxParams struct {
	DeliveryID string `json:"deliveryId"`
}
