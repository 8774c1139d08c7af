package channel

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Plugin is what every channel does. The base methods (Describe, Configure, Attached,
// Drain) are documented at plugin.Base.
type Plugin interface {
	plugin.Base
	// StartAccount begins to connect one account and returns before it is connected;
	// progress and failure travel as AccountState on the line. Called again with the same
	// revision it does nothing, with a higher one it restarts the account. ctx is the call's, not the account's.
	StartAccount(ctx context.Context, a AccountStart) error
	// StopAccount disconnects one account and keeps its credentials. Idempotent. Returns once nothing more will be reported for it.
	StopAccount(ctx context.Context, account AccountID, revision uint64) error
	// Send puts one message, or one album, on the network, and says truthfully what became
	// of it: message.Unknown when the network may have taken it. Blocks until that is known; ctx carries the
	// deadline. Never retries, except a rendering that was refused: once, as plain text. media
	// gives the files of m.Media in order.
	Send(ctx context.Context, m Outbound, media MediaSource) SendResult
}

// AccountStart is what an account needs to connect.
type AccountStart struct {
	Account AccountID
	// Config is the account's finished block: channel settings with its own laid over them.
	Config   json.RawMessage
	Revision uint64
	// Cursors are what was last stored with an event of this account.
	Cursors []Cursor
}

// MediaSource gives the files of an outbound message one after the other.
type MediaSource interface {
	// Next returns the next file; its reader must be read to the end before Next is
	// called again. io.EOF after the last.
	Next() (MediaMeta, io.Reader, error)
}

// MediaFetcher is an optional power: bytes behind a MediaRef.
type MediaFetcher interface {
	// FetchMedia writes the bytes to w, at most maxBytes (0 = the channel's own limit), and
	// returns what is better known now than when the ref was made (kind, mime, name, size). Repeatable, also after a restart.
	FetchMedia(ctx context.Context, account AccountID, ref MediaRef, maxBytes int64, w io.Writer) (MediaMeta, error)
}

// MessageRef names a message on the network.
type MessageRef struct {
	// Delivery is the idempotency key of the change that is asked for.
	Delivery     DeliveryID
	Account      AccountID
	Conversation ConversationID
	Thread       ThreadID
	ID           MessageID
}

// Editor is an optional power: replacing the text of a message of ours.
type Editor interface {
	Edit(ctx context.Context, ref MessageRef, text Text, channelData string) SendResult
}

// Deleter is an optional power: taking back a message of ours.
type Deleter interface {
	Delete(ctx context.Context, ref MessageRef) SendResult
}

// Reactor is an optional power: putting a reaction on a message, or with remove taking it away.
type Reactor interface {
	React(ctx context.Context, ref MessageRef, emoji string, remove bool) SendResult
}

// Poll is a question with options.
type Poll struct {
	Delivery      DeliveryID
	Account       AccountID
	Conversation  ConversationID
	Thread        ThreadID
	Question      string
	Options       []string
	MaxSelections int
	Duration      time.Duration
}

// Poller is an optional power: sending a poll.
type Poller interface {
	Poll(ctx context.Context, p Poll) SendResult
}

// Place is where something best effort is shown.
type Place struct {
	Account      AccountID
	Conversation ConversationID
	Thread       ThreadID
}

// Typer is an optional power: showing that an answer is being written. Best effort.
type Typer interface {
	Typing(ctx context.Context, p Place, active bool) error
}

// ReadMarker is an optional power: telling the network what was read. Best effort.
type ReadMarker interface {
	MarkRead(ctx context.Context, p Place, sender PersonID, ids []MessageID) error
}

// Drafter is an optional power: showing an answer while it grows. Best effort.
type Drafter interface {
	Draft(ctx context.Context, p Place, draftID int64, text Text) error
}

// Reconciliation is what became of a delivery whose answer was lost. The numbers are the wire's.
type Reconciliation int32

// The findings; unspecified counts as CannotTell.
const (
	ReconcileUnspecified Reconciliation = 0
	Found                Reconciliation = 1
	Absent               Reconciliation = 2
	CannotTell           Reconciliation = 3
)

// Reconciler is an optional power: asking the network what became of a delivery.
type Reconciler interface {
	Reconcile(ctx context.Context, delivery DeliveryID, p Place, since time.Time) (Reconciliation, MessageID, error)
}

// LoginRequest asks to link an account.
type LoginRequest struct {
	Account AccountID
	// Phone asks for a pair code; empty = QR.
	Phone string
	// Force replaces credentials that are still good.
	Force bool
}

// LoginStep is one thing to show while an account is linked. Exactly one field is set.
type LoginStep struct {
	QR       *LoginCode
	PairCode *LoginCode
	Waiting  string
	Linked   *Sender
	Failed   *LoginFailure
}

// LoginCode is a code with its end.
type LoginCode struct {
	Code      string
	ExpiresMS int64
}

// LoginFailure says why linking failed and what to do.
type LoginFailure struct{ Code, Text, Action string }

// Loginer is an optional power: linking an account by QR or code, and unlinking it.
type Loginer interface {
	// Login links an account; step is called in order from one goroutine. Ends with Linked or
	// Failed, or with ctx, which aborts it. A failed login leaves earlier credentials usable.
	Login(ctx context.Context, r LoginRequest, step func(LoginStep) error) error
	// Logout deletes the account's credentials: nothing else may. It reports whether there were any.
	Logout(ctx context.Context, account AccountID) (bool, error)
}

// Target is what a person's words were resolved to.
type Target struct {
	Conversation ConversationID
	Thread       ThreadID
	ChatKind     message.ChatKind
	Name         string
}

// Resolver is an optional power: turning what a person typed into a conversation.
type Resolver interface {
	ResolveTarget(ctx context.Context, account AccountID, target string) (Target, error)
}

// DirectoryEntry is a person or a group.
type DirectoryEntry struct {
	ID, Name, Handle string
	ChatKind         message.ChatKind
}

// DirectoryLister is an optional power: listing people and groups. kind is "self", "peers" or "groups".
type DirectoryLister interface {
	Directory(ctx context.Context, account AccountID, kind, query string, limit int) ([]DirectoryEntry, error)
}

// Group describes one group.
type Group struct {
	Name, Topic string
	Members     []Sender
}

// GroupInformer is an optional power: describing one group.
type GroupInformer interface {
	GroupInfo(ctx context.Context, account AccountID, conversation ConversationID) (Group, error)
}

// Actor is an optional power: what only this channel can do.
type Actor interface {
	Action(ctx context.Context, account AccountID, name string, params json.RawMessage, delivery DeliveryID) (json.RawMessage, SendResult)
}

// HTTPRequest is a request that came in on the gateway's port; at most 1 MiB.
type HTTPRequest struct {
	Method, Path, Query string
	Headers             []HTTPHeader
	Body                []byte
}

// HTTPHeader is one header line.
type HTTPHeader struct{ Name, Value string }

// HTTPResponse is the answer to it; at most 1 MiB.
type HTTPResponse struct {
	Status  int
	Headers []HTTPHeader
	Body    []byte
}

// HTTPServer is an optional power: answering the routes named in Describe.
type HTTPServer interface {
	ServeHTTP(ctx context.Context, r HTTPRequest) (HTTPResponse, error)
}

// Names of the optional powers, as they stand in Description.Features.
const (
	FeatureFetchMedia = "fetch_media"
	FeatureEdit       = "edit"
	FeatureDelete     = "delete"
	FeatureReact      = "react"
	FeaturePoll       = "poll"
	FeatureTyping     = "typing"
	FeatureMarkRead   = "mark_read"
	FeatureDraft      = "draft"
	FeatureReconcile  = "reconcile"
	FeatureLogin      = "login"
	FeatureResolve    = "resolve_target"
	FeatureDirectory  = "directory"
	FeatureGroupInfo  = "group_info"
	FeatureAction     = "action"
	FeatureHTTP       = "http"
)

// Features lists the optional powers that p has, in a fixed order.
func Features(p Plugin) []string {
	var out []string
	add := func(name string, has bool) {
		if has {
			out = append(out, name)
		}
	}
	_, fetch := p.(MediaFetcher)
	_, edit := p.(Editor)
	_, del := p.(Deleter)
	_, react := p.(Reactor)
	_, poll := p.(Poller)
	_, typing := p.(Typer)
	_, read := p.(ReadMarker)
	_, draft := p.(Drafter)
	_, reconcile := p.(Reconciler)
	_, login := p.(Loginer)
	_, resolve := p.(Resolver)
	_, directory := p.(DirectoryLister)
	_, group := p.(GroupInformer)
	_, action := p.(Actor)
	_, web := p.(HTTPServer)
	add(FeatureFetchMedia, fetch)
	add(FeatureEdit, edit)
	add(FeatureDelete, del)
	add(FeatureReact, react)
	add(FeaturePoll, poll)
	add(FeatureTyping, typing)
	add(FeatureMarkRead, read)
	add(FeatureDraft, draft)
	add(FeatureReconcile, reconcile)
	add(FeatureLogin, login)
	add(FeatureResolve, resolve)
	add(FeatureDirectory, directory)
	add(FeatureGroupInfo, group)
	add(FeatureAction, action)
	add(FeatureHTTP, web)
	return out
}
