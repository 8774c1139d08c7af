package plugin

import (
	"fmt"

	pluginv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/plugin/v1"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Event is one thing that happened on a network or to an account. Exactly one of
// the pointers is set.
type Event struct {
	// ID grows by one per event of a process, from 1; the Line gives it.
	ID           uint64
	Inbound      *message.Inbound
	Edit         *message.InboundEdit
	Reaction     *message.InboundReaction
	AccountState *AccountState
	Gap          *Gap
	Receipt      *Receipt
}

// Account names the account that the event is about.
func (e Event) Account() message.AccountID {
	switch {
	case e.Inbound != nil:
		return e.Inbound.Account
	case e.Edit != nil:
		return e.Edit.Message.Account
	case e.Reaction != nil:
		return e.Reaction.Account
	case e.AccountState != nil:
		return e.AccountState.Account
	case e.Gap != nil:
		return e.Gap.Account
	case e.Receipt != nil:
		return e.Receipt.Account
	}
	return ""
}

// AckCode is the supervisor's word on one event. The numbers are the wire's.
type AckCode int32

// The answers to an event. Each of them allows the worker to acknowledge to its network.
const (
	AckUnspecified AckCode = 0
	// Stored: it is on disk, or, for an event without a row, taken over.
	Stored AckCode = 1
	// Duplicate: it was on disk already.
	Duplicate AckCode = 2
	// RefusedEvent: malformed or over size; counted, and never comes to anything.
	RefusedEvent AckCode = 3
)

// Ack answers one event.
type Ack struct {
	Code   AckCode
	Reason string
}

// AccountPhase is where an account stands. The numbers are the wire's.
type AccountPhase int32

// The phases of an account.
const (
	AccountUnspecified AccountPhase = 0
	AccountOff         AccountPhase = 1
	AccountNeedsLogin  AccountPhase = 2
	AccountConnecting  AccountPhase = 3
	AccountConnected   AccountPhase = 4
	AccountDegraded    AccountPhase = 5
	AccountTerminal    AccountPhase = 6
)

// String gives the word that health, events and the CLI use.
func (p AccountPhase) String() string {
	switch p {
	case AccountOff:
		return "off"
	case AccountNeedsLogin:
		return "needs_login"
	case AccountConnecting:
		return "connecting"
	case AccountConnected:
		return "connected"
	case AccountDegraded:
		return "degraded"
	case AccountTerminal:
		return "terminal"
	}
	return "unspecified"
}

// Condition is one direction of an account's line.
type Condition struct {
	// Code is "ok", or what is wrong.
	Code    string
	SinceMS int64
	// LastProofMS is when this direction was last seen to work; 0 = never.
	LastProofMS int64
	// Action is what the user can do; empty = nothing.
	Action string
	Text   string
}

// AccountState is a worker's word on one account; the latest one holds.
type AccountState struct {
	Account message.AccountID
	Phase   AccountPhase
	// Code, Text and Action are set when terminal, degraded or in need of a login.
	Code, Text, Action string
	Receive, Send      Condition
	// Self is our own id and name on the network, once known.
	Self *message.Sender
}

// Gap says that events of a stretch of time are lost, or may be.
type Gap struct {
	Account      message.AccountID
	FromMS, ToMS int64
	Reason       string
}

// ReceiptKind tells how far a message of ours got. The numbers are the wire's.
type ReceiptKind int32

// The kinds of receipt.
const (
	ReceiptUnspecified ReceiptKind = 0
	ReceiptDelivered   ReceiptKind = 1
	ReceiptRead        ReceiptKind = 2
)

// Receipt says that a message of ours reached, or was read by, its addressee.
// Either Delivery or ID names it.
type Receipt struct {
	Account      message.AccountID
	Conversation message.ConversationID
	Delivery     message.DeliveryID
	ID           message.MessageID
	Kind         ReceiptKind
}

func conditionToWire(c Condition) *pluginv1.Condition {
	return &pluginv1.Condition{Code: c.Code, SinceMs: c.SinceMS, LastProofMs: c.LastProofMS, Action: c.Action, Text: c.Text}
}

func conditionFromWire(w *pluginv1.Condition) Condition {
	return Condition{Code: w.GetCode(), SinceMS: w.GetSinceMs(), LastProofMS: w.GetLastProofMs(), Action: w.GetAction(), Text: w.GetText()}
}

func (e Event) toWire() (*pluginv1.Event, error) {
	w := &pluginv1.Event{Id: e.ID}
	switch {
	case e.Inbound != nil:
		w.Body = &pluginv1.Event_Inbound{Inbound: e.Inbound.ToWire()}
	case e.Edit != nil:
		w.Body = &pluginv1.Event_Edit{Edit: e.Edit.ToWire()}
	case e.Reaction != nil:
		w.Body = &pluginv1.Event_Reaction{Reaction: e.Reaction.ToWire()}
	case e.AccountState != nil:
		s := e.AccountState
		ws := &pluginv1.AccountState{
			Account: string(s.Account), Phase: pluginv1.AccountPhase(s.Phase), Code: s.Code, Text: s.Text, Action: s.Action,
			Receive: conditionToWire(s.Receive), Send: conditionToWire(s.Send),
		}
		if s.Self != nil {
			ws.Self = s.Self.ToWire()
		}
		w.Body = &pluginv1.Event_AccountState{AccountState: ws}
	case e.Gap != nil:
		w.Body = &pluginv1.Event_Gap{Gap: &pluginv1.Gap{Account: string(e.Gap.Account), FromMs: e.Gap.FromMS, ToMs: e.Gap.ToMS, Reason: e.Gap.Reason}}
	case e.Receipt != nil:
		r := e.Receipt
		w.Body = &pluginv1.Event_Receipt{Receipt: &pluginv1.Receipt{
			Account: string(r.Account), Conversation: string(r.Conversation), DeliveryId: string(r.Delivery),
			NetworkId: string(r.ID), Kind: pluginv1.ReceiptKind(r.Kind),
		}}
	default:
		return nil, fmt.Errorf("report event: it has no body")
	}
	return w, nil
}

// eventFromWire gives an Event without a body where the wire's body is not known.
func eventFromWire(w *pluginv1.Event) Event {
	e := Event{ID: w.GetId()}
	switch b := w.GetBody().(type) {
	case *pluginv1.Event_Inbound:
		m := message.InboundFromWire(b.Inbound)
		e.Inbound = &m
	case *pluginv1.Event_Edit:
		m := message.InboundEditFromWire(b.Edit)
		e.Edit = &m
	case *pluginv1.Event_Reaction:
		m := message.InboundReactionFromWire(b.Reaction)
		e.Reaction = &m
	case *pluginv1.Event_AccountState:
		s := b.AccountState
		st := &AccountState{
			Account: message.AccountID(s.GetAccount()), Phase: AccountPhase(s.GetPhase()), Code: s.GetCode(), Text: s.GetText(),
			Action: s.GetAction(), Receive: conditionFromWire(s.GetReceive()), Send: conditionFromWire(s.GetSend()),
		}
		if s.GetSelf() != nil {
			self := message.SenderFromWire(s.GetSelf())
			st.Self = &self
		}
		e.AccountState = st
	case *pluginv1.Event_Gap:
		e.Gap = &Gap{Account: message.AccountID(b.Gap.GetAccount()), FromMS: b.Gap.GetFromMs(), ToMS: b.Gap.GetToMs(), Reason: b.Gap.GetReason()}
	case *pluginv1.Event_Receipt:
		r := b.Receipt
		e.Receipt = &Receipt{
			Account: message.AccountID(r.GetAccount()), Conversation: message.ConversationID(r.GetConversation()),
			Delivery: message.DeliveryID(r.GetDeliveryId()), ID: message.MessageID(r.GetNetworkId()), Kind: ReceiptKind(r.GetKind()),
		}
	}
	return e
}
