package telegram_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	fake "github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

func TestInboundText(t *testing.T) {
	e := connected(t)
	p := e.bot.Post(42, person, fake.Object{"text": "👍 bold @ada " + "@" + e.bot.Username + " link", "entities": []any{
		fake.Object{"type": "bold", "offset": 3, "length": 4}, fake.Object{"type": "mention", "offset": 8, "length": 4},
		fake.Object{"type": "mention", "offset": 13, "length": len(e.bot.Username) + 1},
		fake.Object{"type": "text_link", "offset": 15 + len(e.bot.Username), "length": 4, "url": "https://example.org"},
	}})
	m := e.next(1).Inbound
	if m.EventKey != fmt.Sprintf("m:42:%d", p.MessageID) || m.Cursor == nil || m.Cursor.Name != "update_offset" || m.Cursor.Value != fmt.Sprint(p.UpdateID+1) {
		t.Errorf("key %q, cursor %+v", m.EventKey, m.Cursor)
	}
	if want := (channel.Sender{ID: "42", Name: "Ada L", Username: "ada"}); m.Sender != want || m.ConversationName != "" {
		t.Errorf("sender %+v in %q, want %+v", m.Sender, m.ConversationName, want)
	}
	var got []string
	for _, s := range m.Entities {
		got = append(got, fmt.Sprintf("%d %s %s", s.Kind, m.Text[s.Offset:s.Offset+s.Length], s.Info))
	}
	want := []string{"1 bold ", "10 @ada @ada", "10 @" + e.bot.Username + " @" + e.bot.Username, "7 link https://example.org"}
	if !reflect.DeepEqual(got, want) || !m.MentionsSelf || !reflect.DeepEqual(m.Mentions, []channel.PersonID{"@ada"}) {
		t.Errorf("entities %q, want %q; mentions %v, self %v", got, want, m.Mentions, m.MentionsSelf)
	}
}

func TestInboundGroupsAndTopics(t *testing.T) {
	e := connected(t)
	const group, forum = -500, -1001234567890
	e.bot.AddChat(fake.Chat{ID: group, Title: "Friends"})
	e.bot.AddChat(fake.Chat{ID: forum, Title: "Forum", Forum: true, Topics: []int{7}})
	e.bot.Post(group, person, fake.Object{"text": "a", "message_thread_id": 99}) // means nothing outside of forums
	e.bot.Post(forum, person, fake.Object{"text": "b", "message_thread_id": 7, "is_topic_message": true})
	e.bot.Post(forum, person, fake.Object{"text": "c"})
	e.bot.Post(42, person, fake.Object{"text": "d", "message_thread_id": 5})
	e.AwaitEvents(4)
	for i, want := range []struct {
		chat   channel.ConversationID
		thread channel.ThreadID
		kind   message.ChatKind
		name   string
	}{
		{"-500", "", message.ChatGroup, "Friends"}, {"-1001234567890", "7", message.ChatGroup, "Forum"},
		{"-1001234567890", "1", message.ChatGroup, "Forum"}, {"42", "5", message.ChatDirect, ""},
	} {
		if m := e.next(i + 1).Inbound; m.Conversation != want.chat || m.Thread != want.thread || m.ChatKind != want.kind || m.ConversationName != want.name {
			t.Errorf("message %d: %+v, want %+v", i, m, want)
		}
	}
}

func TestInboundReplyForwardAndPlace(t *testing.T) {
	e := connected(t)
	r := e.send(channel.Outbound{Text: text("from the bot")})
	own := fake.Object{"message_id": 1, "date": 1, "text": "from the bot", "chat": fake.Object{"id": 42, "type": "private"}, "from": fake.Object{"id": e.bot.ID, "is_bot": true, "first_name": "Fake"}}
	e.bot.Post(42, person, fake.Object{"text": "yes", "reply_to_message": own})
	if q := e.next(1).Inbound.ReplyTo; q == nil || q.ID != r.ID || !q.FromSelf || q.Text != "from the bot" {
		t.Errorf("reply %+v", q)
	}
	e.bot.Post(42, person, fake.Object{"text": "that", "reply_to_message": own, "quote": fake.Object{"text": "the bot", "position": 5, "is_manual": true}})
	if m := e.next(2).Inbound; m.ReplyTo.Text != "the bot" || !strings.Contains(m.ChannelData, `"isQuote":true`) {
		t.Errorf("quote %+v, %s", m.ReplyTo, m.ChannelData)
	}
	e.bot.Post(42, person, fake.Object{
		"text": "news", "entities": []any{fake.Object{"type": "bold", "offset": 0, "length": 4}},
		"forward_origin": fake.Object{"type": "hidden_user", "date": 1764000000, "sender_user_name": "Bob"},
	})
	m := e.next(3).Inbound
	if want := "[Forwarded from Bob at 2025-11-24T16:00:00.000Z]\nnews"; m.Text != want || m.Text[m.Entities[0].Offset:] != "news" {
		t.Errorf("text %q, want %q; entities %+v", m.Text, want, m.Entities)
	}
	e.bot.Post(42, person, fake.Object{"location": fake.Object{"latitude": 52.5, "longitude": 13.4, "horizontal_accuracy": 12.0}})
	if m := e.next(4).Inbound; m.Text != "📍 52.500000, 13.400000 ±12m" {
		t.Errorf("location %q", m.Text)
	}
}

func TestInboundMediaIsFetchedLater(t *testing.T) {
	e := connected(t)
	photo := []byte("JPEGJPEGJPEG")
	e.net.AddFile("big", "photos/x.jpg", "", photo)
	e.bot.Post(42, person, fake.Object{"caption": "look", "photo": []any{
		fake.Object{"file_id": "small", "file_unique_id": "s", "width": 90, "height": 90}, fake.Object{"file_id": "big", "file_unique_id": "b", "width": 900, "height": 900, "file_size": len(photo)},
	}})
	m := e.next(1).Inbound
	if m.Text != "look" || len(m.Media) != 1 || m.Media[0].Kind != message.MediaImage || m.Media[0].Size != int64(len(photo)) {
		t.Fatalf("got %+v", m)
	}
	if n := e.net.Count("getFile"); n != 0 {
		t.Errorf("%d files were asked for before access was granted", n)
	}
	var got bytes.Buffer
	meta, err := e.Channel.FetchMedia(e.ctx, "default", m.Media[0], 1<<20, &got)
	if err != nil || !bytes.Equal(got.Bytes(), photo) || meta.MIME != "image/jpeg" || meta.Name != "x.jpg" {
		t.Errorf("fetched %q as %+v: %v", got.Bytes(), meta, err)
	}
	if _, err := e.Channel.FetchMedia(e.ctx, "default", m.Media[0], 5, &got); !errors.Is(err, channel.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	e.net.Inject(&fake.Fault{Method: "file", Break: fake.BreakBefore}) // for good: a download may be repeated by the transport
	if _, err := e.Channel.FetchMedia(e.ctx, "default", m.Media[0], 1<<20, &got); err == nil {
		t.Error("a cut download is no error")
	} else {
		withoutToken(t, "the error", err.Error())
	}
	e.bot.Post(42, person, fake.Object{"sticker": fake.Object{"file_id": "x", "file_unique_id": "y", "width": 1, "height": 1, "is_animated": true, "is_video": false, "type": "regular"}})
	e.bot.Say(42, person, "after the sticker")
	if m := e.next(2).Inbound; m.Text != "after the sticker" {
		t.Errorf("an animated sticker became %+v", m)
	}
}

func TestAlbumIsOneMessage(t *testing.T) {
	e := connected(t)
	item := func(id string) fake.Object {
		return fake.Object{"media_group_id": "g", "date": now(), "photo": []any{fake.Object{"file_id": id, "file_unique_id": id, "width": 1, "height": 1}}}
	}
	first := item("a")
	first["caption"] = "two pictures"
	p := e.bot.Post(42, person, first)
	if err := e.bot.AwaitHandedOut(e.ctx, p.UpdateID, 1); err != nil {
		t.Fatal(err)
	}
	last := e.bot.Post(42, person, item("b")) // arrives after the first was seen
	m := e.next(1).Inbound
	if len(m.Media) != 2 || m.Text != "two pictures" || m.EventKey != fmt.Sprintf("m:42:%d", p.MessageID) || m.Cursor.Value != fmt.Sprint(last.UpdateID+1) {
		t.Errorf("got %+v", m)
	}
	if err := e.bot.AwaitConfirmed(e.ctx, last.UpdateID); err != nil {
		t.Fatal(err)
	}
	if n := len(e.Events()); n != 1 {
		t.Errorf("%d events, want one", n)
	}
}

func TestPastedTextIsOneMessage(t *testing.T) {
	e := connected(t)
	long := strings.Repeat("x", 4096)
	first := e.bot.Post(42, person, fake.Object{"text": long, "date": now()})
	if err := e.bot.AwaitHandedOut(e.ctx, first.UpdateID, 1); err != nil {
		t.Fatal(err)
	}
	e.bot.Post(42, person, fake.Object{"text": "the rest", "date": now()})
	if m := e.next(1).Inbound; m.Text != long+"the rest" || m.EventKey != fmt.Sprintf("m:42:%d", first.MessageID) {
		t.Errorf("got %d bytes under %s", len(m.Text), m.EventKey)
	}
	e.bot.Post(42, fake.User{ID: 43}, fake.Object{"text": long, "date": now()})
	e.bot.Post(42, person, fake.Object{"text": "somebody else", "date": now()})
	e.AwaitEvents(3)
	if m := e.next(3).Inbound; m.Text != "somebody else" {
		t.Errorf("another person's text became part of it: %q", m.Text)
	}
}

func TestEditsReactionsAndPresses(t *testing.T) {
	e := connected(t)
	p := e.bot.Say(42, person, "frist")
	e.next(1)
	e.bot.Edit(p, fake.Object{"text": "first"})
	e.bot.Edit(p, fake.Object{"text": "First"})
	a, b := e.next(2).Edit, e.next(3).Edit
	if a == nil || b == nil || a.Message.Text != "first" || b.Message.Text != "First" || a.Message.EventKey == b.Message.EventKey || a.EditTimeMS == 0 {
		t.Errorf("edits %+v and %+v", a, b)
	}
	if want := fmt.Sprintf("e:42:%d:", p.MessageID); !strings.HasPrefix(a.Message.EventKey, want) {
		t.Errorf("key %q, want %s…", a.Message.EventKey, want)
	}
	e.bot.React(42, p.MessageID, person, "👍", "🔥")
	taken, put := e.next(4).Reaction, e.next(5).Reaction
	if taken == nil || put == nil || taken.Emoji != "👍" || !taken.Removed || put.Emoji != "🔥" || put.Removed || taken.EventKey == put.EventKey || put.Sender.ID != "42" {
		t.Errorf("reactions %+v and %+v", taken, put)
	}
	r := e.send(channel.Outbound{Text: text("choose"), ChannelData: `{"buttons":[[{"text":"Yes","callback_data":"yes"}]]}`})
	if r.Outcome != message.Sent {
		t.Fatalf("got %+v", r)
	}
	e.bot.Press(42, 2, person, "yes")
	press := e.next(6).Inbound
	if press == nil || press.Text != "callback_data: yes" || !strings.HasPrefix(press.EventKey, "cb:") || !press.MentionsSelf || press.Sender.ID != "42" {
		t.Errorf("press %+v", press)
	}
	e.Await("the answer to the press", func() bool { return e.net.Count("answerCallbackQuery") == 1 })
}

func TestWhatMeansNothingIsConfirmedToo(t *testing.T) {
	e := connected(t)
	e.bot.Post(42, fake.User{ID: e.bot.ID, IsBot: true}, fake.Object{"text": "my own"})
	e.bot.Post(42, person, fake.Object{"new_chat_title": "x"})
	e.bot.Push(fake.Object{"message": "this is no message"})
	odd := e.bot.Push(fake.Object{"message": fake.Object{"chat": 5}})
	last := e.bot.Say(42, person, "hello")
	if m := e.next(1).Inbound; m.Text != "hello" {
		t.Errorf("got %+v", m)
	}
	if err := e.bot.AwaitConfirmed(e.ctx, last.UpdateID); err != nil {
		t.Fatal(err)
	}
	if n := e.bot.HandedOut(odd); n != 1 {
		t.Errorf("an update that is not understood was handed out %d times", n)
	}
}

func TestResolveTarget(t *testing.T) {
	e := connected(t)
	e.bot.AddChat(fake.Chat{ID: -1009, Title: "news_room", Type: "channel"})
	for _, c := range []struct{ in, chat, thread string }{
		{"42", "42", ""}, {" -1001 ", "-1001", ""}, {"telegram:42", "42", ""}, {"tg:group:-1001:topic:7", "-1001", "7"}, {"-1001:7", "-1001", "7"},
		{"@news_room", "-1009", ""}, {"https://t.me/news_room", "-1009", ""}, {"t.me/news_room/12", "-1009", ""}, {"TG:@news_room:topic:3", "-1009", "3"},
	} {
		got, err := e.Channel.ResolveTarget(e.ctx, "default", c.in)
		if err != nil || string(got.Conversation) != c.chat || string(got.Thread) != c.thread {
			t.Errorf("%q: got %+v %v, want %s %s", c.in, got, err, c.chat, c.thread)
		}
	}
	for _, bad := range []string{"", "a b", "@x", "+49123", "https://example.org/x"} {
		if _, err := e.Channel.ResolveTarget(e.ctx, "default", bad); err == nil || !strings.Contains(err.Error(), "@username") {
			t.Errorf("%q: got %v, want an error that names the accepted forms", bad, err)
		}
	}
	if g, err := e.Channel.GroupInfo(e.ctx, "default", "-1009"); err != nil || g.Name != "news_room" {
		t.Errorf("group info %+v %v", g, err)
	}
}
