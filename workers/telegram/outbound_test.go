package telegram_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/markup"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	fake "github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

func text(md string) channel.Text { return markup.Parse(md) }

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault *fake.Fault
		want  message.Outcome
		code  string
		wait  int64
		kept  int
	}{
		{"bad request", &fake.Fault{Status: 400, Description: "Bad Request: chat not found"}, message.Refused, "chat_not_found", 0, 0},
		{"forbidden", &fake.Fault{Status: 403, Description: "Forbidden: bot was kicked"}, message.Refused, "forbidden", 0, 0},
		{"rate limit", &fake.Fault{Status: 429, RetryAfter: 7, Description: "Too Many Requests"}, message.NotSent, "rate_limited", 7000, 0},
		{"service unavailable", &fake.Fault{Status: 503, RawBody: "<html>"}, message.NotSent, "unavailable", 0, 0},
		{"proxy's refusal", &fake.Fault{Status: 407, RawBody: "proxy"}, message.NotSent, "bad_answer", 0, 0},
		{"internal error", &fake.Fault{Status: 500, Description: "Internal Server Error"}, message.Unknown, "unavailable", 0, 0},
		{"bad gateway", &fake.Fault{Status: 502, RawBody: "<html>"}, message.Unknown, "unavailable", 0, 0},
		{"an answer that is not JSON", &fake.Fault{Status: 200, RawBody: "hello"}, message.Unknown, "bad_answer", 0, 0},
		{"cut before it was looked at", &fake.Fault{Break: fake.BreakBefore}, message.Unknown, "network", 0, 0},
		{"cut after it was taken", &fake.Fault{Break: fake.BreakAfter}, message.Unknown, "network", 0, 1},
		{"cut within the answer", &fake.Fault{Break: fake.BreakWithin}, message.Unknown, "network", 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := connected(t)
			c.fault.Method, c.fault.Times = "sendMessage", 1
			e.net.Inject(c.fault)
			r := e.send(channel.Outbound{Text: text("hello")})
			if r.Outcome != c.want || r.Code != c.code || r.RetryAfterMS != c.wait {
				t.Errorf("got %+v, want %s %s after %d ms", r, c.want, c.code, c.wait)
			}
			withoutToken(t, "the result", r.Text)
			if n, calls := e.net.Copies(fake.To(42)), e.net.Count("sendMessage"); n != c.kept || calls != 1 {
				t.Errorf("the network kept %d after %d calls, want %d after one", n, calls, c.kept)
			}
		})
	}
}

func TestRefusedConnectionIsNotSent(t *testing.T) {
	e := connected(t)
	e.net.Stop()
	r := e.send(channel.Outbound{Text: text("hello")})
	if r.Outcome != message.NotSent || r.Code != "network" {
		t.Errorf("got %+v, want not sent", r)
	}
	withoutToken(t, "the result", r.Text)
	if err := e.net.Restart(); err != nil {
		t.Fatal(err)
	}
	if r := e.send(channel.Outbound{Text: text("hello")}); r.Outcome != message.Sent {
		t.Errorf("after the restart: %+v", r)
	}
}

func TestTimeoutIsUnknown(t *testing.T) {
	e := unconnected(t, fast())
	cfg := `{"apiRoot":"` + e.net.URL() + `","botToken":"` + fake.Token + `","timeoutSeconds":0.2}`
	held := e.net.Inject(&fake.Fault{Method: "sendMessage", HoldAnswer: true})
	t.Cleanup(held.Remove)
	e.StartAccount("default", 1, []byte(cfg))
	r := e.send(channel.Outbound{Text: text("hello")})
	if r.Outcome != message.Unknown || r.Code != "timeout" || e.net.Copies(fake.To(42)) != 1 {
		t.Errorf("got %+v with %d copies, want unknown with one", r, e.net.Copies(fake.To(42)))
	}
}

func TestFormatting(t *testing.T) {
	e := connected(t)
	r := e.send(channel.Outbound{LinkPreview: true, Text: text("**b *i*** `c<>&` [l](https://example.org/?a=1&b=\"2\") ||s|| ~~x~~\n\n```go\na < b\n```\n\n> q\n\n[rel](/x)")})
	if r.Outcome != message.Sent {
		t.Fatalf("got %+v", r)
	}
	m := e.bot.Sent()[0]
	want := `<b>b <i>i</i></b> <code>c&lt;&gt;&amp;</code> <a href="https://example.org/?a=1&amp;b=%222%22">l</a> <tg-spoiler>s</tg-spoiler> <s>x</s>` +
		"\n\n<pre><code class=\"language-go\">a &lt; b</code></pre>\n\nq\n\nrel"
	if m.Raw != strings.ReplaceAll(want, "%222%22", "&#34;2&#34;") || m.ParseMode != "HTML" || m.NoPreview || m.Silent {
		t.Errorf("sent %s\nwant %s (%+v)", m.Raw, want, m)
	}
	if string(r.ID) != "1" {
		t.Errorf("id is %q", r.ID)
	}
}

func TestRefusedMarkupGoesOnceAsPlainText(t *testing.T) {
	e := connected(t)
	f := e.net.Inject(&fake.Fault{
		Method: "sendMessage", Status: 400, Description: "Bad Request: can't parse entities: unexpected end",
		Match: func(p fake.Params) bool { return p.String("parse_mode") == "HTML" },
	})
	r := e.send(channel.Outbound{Text: text("**bold** & co")})
	if r.Outcome != message.Sent || f.Hits() != 1 || e.net.Count("sendMessage") != 2 {
		t.Fatalf("got %+v after %d calls", r, e.net.Count("sendMessage"))
	}
	if m := e.bot.Sent()[0]; m.Text != "bold & co" || m.ParseMode != "" {
		t.Errorf("sent %+v", m)
	}
	f.Remove()
	all := e.net.Inject(&fake.Fault{Method: "sendMessage", Status: 400, Description: "Bad Request: can't parse entities: x"})
	if r := e.send(channel.Outbound{Text: text("x")}); r.Outcome != message.Refused || r.Code != "bad_markup" || all.Hits() != 2 {
		t.Errorf("refused twice: %+v after %d calls", r, all.Hits())
	}
}

func TestPlaceReplyAndFlags(t *testing.T) {
	e := connected(t)
	const forum = -1001234567890
	e.bot.AddChat(fake.Chat{ID: forum, Forum: true, Topics: []int{7}})
	said := e.bot.Post(forum, person, fake.Object{"text": "hi", "message_thread_id": 7, "is_topic_message": true})
	reply := e.next(1).Inbound
	r := e.send(channel.Outbound{Conversation: reply.Conversation, Thread: reply.Thread, ReplyTo: reply.ID, Silent: true, Text: text("in the topic")})
	if m := e.bot.Sent()[0]; r.Outcome != message.Sent || m.Chat != forum || m.Thread != 7 || m.ReplyTo != said.MessageID || !m.Silent || !m.NoPreview {
		t.Errorf("got %+v, sent %+v", r, m)
	}
	if r := e.send(channel.Outbound{Conversation: reply.Conversation, Thread: "1", Text: text("general")}); r.Outcome != message.Sent || e.bot.Sent()[1].Thread != 0 {
		t.Errorf("general topic: %+v", r)
	}
	if err := e.Channel.Typing(e.ctx, channel.Place{Account: "default", Conversation: reply.Conversation, Thread: "1"}, true); err != nil {
		t.Error(err)
	}
	if a := e.bot.Actions(); len(a) != 1 || a[0].Thread != 1 || a[0].Action != "typing" {
		t.Errorf("typing in general: %+v", a)
	}
	if r := e.send(channel.Outbound{ReplyTo: "999", Text: text("answer to what is gone")}); r.Outcome != message.Sent {
		t.Errorf("reply to a deleted message: %+v", r)
	}
	for _, bad := range []channel.Outbound{{Conversation: "x y"}, {Thread: "abc"}, {ReplyTo: "abc"}, {ChannelData: "{"}} {
		bad.Text = text("hello")
		if r := e.send(bad); r.Outcome != message.Refused {
			t.Errorf("%+v: got %+v, want refused", bad, r)
		}
	}
}

func file(kind message.MediaKind, mime, name, body string) channel.MediaFile {
	return channel.MediaFile{
		Meta: channel.MediaMeta{Kind: kind, MIME: mime, Name: name, Size: int64(len(body))},
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil },
	}
}

func TestMedia(t *testing.T) {
	for _, c := range []struct {
		name   string
		f      channel.MediaFile
		data   string
		method string
	}{
		{"photo", file(message.MediaImage, "image/jpeg", "a.jpg", "JPEG"), "", "sendPhoto"},
		{"gif", file(message.MediaImage, "image/gif", "a.gif", "GIF"), "", "sendAnimation"},
		{"video", file(message.MediaVideo, "video/mp4", "a.mp4", "MP4"), "", "sendVideo"},
		{"video note", file(message.MediaVideo, "video/mp4", "a.mp4", "MP4"), `{"asVideoNote":true}`, "sendVideoNote"},
		{"audio", file(message.MediaAudio, "audio/mpeg", "a.mp3", "MP3"), "", "sendAudio"},
		{"voice", file(message.MediaVoice, "audio/ogg", "", "OGG"), "", "sendVoice"},
		{"document", file(message.MediaDocument, "application/pdf", "../../a b.pdf", strings.Repeat("x", 300_000)), "", "sendDocument"},
		{"sticker", file(message.MediaSticker, "image/webp", "s.webp", "WEBP"), "", "sendSticker"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := connected(t)
			r := e.send(channel.Outbound{Text: text("a **caption**"), ChannelData: c.data}, c.f)
			if r.Outcome != message.Sent {
				t.Fatalf("got %+v", r)
			}
			m := e.bot.Sent()[0]
			body, _ := c.f.Open()
			want, _ := io.ReadAll(body)
			if m.Method != c.method || !bytes.Equal(m.File, want) || strings.ContainsAny(m.FileName, "/\\") || m.FileName == "" {
				t.Errorf("sent %s %q with %d bytes, want %s with %d", m.Method, m.FileName, len(m.File), c.method, len(want))
			}
			if captioned := m.Text == "a caption"; captioned != (c.name != "video note" && c.name != "sticker") {
				t.Errorf("caption is %q", m.Text)
			}
		})
	}
}

func TestAlbum(t *testing.T) {
	e := connected(t)
	r := e.send(channel.Outbound{Text: text("two")}, file(message.MediaImage, "image/jpeg", "a.jpg", "ONE"), file(message.MediaVideo, "video/mp4", "a.jpg", "TWO"))
	sent := e.bot.Sent()
	if r.Outcome != message.Sent || len(sent) != 2 || string(sent[0].File) != "ONE" || string(sent[1].File) != "TWO" || sent[0].Text != "two" || sent[1].Text != "" || sent[0].Album != sent[1].Album {
		t.Errorf("got %+v, sent %+v", r, sent)
	}
	if n := e.net.Count("sendMediaGroup"); n != 1 {
		t.Errorf("%d calls, want one", n)
	}
}

func TestHalfAFileIsNotSent(t *testing.T) {
	e := connected(t)
	f := file(message.MediaDocument, "text/plain", "a.txt", "half")
	f.Meta.Size = 100_000
	if r := e.send(channel.Outbound{}, f); r.Outcome != message.NotSent {
		t.Errorf("got %+v, want not sent", r)
	}
	f.Meta.Size = 6 << 20
	if r := e.send(channel.Outbound{}, f); r.Outcome != message.Refused || r.Code != "too_large" {
		t.Errorf("got %+v, want refused: too large", r)
	}
	if len(e.bot.Sent()) != 0 {
		t.Errorf("sent %+v", e.bot.Sent())
	}
}

func TestEditDeleteReact(t *testing.T) {
	e := connected(t)
	r := e.send(channel.Outbound{Text: text("first")})
	ref := channel.MessageRef{Delivery: "d2", Account: "default", Conversation: "42", ID: r.ID}
	for i := range 2 { // the second changes nothing, and is no failure
		if r := e.Channel.Edit(e.ctx, ref, text("**second**"), ""); r.Outcome != message.Sent {
			t.Errorf("edit %d: %+v", i, r)
		}
	}
	if m := e.bot.Sent()[0]; m.Text != "second" || m.Edits != 1 {
		t.Errorf("after the edit: %+v", m)
	}
	if r := e.Channel.React(e.ctx, ref, "👍", false); r.Outcome != message.Sent {
		t.Errorf("react: %+v", r)
	}
	if r := e.Channel.React(e.ctx, ref, "👍", true); r.Outcome != message.Sent {
		t.Errorf("take away: %+v", r)
	}
	if got := e.bot.Reactions(); len(got) != 2 || got[0].Emoji != "👍" || got[1].Emoji != "" {
		t.Errorf("reactions: %+v", got)
	}
	for i := range 2 {
		if r := e.Channel.Delete(e.ctx, ref); r.Outcome != message.Sent {
			t.Errorf("delete %d: %+v", i, r)
		}
	}
	if !e.bot.Sent()[0].Deleted {
		t.Error("the message still stands")
	}
	if r := e.Channel.Edit(e.ctx, ref, text("third"), ""); r.Outcome != message.Refused || r.Code != "message_not_found" {
		t.Errorf("edit of what is gone: %+v", r)
	}
}

func TestSendConditionFollowsTheNetwork(t *testing.T) {
	e := connected(t)
	f := e.net.Inject(&fake.Fault{Method: "sendMessage", Status: 500, Description: "Internal Server Error"})
	e.send(channel.Outbound{Text: text("x")})
	e.AwaitState("default", "cannot send", func(s channel.AccountState) bool { return s.Send.Code == "unavailable" && s.Receive.Code == "ok" })
	f.Remove()
	before := time.Now().UnixMilli()
	e.send(channel.Outbound{Text: text("x")})
	e.AwaitState("default", "sends again", func(s channel.AccountState) bool { return s.Send.Code == "ok" && s.Send.LastProofMS >= before })
}
