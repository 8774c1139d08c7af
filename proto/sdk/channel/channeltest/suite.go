package channeltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// The accounts that the suite uses.
const (
	first  channel.AccountID = "default"
	second channel.AccountID = "second"
)

// Run proves the contract: each subtest makes a fresh plugin with f and speaks to it
// through gRPC as the supervisor does.
func Run[T Runner[T]](t T, f Factory) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(TB, Subject)
	}{
		{"describe is pure and repeatable", describePure},
		{"configure takes the same settings again", configureRepeats},
		{"configure names the path of what it refuses", configureInvalid},
		{"attach wants configure first and comes once", attachOnce},
		{"powers that are not named answer unsupported", powers},
		{"an account connects", accountConnects},
		{"start is idempotent by revision", startIdempotent},
		{"stop is idempotent and can be undone", stopIdempotent},
		{"a bad account is terminal alone", badAccount},
		{"a message is whole", inboundWhole},
		{"a message is confirmed only after it is stored", inboundConfirmed},
		{"a refused message is confirmed too", inboundRefused},
		{"what was not stored comes again under the same key", inboundRedelivered},
		{"messages of one account keep their order", inboundOrder},
		{"no more events are open than the window allows", inboundWindow},
		{"health counts what is not answered", healthUnacked},
		{"a send is sent", sendSent},
		{"a refusal is refused", sendRefused},
		{"what was turned away is not sent", sendNotSent},
		{"a lost answer is unknown", sendUnknown},
		{"an account that does not run sends nothing", sendNowhere},
		{"drain finishes what is in hand", drainSends},
		{"drain flushes what was reported", drainFlushes},
		{"only logout deletes credentials", logoutOnly},
	} {
		t.Run(c.name, func(t T) { c.test(t, f(t)) })
	}
}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func describePure(tb TB, s Subject) {
	h := Connect(tb, s.Plugin)
	ctx, cancel := h.Context()
	defer cancel()
	d, err := h.Base.Describe(ctx)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	if !idForm.MatchString(d.ID) {
		tb.Errorf("id %q is not lower-case letters, digits and dashes", d.ID)
	}
	if d.Kind != plugin.KindChannel || d.Channel == nil {
		tb.Errorf("kind is %d, channel capabilities are %v", d.Kind, d.Channel)
	}
	if d.Version == "" {
		tb.Errorf("no version")
	}
	if err := plugin.CheckContracts(d); err != nil {
		tb.Errorf("%v", err)
	}
	if !slices.Equal(d.Features, channel.Features(s.Plugin)) {
		tb.Errorf("features are %v, the plugin has %v", d.Features, channel.Features(s.Plugin))
	}
	var schema map[string]any
	if err := json.Unmarshal(d.ConfigSchema, &schema); err != nil || len(schema) == 0 {
		tb.Errorf("the config schema is no JSON object: %v", err)
	}
	h.Configure(s.Config)
	again, err := h.Base.Describe(ctx)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	if !reflect.DeepEqual(d, again) {
		tb.Errorf("described as\n%+v\nand then as\n%+v", d, again)
	}
}

func configureRepeats(tb TB, s Subject) {
	h := Connect(tb, s.Plugin)
	h.Configure(s.Config)
	h.Configure(s.Config)
}

func configureInvalid(tb TB, s Subject) {
	if len(s.InvalidConfig) == 0 {
		tb.Skipf("the subject has no invalid settings")
	}
	h := Connect(tb, s.Plugin)
	ctx, cancel := h.Context()
	defer cancel()
	err := h.Base.Configure(ctx, plugin.Configuration{JSON: s.InvalidConfig, StateDir: tb.TempDir(), Revision: 1})
	var invalid *plugin.InvalidConfigError
	if !errors.As(err, &invalid) {
		tb.Fatalf("got %v, want an InvalidConfigError", err)
	}
	if invalid.Path != s.InvalidPath || invalid.Message == "" {
		tb.Errorf("got path %q and message %q, want path %q and a message", invalid.Path, invalid.Message, s.InvalidPath)
	}
	h.Configure(s.Config) // it can be put right
}

func attachOnce(tb TB, s Subject) {
	h := Connect(tb, s.Plugin)
	early, err := h.Base.Attach(tb.Context(), plugin.AttachConfig{Handler: (*handler)(h)})
	if err == nil {
		waitDone(tb, early, "an attachment before configure")
	}
	h.Configure(s.Config)
	h.Attach(0)
	h.StartAccount(first, 1, s.Account(first))
	h.AwaitPhase(first, plugin.AccountConnected)
	again, err := h.Base.Attach(tb.Context(), plugin.AttachConfig{Handler: (*handler)(h)})
	if err == nil {
		waitDone(tb, again, "a second attachment")
	}
}

func waitDone(tb TB, a *plugin.Attachment, what string) {
	tb.Helper()
	select {
	case <-a.Done():
	case <-time.After(Patience):
		tb.Fatalf("%s was not refused", what)
	}
}

func accountConnects(tb TB, s Subject) {
	h := Start(tb, s.Plugin, s.Config)
	h.StartAccount(first, 1, s.Account(first))
	st := h.AwaitPhase(first, plugin.AccountConnected)
	if st.Receive.Code != "ok" || st.Receive.LastProofMS == 0 {
		tb.Errorf("receive condition is %+v, want ok with a proof", st.Receive)
	}
	if st.Send.Code == "" {
		tb.Errorf("send condition is %+v, want a code", st.Send)
	}
}

func startIdempotent(tb TB, s Subject) {
	h := Start(tb, s.Plugin, s.Config)
	h.StartAccount(first, 3, s.Account(first))
	h.AwaitPhase(first, plugin.AccountConnected)
	h.StartAccount(first, 3, s.Account(first))
	h.StartAccount(first, 2, s.Account(first))
	s.Deliver(first, "after the repeated start")
	h.AwaitEvents(1)
	for _, st := range h.States(first) {
		if st.Phase == plugin.AccountOff {
			tb.Errorf("the same revision, or an older one, restarted the account")
		}
	}
	before := len(h.States(first))
	h.StartAccount(first, 4, s.Account(first))
	// A state that was overtaken by the next is not sent: "off" may be missing, a new "connected" may not.
	h.Await("a restart by the higher revision", func() bool {
		states := h.States(first)
		return len(states) > before && states[len(states)-1].Phase == plugin.AccountConnected
	})
}

func stopIdempotent(tb TB, s Subject) {
	h := Start(tb, s.Plugin, s.Config)
	h.StopAccount(first, 1) // never started
	h.StartAccount(first, 1, s.Account(first))
	h.AwaitPhase(first, plugin.AccountConnected)
	h.StopAccount(first, 1)
	h.StopAccount(first, 1)
	h.AwaitPhase(first, plugin.AccountOff)
	h.StartAccount(first, 2, s.Account(first))
	h.AwaitPhase(first, plugin.AccountConnected)
}

func badAccount(tb TB, s Subject) {
	if len(s.BadAccount) == 0 {
		tb.Skipf("the subject has no bad account")
	}
	h := Start(tb, s.Plugin, s.Config)
	h.StartAccount(first, 1, s.Account(first))
	h.StartAccount(second, 1, s.BadAccount)
	st := h.AwaitPhase(second, plugin.AccountTerminal)
	if st.Code == "" || st.Text == "" || st.Action == "" {
		tb.Errorf("terminal without code, text or action: %+v", st)
	}
	h.AwaitPhase(first, plugin.AccountConnected)
	h.StartAccount(second, 2, s.Account(second))
	h.AwaitPhase(second, plugin.AccountConnected)
}

func powers(tb TB, s Subject) {
	h := Start(tb, s.Plugin, s.Config)
	ctx, cancel := h.Context()
	defer cancel()
	d, err := h.Base.Describe(ctx)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	c, ref, at := h.Channel, channel.MessageRef{Account: first, ID: "1"}, channel.Place{Account: first}
	lacking := func(r channel.SendResult) error {
		if r.Outcome == message.Refused && r.Code == "unsupported" {
			return channel.ErrUnsupported
		}
		return fmt.Errorf("outcome %s %s", r.Outcome, r.Code)
	}
	for _, p := range []struct {
		feature string
		call    func() error
	}{
		{channel.FeatureFetchMedia, func() error { _, err := c.FetchMedia(ctx, first, channel.MediaRef{}, 1, discard{}); return err }},
		{channel.FeatureEdit, func() error { return lacking(c.Edit(ctx, ref, channel.Text{Plain: "x"}, "")) }},
		{channel.FeatureDelete, func() error { return lacking(c.Delete(ctx, ref)) }},
		{channel.FeatureReact, func() error { return lacking(c.React(ctx, ref, "👍", false)) }},
		{channel.FeaturePoll, func() error { return lacking(c.Poll(ctx, channel.Poll{Account: first})) }},
		{channel.FeatureTyping, func() error { return c.Typing(ctx, at, true) }},
		{channel.FeatureMarkRead, func() error { return c.MarkRead(ctx, at, "1", nil) }},
		{channel.FeatureDraft, func() error { return c.Draft(ctx, at, 1, channel.Text{}) }},
		{channel.FeatureReconcile, func() error { _, _, err := c.Reconcile(ctx, "d", at, time.Now()); return err }},
		{channel.FeatureLogin, func() error { _, err := c.Logout(ctx, first); return err }},
		{channel.FeatureResolve, func() error { _, err := c.ResolveTarget(ctx, first, "x"); return err }},
		{channel.FeatureDirectory, func() error { _, err := c.Directory(ctx, first, "peers", "", 1); return err }},
		{channel.FeatureGroupInfo, func() error { _, err := c.GroupInfo(ctx, first, "x"); return err }},
		{channel.FeatureAction, func() error { _, r := c.Action(ctx, first, "x", nil, "d"); return lacking(r) }},
		{channel.FeatureHTTP, func() error { _, err := c.HTTP(ctx, channel.HTTPRequest{}); return err }},
	} {
		if has, err := d.Has(p.feature), p.call(); has == errors.Is(err, channel.ErrUnsupported) {
			tb.Errorf("%s: named in Describe: %v, answers: %v", p.feature, has, err)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
