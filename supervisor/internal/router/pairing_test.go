package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/command"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/lane"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/pairing"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/run"
)

// door is a Router over a real journal and a real pairing store; what goes out is kept.
type door struct {
	t      *testing.T
	db     *journal.DB
	store  *pairing.Store
	router *Router
	policy ChannelSettings
	// refuse makes the next DeliverPlain fail.
	refuse error
	sent   []run.Delivery
	began  []run.Wish
	next   int
}

func newDoor(t *testing.T) *door {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := journal.Open(t.Context(), journal.Config{Path: filepath.Join(t.TempDir(), "journal.db"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, db: db, policy: ChannelSettings{Label: "Telegram", DMPolicy: PolicyPairing, DefaultAccount: "default"}}
	d.store = pairing.New(pairing.Config{Dir: filepath.Join(t.TempDir(), "credentials"), Log: log})
	lanes := lane.New(lane.Config{})
	d.router = New(Config{
		DB: db, Lanes: lanes, Runs: d, Commands: command.NewSet(d), Deliverer: d, Settings: d, Keys: d,
		Pairing: d.store, Notifier: d, Program: "openclaw --profile x", Log: log,
	})
	t.Cleanup(func() {
		lanes.Stop()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// The door plays everything around the router.
func (d *door) Config() config.Config { return config.Config{} }
func (d *door) Channel(channel string, _ message.AccountID) (ChannelSettings, bool) {
	s := d.policy
	s.Paired = d.store.Allowed(channel)
	return s, true
}
func (d *door) Direct(agentID, _ string, _ message.AccountID, peer string) string {
	return agentID + ":" + peer
}
func (d *door) RunInbound(_ context.Context, w run.Wish, ids []int64) error {
	d.began = append(d.began, w)
	return d.db.Update(d.t.Context(), func(tx *journal.Tx) error { return tx.SetInboxState(ids, journal.InboxDone, "", "") })
}
func (d *door) AbortSession(context.Context, string, string) []string { return nil }
func (d *door) Deliver(tx *journal.Tx, v run.Delivery) error          { return d.DeliverPlain(tx, v) }
func (d *door) DeliverPlain(tx *journal.Tx, v run.Delivery) (err error) {
	if err, d.refuse = d.refuse, nil; err != nil {
		return err
	}
	tx.OnCommit(func() { d.sent = append(d.sent, v) })
	return nil
}

// store puts a message of a person into the inbox.
func (d *door) message(from, text string) journal.InboxRow {
	d.t.Helper()
	d.next++
	m := message.Inbound{
		Account: "default", EventKey: fmt.Sprint("k", d.next), Conversation: message.ConversationID(from), ChatKind: message.ChatDirect,
		Sender: message.Sender{ID: message.PersonID(from), Name: "Ada King Lovelace", Username: "ada"}, Text: text, ID: "m1",
	}
	body, err := m.Marshal()
	if err != nil {
		d.t.Fatal(err)
	}
	row := journal.InboxRow{Channel: "telegram", Account: m.Account, EventKey: m.EventKey, Kind: journal.InboxMessage, Conversation: m.Conversation, Body: body}
	err = d.db.Update(d.t.Context(), func(tx *journal.Tx) error {
		row.ID, _, err = tx.InsertInbox(row)
		row.ReceivedMS = tx.NowMS()
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return row
}

// say stores a message, takes it, and gives the row as it is then.
func (d *door) say(from, text string) journal.InboxRow {
	d.t.Helper()
	return d.take(d.message(from, text))
}

func (d *door) take(row journal.InboxRow) journal.InboxRow {
	d.t.Helper()
	d.router.Take(d.t.Context(), row)
	err := d.db.View(d.t.Context(), func(tx *journal.Tx) (err error) {
		row, err = tx.GetInbox(row.ID)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return row
}

func (d *door) waiting() []pairing.Request {
	d.t.Helper()
	list, err := d.store.List("telegram")
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

func TestStrangerIsToldTheCodeOnce(t *testing.T) {
	d := newDoor(t)
	row := d.say("42", "/stop")
	if row.State != journal.InboxDenied || row.Cause != causePairing || row.Body != nil {
		t.Errorf("the message is %s (%s), body %q", row.State, row.Cause, row.Body)
	}
	waiting := d.waiting()
	if len(waiting) != 1 || len(d.sent) != 1 {
		t.Fatalf("%d wait, %d were told", len(waiting), len(d.sent))
	}
	if diff := cmp.Diff(waiting[0].Meta, map[string]string{"username": "ada", "firstName": "Ada", "lastName": "King Lovelace"}); diff != "" {
		t.Errorf("meta, got before want:\n%s", diff)
	}
	want := run.Delivery{
		RunID: fmt.Sprintf("pair:%d", row.ID), Part: "1",
		Route: run.Route{Channel: "telegram", Account: "default", Conversation: "42", ChatKind: "direct", Deliver: true},
		Text: "OpenClaw: access not configured.\n\nYour Telegram user id: 42\n\nPairing code: " + waiting[0].Code +
			"\n\nAsk the bot owner to approve with:\nopenclaw --profile x pairing approve telegram <code>",
	}
	if diff := cmp.Diff(d.sent[0], want); diff != "" {
		t.Errorf("the reply, got before want:\n%s", diff)
	}
	if row := d.say("42", "hello?"); row.State != journal.InboxDenied || len(d.sent) != 1 {
		t.Errorf("the second message is %s, told %d times", row.State, len(d.sent))
	}
	if len(d.began) != 0 {
		t.Errorf("runs began: %v", d.began)
	}
	if _, err := d.store.Approve(t.Context(), "telegram", waiting[0].Code); err != nil {
		t.Fatal(err)
	}
	d.say("42", "/help")
	if len(d.sent) != 2 || d.sent[1].Route.ReplyTo != "m1" {
		t.Errorf("a command of somebody who was let in was not answered: %v", d.sent)
	}
}

// TestCodeIsToldAfterACrash: the request is in the file, and nothing in the journal.
func TestCodeIsToldAfterACrash(t *testing.T) {
	d := newDoor(t)
	row, second := d.message("42", "hello"), d.message("42", "anybody?")
	d.refuse = errors.New("the process ends here")
	if got := d.take(row); got.State != journal.InboxNew || len(d.sent) != 0 {
		t.Fatalf("the message is %s, told were %v", got.State, d.sent)
	}
	code := d.waiting()[0].Code
	if got := d.take(row); got.State != journal.InboxDenied {
		t.Errorf("the message is %s", got.State)
	}
	if got := d.take(second); got.State != journal.InboxDenied {
		t.Errorf("the message behind it is %s", got.State)
	}
	if len(d.sent) != 1 || d.waiting()[0].Code != code {
		t.Errorf("told %d times, code %q then %q", len(d.sent), code, d.waiting()[0].Code)
	}
}

// TestCodeOfAnOlderRequestIsNotToldAgain: another program made it, and told it.
func TestCodeOfAnOlderRequestIsNotToldAgain(t *testing.T) {
	d := newDoor(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	made, _, err := d.store.Request(ctx, "telegram", "42", nil)
	if err != nil {
		t.Fatal(err)
	}
	row := d.message("42", "hello")
	row.ReceivedMS = made.CreatedAt.UnixMilli() + 1
	if got := d.take(row); got.State != journal.InboxDenied || len(d.sent) != 0 {
		t.Errorf("the message is %s, told were %v", got.State, d.sent)
	}
}

func TestFourthStrangerGetsNothing(t *testing.T) {
	d := newDoor(t)
	for _, from := range []string{"1", "2", "3"} {
		d.say(from, "hi")
	}
	if row := d.say("4", "hi"); row.State != journal.InboxDenied || row.Cause != causePairingFull {
		t.Errorf("the fourth message is %s (%s)", row.State, row.Cause)
	}
	if len(d.sent) != 3 || len(d.waiting()) != 3 {
		t.Errorf("%d were told, %d wait", len(d.sent), len(d.waiting()))
	}
}

func TestOtherPoliciesTellNothing(t *testing.T) {
	for _, policy := range []string{PolicyAllowlist, PolicyDisabled} {
		d := newDoor(t)
		d.policy.DMPolicy = policy
		if row := d.say("42", "hi"); row.State != journal.InboxDenied || len(d.sent) != 0 || len(d.waiting()) != 0 {
			t.Errorf("%s: the message is %s, told %d, waiting %d", policy, row.State, len(d.sent), len(d.waiting()))
		}
	}
}

func TestCommandOfSomebodyOnNoListIsText(t *testing.T) {
	d := newDoor(t)
	d.policy.DMPolicy = PolicyOpen
	m := message.Inbound{Account: "default", ChatKind: message.ChatDirect, Sender: message.Sender{ID: "42"}, Text: "/help"}
	row := journal.InboxRow{ID: 1, Channel: "whatsapp", Account: "default"}
	for owners, want := range map[string]bool{"42": true, "7": false} {
		d.policy.AllowFrom = []string{"*", owners}
		if got := d.router.Decide(row, m); (got.Command != nil) != want || got.Denied != "" {
			t.Errorf("owner %s: command %v, denied %q", owners, got.Command, got.Denied)
		}
	}
}

func TestPairingReply(t *testing.T) {
	var got []string
	for _, c := range []struct{ channel, label, id string }{
		{"whatsapp", "WhatsApp", "+4915"}, {"discord", "Discord", "7"}, {"mattermost", "Mattermost", "m"}, {"echo", "Echo", "e"}, {"other", "", "o"},
	} {
		got = append(got, idLine(c.channel, c.label)+": "+c.id)
	}
	want := []string{"Your WhatsApp phone number: +4915", "Your Discord user id: 7", "Your Mattermost user id: m", "Your Echo sender id: e", "Your other sender id: o"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := entry("whatsapp", message.Sender{ID: "49@s.whatsapp.net", E164: "+49"}); got != "+49" {
		t.Errorf("a WhatsApp sender is listed as %q", got)
	}
	elsewhere := message.Inbound{Account: "office", Conversation: "chat9", Sender: message.Sender{ID: "e", Name: "Eve"}}
	if diff := cmp.Diff(meta("echo", "e", elsewhere, ChannelSettings{DefaultAccount: "default"}), map[string]string{"name": "Eve", "accountId": "office", "chatId": "chat9"}); diff != "" {
		t.Errorf("meta, got before want:\n%s", diff)
	}
}
