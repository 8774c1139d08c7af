package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

const patience = 5 * time.Second

// stub is a plugin that remembers what it was told.
type stub struct {
	mu      sync.Mutex
	invalid error
	lines   chan *Line
	drained chan struct{}
}

func newStub() *stub { return &stub{lines: make(chan *Line, 1), drained: make(chan struct{}, 1)} }

func (s *stub) Describe() Description {
	return Description{ID: "stub", Kind: KindChannel, Version: "1", Channel: &ChannelCaps{TextLimit: TextLimit{N: 10, Unit: LengthUTF16}}}
}

func (s *stub) Configure(context.Context, Configuration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.invalid
}
func (s *stub) Attached(l *Line)            { s.lines <- l }
func (s *stub) Drain(context.Context) error { s.drained <- struct{}{}; return nil }

// recorder is a host that answers by hand.
type recorder struct {
	events chan recorded
	call   func(Call) (json.RawMessage, *CallError)
}

type recorded struct {
	ev  Event
	ack func(Ack)
}

func (r *recorder) HandleEvent(ev Event, ack func(Ack)) { r.events <- recorded{ev, ack} }
func (r *recorder) HandleCall(_ context.Context, c Call) (json.RawMessage, *CallError) {
	return r.call(c)
}

func next(t *testing.T, r *recorder) recorded {
	t.Helper()
	select {
	case e := <-r.events:
		return e
	case <-time.After(patience):
		t.Fatal("no event in time")
		panic("unreachable")
	}
}

// pair joins a stub and a host by a real gRPC connection in memory.
func pair(t *testing.T, s *stub) (*Client, *Server, *grpc.Server) {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	g := grpc.NewServer()
	server := NewServer(s, []string{"typing"}, nil)
	server.Register(g)
	go func() { _ = g.Serve(lis) }()
	t.Cleanup(g.Stop)
	conn, err := grpc.NewClient("passthrough:stub", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return NewClient(conn), server, g
}

func attach(t *testing.T, c *Client, s *stub, window int) (*Attachment, *recorder, *Line) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.Configure(ctx, Configuration{JSON: json.RawMessage(`{}`)}); err != nil {
		t.Fatal(err)
	}
	r := &recorder{events: make(chan recorded, 64), call: func(Call) (json.RawMessage, *CallError) { return nil, &CallError{Code: "UNAVAILABLE"} }}
	a, err := c.Attach(context.Background(), AttachConfig{InstanceID: "i", Window: window, Handler: r})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	select {
	case l := <-s.lines:
		return a, r, l
	case <-time.After(patience):
		t.Fatal("the plugin was not given its line")
		panic("unreachable")
	}
}

func inbound(key string) Event {
	return Event{Inbound: &message.Inbound{Account: "default", EventKey: key, Conversation: "c", ChatKind: message.ChatDirect, Text: "hi", Cursor: &message.Cursor{Name: "n", Value: key}}}
}

func TestDescribeSaysContractsFeaturesAndCaps(t *testing.T) {
	c, _, _ := pair(t, newStub())
	d, err := c.Describe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := Description{
		ID: "stub", Kind: KindChannel, Version: "1", Features: []string{"typing"}, ConfigSchema: json.RawMessage{},
		Contracts: []ContractVersions{{ContractPlugin, []uint32{1}}, {ContractChannel, []uint32{1}}},
		Channel:   &ChannelCaps{TextLimit: TextLimit{N: 10, Unit: LengthUTF16}},
	}
	if diff := cmp.Diff(d, want); diff != "" {
		t.Errorf("description (-got +want):\n%s", diff)
	}
	if err := CheckContracts(d); err != nil {
		t.Errorf("contracts: %v", err)
	}
}

func TestCheckContractsNamesBothSides(t *testing.T) {
	d := Description{Kind: KindChannel, Contracts: []ContractVersions{{ContractPlugin, []uint32{1}}, {ContractChannel, []uint32{2, 3}}}}
	var mismatch *VersionMismatchError
	if err := CheckContracts(d); !errors.As(err, &mismatch) {
		t.Fatalf("error is %v, want a version mismatch", err)
	}
	want := "contract openclaw.channel: the supervisor speaks version 1, the plugin 2, 3: upgrade openclaw-supervisor"
	if mismatch.Error() != want {
		t.Errorf("got  %s\nwant %s", mismatch, want)
	}
}

func TestInvalidConfigurationIsAnAnswer(t *testing.T) {
	s := newStub()
	s.invalid = &InvalidConfigError{Path: "accounts.a.token", Message: "is empty"}
	c, _, _ := pair(t, s)
	err := c.Configure(context.Background(), Configuration{})
	var invalid *InvalidConfigError
	if !errors.As(err, &invalid) || invalid.Error() != "accounts.a.token: is empty" {
		t.Errorf("got %v", err)
	}
	// A plugin that is not configured has no line: the stream ends, at once or soon.
	a, err := c.Attach(context.Background(), AttachConfig{Handler: &recorder{}})
	if err != nil {
		return
	}
	defer a.Close()
	select {
	case <-a.Done():
	case <-time.After(patience):
		t.Error("a plugin that is not configured keeps its line open")
	}
}

func TestEventsAreAnsweredByTheirOwnIDs(t *testing.T) {
	s := newStub()
	c, _, _ := pair(t, s)
	_, host, line := attach(t, c, s, 8)
	ctx := context.Background()
	first, err := line.Report(ctx, inbound("1"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := line.Report(ctx, inbound("2"))
	if err != nil {
		t.Fatal(err)
	}
	e1, e2 := next(t, host), next(t, host)
	if e1.ev.ID >= e2.ev.ID {
		t.Errorf("ids %d, %d do not grow", e1.ev.ID, e2.ev.ID)
	}
	if d := cmp.Diff(e1.ev.Inbound, inbound("1").Inbound); d != "" {
		t.Errorf("event (-got +want):\n%s", d)
	}
	e2.ack(Ack{Code: RefusedEvent, Reason: "too big"})
	e1.ack(Ack{Code: Stored})
	for _, c := range []struct {
		p    *Pending
		want Ack
	}{{first, Ack{Code: Stored}}, {second, Ack{Code: RefusedEvent, Reason: "too big"}}} {
		got, err := c.p.Wait(ctx)
		if err != nil || got != c.want {
			t.Errorf("got %+v, %v; want %+v", got, err, c.want)
		}
	}
}

func TestTheWindowStopsAWorkerUntilAnAnswerComes(t *testing.T) {
	s := newStub()
	c, _, _ := pair(t, s)
	_, host, line := attach(t, c, s, 2)
	for i := range 2 {
		if _, err := line.Report(context.Background(), inbound(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := line.Report(short, inbound("over")); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a third event was taken beyond a window of 2: %v", err)
	}
	next(t, host).ack(Ack{Code: Stored})
	ctx, cancel2 := context.WithTimeout(context.Background(), patience)
	defer cancel2()
	if _, err := line.Report(ctx, inbound("again")); err != nil {
		t.Errorf("no room after an answer: %v", err)
	}
}

func TestStatesBeforeHelloAreSentInFullAndCoalesced(t *testing.T) {
	s := newStub()
	c, server, _ := pair(t, s)
	server.Line().State(AccountState{Account: "a", Phase: AccountConnecting})
	server.Line().State(AccountState{Account: "b", Phase: AccountOff})
	server.Line().State(AccountState{Account: "a", Phase: AccountConnected, Receive: Condition{Code: "ok", SinceMS: 5}})
	_, host, _ := attach(t, c, s, 2)
	got := map[message.AccountID]AccountPhase{}
	for range 2 {
		e := next(t, host)
		e.ack(Ack{Code: Stored})
		got[e.ev.AccountState.Account] = e.ev.AccountState.Phase
	}
	if d := cmp.Diff(got, map[message.AccountID]AccountPhase{"a": AccountConnected, "b": AccountOff}); d != "" {
		t.Errorf("states (-got +want):\n%s", d)
	}
}

func TestCallsGetTheirOwnAnswers(t *testing.T) {
	s := newStub()
	c, _, _ := pair(t, s)
	_, host, line := attach(t, c, s, 2)
	host.call = func(c Call) (json.RawMessage, *CallError) {
		if c.Method == "bad" {
			return nil, &CallError{Code: "INVALID_REQUEST", Message: "no"}
		}
		return json.RawMessage(`{"method":"` + c.Method + `"}`), nil
	}
	got, err := line.Call(context.Background(), Call{RunID: "r", ToolCallID: "t", Method: "health"})
	if err != nil || string(got) != `{"method":"health"}` {
		t.Errorf("got %s, %v", got, err)
	}
	_, err = line.Call(context.Background(), Call{RunID: "r", ToolCallID: "t", Method: "bad"})
	var refused *CallError
	if !errors.As(err, &refused) || refused.Code != "INVALID_REQUEST" {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestABrokenLineFailsWhatWaitsAndIsSeenAtOnce(t *testing.T) {
	s := newStub()
	c, _, g := pair(t, s)
	a, _, line := attach(t, c, s, 4)
	p, err := line.Report(context.Background(), inbound("1"))
	if err != nil {
		t.Fatal(err)
	}
	g.Stop()
	select {
	case <-a.Done():
	case <-time.After(patience):
		t.Fatal("the host did not see the break")
	}
	if a.Err() == nil {
		t.Error("the break has no reason")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := p.Wait(ctx); !errors.Is(err, ErrLineDown) {
		t.Errorf("the event's answer is %v, want ErrLineDown", err)
	}
	if _, err := line.Report(ctx, inbound("2")); !errors.Is(err, ErrLineDown) {
		t.Errorf("a later event got %v, want ErrLineDown", err)
	}
}

func TestDrainFlushesBeforeItAnswers(t *testing.T) {
	s := newStub()
	c, _, _ := pair(t, s)
	_, host, line := attach(t, c, s, 4)
	if _, err := line.Report(context.Background(), inbound("1")); err != nil {
		t.Fatal(err)
	}
	e := next(t, host)
	drained := make(chan error, 1)
	go func() { drained <- c.Drain(context.Background(), patience) }()
	select {
	case <-s.drained:
	case <-time.After(patience):
		t.Fatal("the plugin was not asked to drain")
	}
	select {
	case err := <-drained:
		t.Fatalf("drain ended (%v) with an event unanswered", err)
	default:
	}
	e.ack(Ack{Code: Stored})
	select {
	case err := <-drained:
		if err != nil {
			t.Errorf("drain: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("drain did not end")
	}
}

func TestTheLineIsOpenedOnce(t *testing.T) {
	s := newStub()
	c, _, _ := pair(t, s)
	attach(t, c, s, 2)
	again, err := c.Attach(context.Background(), AttachConfig{Handler: &recorder{}})
	if err != nil {
		return // refused even before the first frame was sent
	}
	select {
	case <-again.Done():
	case <-time.After(patience):
		t.Fatal("a second line stayed open")
	}
}
