package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	channelv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/channel/v1"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// ErrUnsupported says that the channel lacks the power that was asked for.
var ErrUnsupported = errors.New("the channel does not support this")

// MediaFile is one file of an outbound message, opened when it is sent.
type MediaFile struct {
	Meta MediaMeta
	Open func() (io.ReadCloser, error)
}

// Client is the supervisor's end of the channel contract. It is safe for concurrent
// use and sets no deadlines of its own; see the contract for each rpc's.
type Client struct {
	rpc channelv1.ChannelServiceClient
}

// NewClient speaks the channel contract over the connection of c.
func NewClient(c *plugin.Client) *Client {
	return &Client{rpc: channelv1.NewChannelServiceClient(c.Conn())}
}

func callError(op string, err error) error {
	if err == nil {
		return nil
	}
	if status.Code(err) == codes.Unimplemented {
		return fmt.Errorf("%s: %w", op, ErrUnsupported)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// unknown is the result of a call whose answer was lost.
func unknown(err error) SendResult {
	switch status.Code(err) {
	case codes.Unimplemented:
		return SendResult{Outcome: message.Refused, Code: "unsupported", Text: "the channel does not support this"}
	case codes.InvalidArgument:
		return SendResult{Outcome: message.Refused, Code: "invalid", Text: status.Convert(err).Message()}
	}
	return SendResult{Outcome: message.Unknown, Code: "worker_lost", Text: "the worker did not answer: " + status.Convert(err).Message()}
}

// StartAccount begins to connect one account. Idempotent by revision.
func (c *Client) StartAccount(ctx context.Context, a AccountStart) error {
	r := &channelv1.StartAccountRequest{Account: string(a.Account), ConfigJson: string(a.Config), Revision: a.Revision}
	for i := range a.Cursors {
		r.Cursors = append(r.Cursors, a.Cursors[i].ToWire())
	}
	_, err := c.rpc.StartAccount(ctx, r)
	return callError("start account "+string(a.Account), err)
}

// StopAccount disconnects one account. Idempotent.
func (c *Client) StopAccount(ctx context.Context, account AccountID, revision uint64) error {
	_, err := c.rpc.StopAccount(ctx, &channelv1.StopAccountRequest{Account: string(account), Revision: revision})
	return callError("stop account "+string(account), err)
}

// Send puts one message on the network. A broken call, and a file that cannot be
// read to its end, is message.Unknown.
func (c *Client) Send(ctx context.Context, m Outbound, files []MediaFile) SendResult {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.rpc.Send(ctx)
	if err != nil {
		return SendResult{Outcome: message.NotSent, Code: "worker_unavailable", Text: status.Convert(err).Message()}
	}
	if err := stream.Send(&channelv1.SendRequest{Frame: &channelv1.SendRequest_Message{Message: m.ToWire()}}); err != nil {
		return closeSend(stream)
	}
	for i, f := range files {
		if err := sendFile(stream, uint32(i), f); err != nil {
			if errors.Is(err, io.EOF) {
				return closeSend(stream) // the worker answered, or broke, before the end
			}
			// The worker has the message's head already: what it did with it cannot be known.
			return SendResult{Outcome: message.Unknown, Code: "media_unreadable", Text: err.Error()}
		}
	}
	return closeSend(stream)
}

type sendStream interface {
	Send(*channelv1.SendRequest) error
	CloseAndRecv() (*channelv1.SendResponse, error)
}

func closeSend(s sendStream) SendResult {
	r, err := s.CloseAndRecv()
	if err != nil {
		return unknown(err)
	}
	return message.SendResultFromWire(r.GetResult())
}

func sendFile(s sendStream, index uint32, f MediaFile) error {
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("open media %s: %w", f.Meta.Name, err)
	}
	defer func() { _ = r.Close() }()
	buf := make([]byte, ChunkSize)
	for {
		n, err := io.ReadFull(r, buf)
		if n > 0 {
			chunk := &channelv1.MediaChunk{MediaIndex: index, Data: buf[:n]}
			if serr := s.Send(&channelv1.SendRequest{Frame: &channelv1.SendRequest_Chunk{Chunk: chunk}}); serr != nil {
				return io.EOF
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("read media %s: %w", f.Meta.Name, err)
		}
	}
}

// FetchMedia writes the bytes behind ref to w; ErrTooLarge beyond maxBytes.
func (c *Client) FetchMedia(ctx context.Context, account AccountID, ref MediaRef, maxBytes int64, w io.Writer) (MediaMeta, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	meta := MediaMeta{Kind: ref.Kind, MIME: ref.MIME, Name: ref.Name}
	stream, err := c.rpc.FetchMedia(ctx, &channelv1.FetchMediaRequest{Account: string(account), Ref: ref.ToWire(), MaxBytes: maxBytes})
	if err != nil {
		return meta, callError("fetch media", err)
	}
	for {
		f, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return meta, nil
		}
		if status.Code(err) == codes.ResourceExhausted {
			return meta, fmt.Errorf("fetch media: %w", ErrTooLarge)
		}
		if err != nil {
			return meta, callError("fetch media", err)
		}
		meta.Size += int64(len(f.GetChunk()))
		if maxBytes > 0 && meta.Size > maxBytes {
			return meta, fmt.Errorf("fetch media: %w", ErrTooLarge)
		}
		if f.GetMime() != "" {
			meta.MIME = f.GetMime()
		}
		if f.GetName() != "" {
			meta.Name = f.GetName()
		}
		if _, err := w.Write(f.GetChunk()); err != nil {
			return meta, fmt.Errorf("fetch media: %w", err)
		}
	}
}

// Login links an account and tells each step; it ends with the worker's last step, or with ctx, which aborts it.
func (c *Client) Login(ctx context.Context, r LoginRequest, step func(LoginStep)) error {
	stream, err := c.rpc.Login(ctx, &channelv1.LoginRequest{Account: string(r.Account), Phone: r.Phone, Force: r.Force})
	if err != nil {
		return callError("login", err)
	}
	for {
		f, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return callError("login", err)
		}
		step(loginStepFromWire(f))
	}
}

func loginStepFromWire(w *channelv1.LoginResponse) LoginStep {
	switch b := w.GetStep().(type) {
	case *channelv1.LoginResponse_Qr:
		return LoginStep{QR: &LoginCode{Code: b.Qr.GetCode(), ExpiresMS: b.Qr.GetExpiresAtMs()}}
	case *channelv1.LoginResponse_PairCode:
		return LoginStep{PairCode: &LoginCode{Code: b.PairCode.GetCode(), ExpiresMS: b.PairCode.GetExpiresAtMs()}}
	case *channelv1.LoginResponse_Linked:
		self := message.SenderFromWire(b.Linked.GetSelf())
		return LoginStep{Linked: &self}
	case *channelv1.LoginResponse_Failed:
		return LoginStep{Failed: &LoginFailure{Code: b.Failed.GetCode(), Text: b.Failed.GetText(), Action: b.Failed.GetAction()}}
	}
	return LoginStep{Waiting: w.GetWaiting().GetText()}
}

// Logout deletes the account's credentials and reports whether there were any.
func (c *Client) Logout(ctx context.Context, account AccountID) (bool, error) {
	r, err := c.rpc.Logout(ctx, &channelv1.LogoutRequest{Account: string(account)})
	return r.GetRemoved(), callError("logout", err)
}

// Edit replaces the text of a message of ours.
func (c *Client) Edit(ctx context.Context, ref MessageRef, text Text, channelData string) SendResult {
	r, err := c.rpc.Edit(ctx, &channelv1.EditRequest{
		DeliveryId: string(ref.Delivery), Account: string(ref.Account), Conversation: string(ref.Conversation), Thread: string(ref.Thread),
		NetworkId: string(ref.ID), Text: text.ToWire(), ChannelDataJson: channelData,
	})
	if err != nil {
		return unknown(err)
	}
	return message.SendResultFromWire(r.GetResult())
}

// Delete takes back a message of ours.
func (c *Client) Delete(ctx context.Context, ref MessageRef) SendResult {
	r, err := c.rpc.Delete(ctx, &channelv1.DeleteRequest{
		DeliveryId: string(ref.Delivery), Account: string(ref.Account), Conversation: string(ref.Conversation), Thread: string(ref.Thread), NetworkId: string(ref.ID),
	})
	if err != nil {
		return unknown(err)
	}
	return message.SendResultFromWire(r.GetResult())
}

// React puts a reaction on a message, or takes it away.
func (c *Client) React(ctx context.Context, ref MessageRef, emoji string, remove bool) SendResult {
	r, err := c.rpc.React(ctx, &channelv1.ReactRequest{
		DeliveryId: string(ref.Delivery), Account: string(ref.Account), Conversation: string(ref.Conversation), Thread: string(ref.Thread),
		NetworkId: string(ref.ID), Emoji: emoji, Remove: remove,
	})
	if err != nil {
		return unknown(err)
	}
	return message.SendResultFromWire(r.GetResult())
}

// Poll sends a poll.
func (c *Client) Poll(ctx context.Context, p Poll) SendResult {
	r, err := c.rpc.Poll(ctx, &channelv1.PollRequest{
		DeliveryId: string(p.Delivery), Account: string(p.Account), Conversation: string(p.Conversation), Thread: string(p.Thread),
		Question: p.Question, Options: p.Options, MaxSelections: uint32(max(p.MaxSelections, 0)), DurationMs: p.Duration.Milliseconds(),
	})
	if err != nil {
		return unknown(err)
	}
	return message.SendResultFromWire(r.GetResult())
}

// Typing shows, or stops showing, that an answer is being written. Best effort.
func (c *Client) Typing(ctx context.Context, p Place, active bool) error {
	_, err := c.rpc.Typing(ctx, &channelv1.TypingRequest{Account: string(p.Account), Conversation: string(p.Conversation), Thread: string(p.Thread), Active: active})
	return callError("typing", err)
}

// MarkRead tells the network what was read. Best effort.
func (c *Client) MarkRead(ctx context.Context, p Place, sender PersonID, ids []MessageID) error {
	r := &channelv1.MarkReadRequest{Account: string(p.Account), Conversation: string(p.Conversation), Sender: string(sender)}
	for _, id := range ids {
		r.NetworkIds = append(r.NetworkIds, string(id))
	}
	_, err := c.rpc.MarkRead(ctx, r)
	return callError("mark read", err)
}

// Draft shows an answer while it grows. Best effort.
func (c *Client) Draft(ctx context.Context, p Place, draftID int64, text Text) error {
	_, err := c.rpc.Draft(ctx, &channelv1.DraftRequest{Account: string(p.Account), Conversation: string(p.Conversation), Thread: string(p.Thread), DraftId: draftID, Text: text.ToWire()})
	return callError("draft", err)
}

// Reconcile asks what became of a delivery whose answer was lost. CannotTell with any error.
func (c *Client) Reconcile(ctx context.Context, delivery DeliveryID, p Place, since time.Time) (Reconciliation, MessageID, error) {
	r, err := c.rpc.Reconcile(ctx, &channelv1.ReconcileRequest{
		DeliveryId: string(delivery), Account: string(p.Account), Conversation: string(p.Conversation), Thread: string(p.Thread), SinceMs: since.UnixMilli(),
	})
	if err != nil {
		return CannotTell, "", callError("reconcile", err)
	}
	switch found := Reconciliation(r.GetFound()); found {
	case Found, Absent:
		return found, MessageID(r.GetNetworkId()), nil
	}
	return CannotTell, "", nil
}

// ResolveTarget turns what a person typed into a conversation.
func (c *Client) ResolveTarget(ctx context.Context, account AccountID, target string) (Target, error) {
	r, err := c.rpc.ResolveTarget(ctx, &channelv1.ResolveTargetRequest{Account: string(account), Target: target})
	return Target{Conversation: ConversationID(r.GetConversation()), Thread: ThreadID(r.GetThread()), ChatKind: message.ChatKind(r.GetChatKind()), Name: r.GetName()},
		callError("resolve target", err)
}

// Directory lists people or groups.
func (c *Client) Directory(ctx context.Context, account AccountID, kind, query string, limit int) ([]DirectoryEntry, error) {
	r, err := c.rpc.Directory(ctx, &channelv1.DirectoryRequest{Account: string(account), Kind: kind, Query: query, Limit: uint32(max(limit, 0))})
	var out []DirectoryEntry
	for _, e := range r.GetEntries() {
		out = append(out, DirectoryEntry{ID: e.GetId(), Name: e.GetName(), Handle: e.GetHandle(), ChatKind: message.ChatKind(e.GetChatKind())})
	}
	return out, callError("directory", err)
}

// GroupInfo describes one group.
func (c *Client) GroupInfo(ctx context.Context, account AccountID, conversation ConversationID) (Group, error) {
	r, err := c.rpc.GroupInfo(ctx, &channelv1.GroupInfoRequest{Account: string(account), Conversation: string(conversation)})
	g := Group{Name: r.GetName(), Topic: r.GetTopic()}
	for _, m := range r.GetMembers() {
		g.Members = append(g.Members, message.SenderFromWire(m))
	}
	return g, callError("group info", err)
}

// Action does what only this channel can do.
func (c *Client) Action(ctx context.Context, account AccountID, name string, params json.RawMessage, delivery DeliveryID) (json.RawMessage, SendResult) {
	r, err := c.rpc.Action(ctx, &channelv1.ActionRequest{Account: string(account), Name: name, ParamsJson: string(params), DeliveryId: string(delivery)})
	if err != nil {
		return nil, unknown(err)
	}
	return json.RawMessage(r.GetResultJson()), message.SendResultFromWire(r.GetResult())
}

// HTTP hands over a request for one of the worker's routes.
func (c *Client) HTTP(ctx context.Context, r HTTPRequest) (HTTPResponse, error) {
	w := &channelv1.HttpRequest{Method: r.Method, Path: r.Path, Query: r.Query, Body: r.Body}
	for _, h := range r.Headers {
		w.Headers = append(w.Headers, &channelv1.HttpHeader{Name: h.Name, Value: h.Value})
	}
	res, err := c.rpc.Http(ctx, w)
	out := HTTPResponse{Status: int(res.GetStatus()), Body: res.GetBody()}
	for _, h := range res.GetHeaders() {
		out.Headers = append(out.Headers, HTTPHeader{h.GetName(), h.GetValue()})
	}
	return out, callError("http", err)
}
