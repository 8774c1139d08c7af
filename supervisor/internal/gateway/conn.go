package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/access"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/event"
)

// Stages of a connection.
const (
	stageUnproven int32 = iota
	stageAdmitting
	stageReady
)

// conn is one WebSocket.
type conn struct {
	s     *Server
	id    string
	nonce string
	peer  access.Peer
	ws    *websocket.Conn
	net   net.Conn
	queue *event.Queue
	stage atomic.Int32

	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	jobs   sync.WaitGroup // requests under way
	flying atomic.Int32
	closed atomic.Bool // a close frame was, or is about to be, sent

	caller Caller // set before stageReady
}

// upgrade turns a request into a connection. The handler returns at once, so
// that what HTTP needed is freed.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, peer access.Peer) {
	sock, _ := r.Context().Value(netConnKey{}).(net.Conn)
	if s.closing.Load() || sock == nil {
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return
	}
	switch {
	case peer.Forwarded:
		s.log.Warn("proxy headers from an address that is no trusted proxy: the client counts as remote", "remote", peer.Addr)
	case peer.Addr.IsLoopback() && !peer.LocalDirect() && !peer.Proxied:
		s.log.Warn("local connection under a foreign host name: the client counts as remote", "host", shorten(peer.Host))
	}
	// Origins are judged at connect, with the protocol's own error.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		s.log.Debug("no websocket", "error", err)
		return
	}
	ws.SetReadLimit(protocol.MaxPayloadBeforeConnect)
	c := &conn{s: s, id: uuid.NewString(), nonce: uuid.NewString(), peer: peer, ws: ws, net: sock}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.queue = s.newQueue(c)
	if !s.admitConn(c) {
		c.cut()
		return
	}
	s.wg.Go(c.run)
}

// admitConn enters the connection. When too many have not proved themselves,
// the oldest of them is cut off.
func (s *Server) admitConn(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	s.conns[c] = struct{}{}
	s.unproven = append(s.unproven, c)
	if len(s.unproven) > s.limits.Unproven {
		s.unproven = slices.DeleteFunc(s.unproven, func(o *conn) bool { return o.stage.Load() == stageReady || o.ctx.Err() != nil })
	}
	if len(s.unproven) > s.limits.Unproven {
		oldest := s.unproven[0]
		s.unproven = slices.Delete(s.unproven, 0, 1)
		oldest.cut()
	}
	return true
}

// run reads until the connection ends.
func (c *conn) run() {
	defer c.end()
	if err := c.greet(); err != nil {
		return
	}
	for {
		frame, err := c.read()
		if err != nil {
			c.readFailed(err)
			return
		}
		keep := c.take(frame)
		giveBuffer(frame)
		if !keep {
			return
		}
	}
}

// take handles a frame; false ends the connection.
func (c *conn) take(frame []byte) bool {
	switch c.stage.Load() {
	case stageUnproven:
		return c.hello(frame)
	case stageAdmitting:
		c.reject(c.idOf(frame), protocol.Invalid("%s", firstMustBeConnect), protocol.ClosePolicy)
		return false
	}
	c.dispatch(frame)
	return true
}

// read gives the next frame, text or binary, in a pooled buffer.
func (c *conn) read() ([]byte, error) {
	_, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return nil, err
	}
	b := takeBuffer()
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			giveBuffer(b)
			return nil, err
		}
	}
}

// readFailed closes in the way that fits why reading ended.
func (c *conn) readFailed(err error) {
	switch {
	case errors.Is(err, websocket.ErrMessageTooBig):
		c.closeNow(protocol.CloseTooBig, "")
	case errors.Is(err, os.ErrDeadlineExceeded) && c.stage.Load() != stageReady:
		c.s.log.Info("handshake timeout", "conn", c.id, "remote", c.peer.Addr)
		_ = c.net.SetReadDeadline(time.Now().Add(c.s.limits.Close))
		c.closeNow(protocol.CloseNormal, "")
	}
}

// end takes the connection out of everything and frees it.
func (c *conn) end() {
	c.closed.Store(true)
	c.cancel()
	c.queue.Close()
	c.s.mu.Lock()
	delete(c.s.conns, c)
	if i := slices.Index(c.s.unproven, c); i >= 0 {
		c.s.unproven = slices.Delete(c.s.unproven, i, i+1)
	}
	c.s.mu.Unlock()
	if c.stage.Load() == stageReady {
		c.s.leave(c)
	}
	_ = c.net.Close()
	_ = c.ws.CloseNow()
	c.jobs.Wait()
}

// write hands a frame to the network.
func (c *conn) write(frame []byte) error {
	_ = c.net.SetWriteDeadline(time.Now().Add(c.s.limits.Write))
	return c.ws.Write(context.Background(), websocket.MessageText, frame)
}

// cork and uncork let several frames leave in one write, where the socket can.
func (c *conn) cork() {
	if k, ok := c.net.(*corkConn); ok {
		k.cork()
	}
}

func (c *conn) uncork() error {
	if k, ok := c.net.(*corkConn); ok {
		return k.uncork()
	}
	return nil
}

// queueFailed ends a connection that cannot be written to.
func (c *conn) queueFailed(err error) {
	if errors.Is(err, event.ErrOverflow) {
		c.s.log.Warn("slow consumer", "conn", c.id, "client", c.caller.Client.ID)
		c.s.metrics.slow.Inc()
		c.s.wg.Go(func() {
			// A reader this slow may never see the close frame.
			timer := time.AfterFunc(c.s.limits.Close, c.cut)
			defer timer.Stop()
			c.closeNow(protocol.ClosePolicy, protocol.ReasonSlowConsumer)
			c.cut()
		})
		return
	}
	c.cut()
}

// closeNow sends a close frame and waits for the other side's, for a while.
func (c *conn) closeNow(code int, reason string) {
	if c.closed.Swap(true) {
		return
	}
	_ = c.net.SetWriteDeadline(time.Now().Add(c.s.limits.Write))
	_ = c.ws.Close(websocket.StatusCode(code), protocol.CutReason(reason))
}

// finishWith closes once what waits is written.
func (c *conn) finishWith(code int, reason string) {
	c.queue.Finish(func() {
		c.closeNow(code, reason)
		c.cut()
	})
}

// cut ends the connection without a word; run then ends.
func (c *conn) cut() { _ = c.net.Close() }

// dispatch starts a request of a connection that is past the handshake.
func (c *conn) dispatch(frame []byte) {
	req, err := c.s.methods.parseRequest(frame)
	if errors.Is(err, errNotJSON) {
		c.s.log.Debug("frame is not JSON", "conn", c.id)
		return
	}
	if err != nil {
		c.answer(req.id, nil, asError(err), false)
		return
	}
	started := time.Now()
	row, refused := c.s.methods.find(&c.caller, req.method)
	if refused != nil {
		c.s.metrics.refused.Inc()
		c.answer(req.id, nil, refused, false)
		return
	}
	k := &call{Caller: c.caller, row: row, spawn: c.spawn}
	k.respond = func(payload any, failure *protocol.Error) {
		row.meter.done(started, failure)
		c.note(row, req.id, time.Since(started), failure)
		c.answer(req.id, payload, failure, row.inline)
	}
	if row.inline {
		k.params = req.params
		c.s.run(c.ctx, k)
		return
	}
	if int(c.flying.Add(1)) > c.s.limits.InFlight {
		c.flying.Add(-1)
		k.Fail(nil, protocol.Unavailable("too many requests are waiting on this connection").WithRetry(true, 100))
		return
	}
	k.params = slices.Clone(req.params)
	c.jobs.Go(func() {
		defer c.flying.Add(-1)
		c.s.run(c.ctx, k)
	})
}

// slow is from when on an answer is worth a line in the log.
const slow = 50 * time.Millisecond

// note logs answers that are errors, or were slow in coming although the
// method is none that waits.
func (c *conn) note(row *method, id string, took time.Duration, failure *protocol.Error) {
	switch {
	case failure != nil:
		c.s.log.Info("request failed", "method", row.name, "conn", c.id, "id", shorten(id), "code", failure.Code, "error", failure.Message, "took", took)
	case took >= slow && !row.waits:
		c.s.log.Info("request was slow", "method", row.name, "conn", c.id, "id", shorten(id), "took", took)
	}
}

// shorten keeps what a client chose from filling the log.
func shorten(s string) string {
	if len(s) > 64 {
		return s[:64]
	}
	return s
}

// spawn runs f for as long as the connection lives.
func (c *conn) spawn(f func(context.Context)) { c.jobs.Go(func() { f(c.ctx) }) }

// answer queues a response. here says that the caller may write it itself.
func (c *conn) answer(id string, payload any, failure *protocol.Error, here bool) {
	f := event.Frame{Bytes: appendResponse(takeBuffer(), id, payload, failure), Recycle: giveBuffer}
	if here {
		_ = c.queue.SendHere(f)
		return
	}
	_ = c.queue.Send(f)
}
