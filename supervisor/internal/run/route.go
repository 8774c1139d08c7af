package run

import (
	"encoding/json"
	"fmt"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Webchat is the channel word of conversations that have no network: the page, the
// CLI and other clients of the control plane.
const Webchat = "webchat"

// Route is where a run came from and where its answer goes. It is frozen in the run
// row when the run is admitted: nothing that happens later can misdirect an answer.
type Route struct {
	Channel      string                 `json:"channel"`
	Account      message.AccountID      `json:"account,omitempty"`
	Conversation message.ConversationID `json:"conversation,omitempty"`
	Thread       message.ThreadID       `json:"thread,omitempty"`
	ChatKind     string                 `json:"chatKind,omitempty"`
	// ReplyTo is the message that started the run.
	ReplyTo message.MessageID `json:"replyTo,omitempty"`
	// Deliver says that the answer goes out through the outbox; else clients of the control plane read it.
	Deliver bool `json:"deliver,omitempty"`
}

// Input is one user message of a run, as it is frozen.
type Input struct {
	ID          string             `json:"id"`
	Text        string             `json:"text"`
	Attachments []agent.Attachment `json:"attachments,omitempty"`
	TimestampMS int64              `json:"timestampMs"`
}

// Plan is everything about a run that is decided at admission and never again.
type Plan struct {
	Route Route `json:"-"`
	// SessionKeyAsSent is the caller's spelling of the session, which some events repeat.
	SessionKeyAsSent string       `json:"sessionKeyAsSent,omitempty"`
	Inputs           []Input      `json:"inputs"`
	Policy           agent.Policy `json:"policy,omitzero"`
	Workspace        string       `json:"workspace"`
	Transcript       string       `json:"transcript"`
	TimeoutMS        int64        `json:"timeoutMs,omitempty"`
	PreviousAborted  bool         `json:"previousAborted,omitempty"`
}

func (p Plan) marshal() (route, inputs []byte, err error) {
	if route, err = json.Marshal(p.Route); err != nil {
		return nil, nil, fmt.Errorf("freeze route: %w", err)
	}
	if inputs, err = json.Marshal(p); err != nil {
		return nil, nil, fmt.Errorf("freeze inputs: %w", err)
	}
	return route, inputs, nil
}

func unmarshalPlan(route, inputs []byte) (Plan, error) {
	var p Plan
	if err := json.Unmarshal(inputs, &p); err != nil {
		return Plan{}, fmt.Errorf("read frozen inputs: %w", err)
	}
	if err := json.Unmarshal(route, &p.Route); err != nil {
		return Plan{}, fmt.Errorf("read frozen route: %w", err)
	}
	return p, nil
}

func (p Plan) agentInputs() []agent.Input {
	out := make([]agent.Input, len(p.Inputs))
	for i, in := range p.Inputs {
		out[i] = agent.Input{ID: in.ID, Text: in.Text, Attachments: in.Attachments, TimestampMS: in.TimestampMS}
	}
	return out
}
