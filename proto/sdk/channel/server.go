package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	channelv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/channel/v1"
	messagev1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/message/v1"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// ChunkSize is the most bytes of media in one frame.
const ChunkSize = 64 << 10

// ErrTooLarge says that media is larger than the limit that was given.
var ErrTooLarge = errors.New("media is larger than allowed")

// server turns the wire's calls into a Plugin's. A power that the plugin lacks
// answers UNIMPLEMENTED.
type server struct {
	channelv1.UnimplementedChannelServiceServer
	p Plugin
	// attached is closed once the plugin has its line: until then no account is started.
	attached chan struct{}
}

func newServer(p Plugin) *server { return &server{p: p, attached: make(chan struct{})} }

func (s *server) register(g *grpc.Server) { channelv1.RegisterChannelServiceServer(g, s) }

func lacks(rpc string) error {
	return status.Errorf(codes.Unimplemented, "this channel has no %s", rpc)
}

// wireError keeps a status that the plugin made and wraps everything else by kind.
func wireError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	var invalid *plugin.InvalidConfigError
	switch {
	case errors.As(err, &invalid):
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, ErrTooLarge):
		return status.Error(codes.ResourceExhausted, err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, err.Error())
	}
	return status.Error(codes.Internal, err.Error())
}

func (s *server) StartAccount(ctx context.Context, r *channelv1.StartAccountRequest) (*channelv1.StartAccountResponse, error) {
	// The host's call may overtake its own Hello: they travel on different streams.
	select {
	case <-s.attached:
	case <-ctx.Done():
		return nil, status.Error(codes.FailedPrecondition, "start account: the line was not opened (Attach comes first)")
	}
	a := AccountStart{Account: AccountID(r.GetAccount()), Config: json.RawMessage(r.GetConfigJson()), Revision: r.GetRevision()}
	for _, c := range r.GetCursors() {
		a.Cursors = append(a.Cursors, *message.CursorFromWire(c))
	}
	return &channelv1.StartAccountResponse{}, wireError(s.p.StartAccount(ctx, a))
}

func (s *server) StopAccount(ctx context.Context, r *channelv1.StopAccountRequest) (*channelv1.StopAccountResponse, error) {
	return &channelv1.StopAccountResponse{}, wireError(s.p.StopAccount(ctx, AccountID(r.GetAccount()), r.GetRevision()))
}

// Send reads the message and lets the plugin pull the media's chunks.
func (s *server) Send(stream grpc.ClientStreamingServer[channelv1.SendRequest, channelv1.SendResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	m := first.GetMessage()
	if m == nil {
		return status.Error(codes.InvalidArgument, "send: the first frame must be the message")
	}
	out := message.OutboundFromWire(m)
	result := s.p.Send(stream.Context(), out, &chunkSource{recv: stream.Recv, metas: out.Media})
	return stream.SendAndClose(&channelv1.SendResponse{Result: result.ToWire()})
}

// chunkSource cuts the one stream of chunks into files.
type chunkSource struct {
	recv  func() (*channelv1.SendRequest, error)
	metas []MediaMeta
	next  int
	ahead *channelv1.MediaChunk
	ended bool
}

// Next implements MediaSource.
func (c *chunkSource) Next() (MediaMeta, io.Reader, error) {
	if c.next >= len(c.metas) {
		return MediaMeta{}, nil, io.EOF
	}
	i := c.next
	c.next++
	return c.metas[i], &chunkReader{source: c, index: uint32(i)}, nil
}

type chunkReader struct {
	source *chunkSource
	index  uint32
	rest   []byte
}

func (r *chunkReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		c := r.source
		if c.ahead == nil {
			if c.ended {
				return 0, io.EOF
			}
			f, err := c.recv()
			if errors.Is(err, io.EOF) {
				c.ended = true
				return 0, io.EOF
			}
			if err != nil {
				return 0, fmt.Errorf("read media: %w", err)
			}
			if f.GetChunk() == nil {
				return 0, status.Error(codes.InvalidArgument, "send: a second message in one stream")
			}
			c.ahead = f.GetChunk()
		}
		switch {
		case c.ahead.GetMediaIndex() < r.index:
			c.ahead = nil // the rest of a file that was not read to its end
		case c.ahead.GetMediaIndex() > r.index:
			return 0, io.EOF
		default:
			r.rest = c.ahead.GetData()
			c.ahead = nil
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (s *server) FetchMedia(r *channelv1.FetchMediaRequest, stream grpc.ServerStreamingServer[channelv1.FetchMediaResponse]) error {
	f, ok := s.p.(MediaFetcher)
	if !ok {
		return lacks("media to fetch")
	}
	w := &chunkWriter{send: stream.Send}
	meta, err := f.FetchMedia(stream.Context(), AccountID(r.GetAccount()), message.MediaRefFromWire(r.GetRef()), r.GetMaxBytes(), w)
	if err != nil {
		return wireError(err)
	}
	// What is better known now than before goes with the last, empty chunk.
	return stream.Send(&channelv1.FetchMediaResponse{Mime: meta.MIME, Name: meta.Name})
}

type chunkWriter struct {
	send func(*channelv1.FetchMediaResponse) error
}

func (w *chunkWriter) Write(p []byte) (int, error) {
	for off := 0; off < len(p); off += ChunkSize {
		end := min(off+ChunkSize, len(p))
		if err := w.send(&channelv1.FetchMediaResponse{Chunk: p[off:end]}); err != nil {
			return off, err
		}
	}
	return len(p), nil
}

func (s *server) Login(r *channelv1.LoginRequest, stream grpc.ServerStreamingServer[channelv1.LoginResponse]) error {
	l, ok := s.p.(Loginer)
	if !ok {
		return lacks("login")
	}
	req := LoginRequest{Account: AccountID(r.GetAccount()), Phone: r.GetPhone(), Force: r.GetForce()}
	return wireError(l.Login(stream.Context(), req, func(step LoginStep) error { return stream.Send(step.toWire()) }))
}

func (s *server) Logout(ctx context.Context, r *channelv1.LogoutRequest) (*channelv1.LogoutResponse, error) {
	l, ok := s.p.(Loginer)
	if !ok {
		return nil, lacks("logout")
	}
	removed, err := l.Logout(ctx, AccountID(r.GetAccount()))
	return &channelv1.LogoutResponse{Removed: removed}, wireError(err)
}

func (s *server) Edit(ctx context.Context, r *channelv1.EditRequest) (*channelv1.EditResponse, error) {
	e, ok := s.p.(Editor)
	if !ok {
		return nil, lacks("edit")
	}
	ref := MessageRef{Delivery: DeliveryID(r.GetDeliveryId()), Account: AccountID(r.GetAccount()), Conversation: ConversationID(r.GetConversation()), Thread: ThreadID(r.GetThread()), ID: MessageID(r.GetNetworkId())}
	return &channelv1.EditResponse{Result: e.Edit(ctx, ref, message.TextFromWire(r.GetText()), r.GetChannelDataJson()).ToWire()}, nil
}

func (s *server) Delete(ctx context.Context, r *channelv1.DeleteRequest) (*channelv1.DeleteResponse, error) {
	d, ok := s.p.(Deleter)
	if !ok {
		return nil, lacks("delete")
	}
	ref := MessageRef{Delivery: DeliveryID(r.GetDeliveryId()), Account: AccountID(r.GetAccount()), Conversation: ConversationID(r.GetConversation()), Thread: ThreadID(r.GetThread()), ID: MessageID(r.GetNetworkId())}
	return &channelv1.DeleteResponse{Result: d.Delete(ctx, ref).ToWire()}, nil
}

func (s *server) React(ctx context.Context, r *channelv1.ReactRequest) (*channelv1.ReactResponse, error) {
	x, ok := s.p.(Reactor)
	if !ok {
		return nil, lacks("reactions")
	}
	ref := MessageRef{Delivery: DeliveryID(r.GetDeliveryId()), Account: AccountID(r.GetAccount()), Conversation: ConversationID(r.GetConversation()), Thread: ThreadID(r.GetThread()), ID: MessageID(r.GetNetworkId())}
	return &channelv1.ReactResponse{Result: x.React(ctx, ref, r.GetEmoji(), r.GetRemove()).ToWire()}, nil
}

func (s *server) Poll(ctx context.Context, r *channelv1.PollRequest) (*channelv1.PollResponse, error) {
	x, ok := s.p.(Poller)
	if !ok {
		return nil, lacks("polls")
	}
	res := x.Poll(ctx, Poll{
		Delivery: DeliveryID(r.GetDeliveryId()), Account: AccountID(r.GetAccount()), Conversation: ConversationID(r.GetConversation()),
		Thread: ThreadID(r.GetThread()), Question: r.GetQuestion(), Options: r.GetOptions(), MaxSelections: int(max(r.GetMaxSelections(), 1)),
		Duration: time.Duration(r.GetDurationMs()) * time.Millisecond,
	})
	return &channelv1.PollResponse{Result: res.ToWire()}, nil
}

func (s *server) Typing(ctx context.Context, r *channelv1.TypingRequest) (*channelv1.TypingResponse, error) {
	x, ok := s.p.(Typer)
	if !ok {
		return nil, lacks("typing")
	}
	err := x.Typing(ctx, Place{AccountID(r.GetAccount()), ConversationID(r.GetConversation()), ThreadID(r.GetThread())}, r.GetActive())
	return &channelv1.TypingResponse{}, wireError(err)
}

func (s *server) MarkRead(ctx context.Context, r *channelv1.MarkReadRequest) (*channelv1.MarkReadResponse, error) {
	x, ok := s.p.(ReadMarker)
	if !ok {
		return nil, lacks("read receipts")
	}
	ids := make([]MessageID, len(r.GetNetworkIds()))
	for i, id := range r.GetNetworkIds() {
		ids[i] = MessageID(id)
	}
	err := x.MarkRead(ctx, Place{Account: AccountID(r.GetAccount()), Conversation: ConversationID(r.GetConversation())}, PersonID(r.GetSender()), ids)
	return &channelv1.MarkReadResponse{}, wireError(err)
}

func (s *server) Draft(ctx context.Context, r *channelv1.DraftRequest) (*channelv1.DraftResponse, error) {
	x, ok := s.p.(Drafter)
	if !ok {
		return nil, lacks("drafts")
	}
	err := x.Draft(ctx, Place{AccountID(r.GetAccount()), ConversationID(r.GetConversation()), ThreadID(r.GetThread())}, r.GetDraftId(), message.TextFromWire(r.GetText()))
	return &channelv1.DraftResponse{}, wireError(err)
}

func (s *server) Reconcile(ctx context.Context, r *channelv1.ReconcileRequest) (*channelv1.ReconcileResponse, error) {
	x, ok := s.p.(Reconciler)
	if !ok {
		return nil, lacks("reconciling")
	}
	place := Place{AccountID(r.GetAccount()), ConversationID(r.GetConversation()), ThreadID(r.GetThread())}
	found, id, err := x.Reconcile(ctx, DeliveryID(r.GetDeliveryId()), place, time.UnixMilli(r.GetSinceMs()))
	return &channelv1.ReconcileResponse{Found: channelv1.Reconciliation(found), NetworkId: string(id)}, wireError(err)
}

func (s *server) ResolveTarget(ctx context.Context, r *channelv1.ResolveTargetRequest) (*channelv1.ResolveTargetResponse, error) {
	x, ok := s.p.(Resolver)
	if !ok {
		return nil, lacks("targets to resolve")
	}
	t, err := x.ResolveTarget(ctx, AccountID(r.GetAccount()), r.GetTarget())
	return &channelv1.ResolveTargetResponse{Conversation: string(t.Conversation), Thread: string(t.Thread), ChatKind: messagev1.ChatKind(t.ChatKind), Name: t.Name}, wireError(err)
}

func (s *server) Directory(ctx context.Context, r *channelv1.DirectoryRequest) (*channelv1.DirectoryResponse, error) {
	x, ok := s.p.(DirectoryLister)
	if !ok {
		return nil, lacks("directory")
	}
	entries, err := x.Directory(ctx, AccountID(r.GetAccount()), r.GetKind(), r.GetQuery(), int(r.GetLimit()))
	out := &channelv1.DirectoryResponse{}
	for _, e := range entries {
		out.Entries = append(out.Entries, &channelv1.DirectoryEntry{Id: e.ID, Name: e.Name, Handle: e.Handle, ChatKind: messagev1.ChatKind(e.ChatKind)})
	}
	return out, wireError(err)
}

func (s *server) GroupInfo(ctx context.Context, r *channelv1.GroupInfoRequest) (*channelv1.GroupInfoResponse, error) {
	x, ok := s.p.(GroupInformer)
	if !ok {
		return nil, lacks("group information")
	}
	g, err := x.GroupInfo(ctx, AccountID(r.GetAccount()), ConversationID(r.GetConversation()))
	out := &channelv1.GroupInfoResponse{Name: g.Name, Topic: g.Topic}
	for _, m := range g.Members {
		out.Members = append(out.Members, m.ToWire())
	}
	return out, wireError(err)
}

func (s *server) Action(ctx context.Context, r *channelv1.ActionRequest) (*channelv1.ActionResponse, error) {
	x, ok := s.p.(Actor)
	if !ok {
		return nil, lacks("actions")
	}
	out, res := x.Action(ctx, AccountID(r.GetAccount()), r.GetName(), json.RawMessage(r.GetParamsJson()), DeliveryID(r.GetDeliveryId()))
	return &channelv1.ActionResponse{Result: res.ToWire(), ResultJson: string(out)}, nil
}

func (s *server) Http(ctx context.Context, r *channelv1.HttpRequest) (*channelv1.HttpResponse, error) {
	x, ok := s.p.(HTTPServer)
	if !ok {
		return nil, lacks("routes")
	}
	req := HTTPRequest{Method: r.GetMethod(), Path: r.GetPath(), Query: r.GetQuery(), Body: r.GetBody()}
	for _, h := range r.GetHeaders() {
		req.Headers = append(req.Headers, HTTPHeader{h.GetName(), h.GetValue()})
	}
	res, err := x.ServeHTTP(ctx, req)
	if err != nil {
		return nil, wireError(err)
	}
	out := &channelv1.HttpResponse{Status: uint32(res.Status), Body: res.Body}
	for _, h := range res.Headers {
		out.Headers = append(out.Headers, &channelv1.HttpHeader{Name: h.Name, Value: h.Value})
	}
	return out, nil
}

func (st LoginStep) toWire() *channelv1.LoginResponse {
	w := &channelv1.LoginResponse{}
	switch {
	case st.QR != nil:
		w.Step = &channelv1.LoginResponse_Qr{Qr: &channelv1.LoginQr{Code: st.QR.Code, ExpiresAtMs: st.QR.ExpiresMS}}
	case st.PairCode != nil:
		w.Step = &channelv1.LoginResponse_PairCode{PairCode: &channelv1.LoginPairCode{Code: st.PairCode.Code, ExpiresAtMs: st.PairCode.ExpiresMS}}
	case st.Linked != nil:
		w.Step = &channelv1.LoginResponse_Linked{Linked: &channelv1.LoginLinked{Self: st.Linked.ToWire()}}
	case st.Failed != nil:
		w.Step = &channelv1.LoginResponse_Failed{Failed: &channelv1.LoginFailed{Code: st.Failed.Code, Text: st.Failed.Text, Action: st.Failed.Action}}
	default:
		w.Step = &channelv1.LoginResponse_Waiting{Waiting: &channelv1.LoginWaiting{Text: st.Waiting}}
	}
	return w
}
