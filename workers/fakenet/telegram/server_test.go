package telegram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

type reply struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	ErrorCode   int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int `json:"retry_after"`
	} `json:"parameters"`
}

func start(t *testing.T) (*telegram.Server, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	s := &telegram.Server{}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, ctx
}

func call(ctx context.Context, s *telegram.Server, method, params string) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/bot"+telegram.Token+"/"+method, strings.NewReader(params))
	if err != nil {
		return reply{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	var out reply
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{}, err
	}
	return out, json.Unmarshal(body, &out)
}

func mustCall(t *testing.T, ctx context.Context, s *telegram.Server, method, params string) reply {
	t.Helper()
	r, err := call(ctx, s, method, params)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return r
}

func TestUpdatesAreHandedOutUntilConfirmed(t *testing.T) {
	s, ctx := start(t)
	first := s.Say(42, telegram.User{ID: 42}, "one")
	second := s.Say(42, telegram.User{ID: 42}, "two")
	for range 2 {
		if r := mustCall(t, ctx, s, "getUpdates", `{"offset":0}`); !bytes.Contains(r.Result, []byte("one")) || !bytes.Contains(r.Result, []byte("two")) {
			t.Fatalf("got %s, want both messages", r.Result)
		}
	}
	b := s.Bot(telegram.Token)
	if b.Confirmed(first.UpdateID) {
		t.Error("an update counts as confirmed before its offset came")
	}
	r := mustCall(t, ctx, s, "getUpdates", `{"offset":`+jsonInt(second.UpdateID)+`}`)
	if bytes.Contains(r.Result, []byte("one")) || !b.Confirmed(first.UpdateID) || b.Confirmed(second.UpdateID) || b.HandedOut(second.UpdateID) != 3 {
		t.Errorf("after the offset moved: %s", r.Result)
	}
}

func jsonInt(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestSecondPollEndsTheFirst(t *testing.T) {
	s, ctx := start(t)
	first := make(chan reply, 1)
	go func() {
		r, _ := call(ctx, s, "getUpdates", `{"timeout":30}`)
		first <- r
	}()
	if err := s.Bot(telegram.Token).AwaitPoll(ctx); err != nil {
		t.Fatal(err)
	}
	mustCall(t, ctx, s, "getUpdates", `{}`)
	if r := <-first; r.ErrorCode != 409 {
		t.Errorf("got %+v, want 409", r)
	}
}

func TestSendRules(t *testing.T) {
	s, ctx := start(t)
	b := s.Bot(telegram.Token)
	b.AddChat(telegram.Chat{ID: 42})
	b.AddChat(telegram.Chat{ID: -1001234567890, Forum: true, Topics: []int{7}})
	b.AddChat(telegram.Chat{ID: 43})
	b.Block(43, true)
	long, _ := json.Marshal(strings.Repeat("x", 4097))
	for _, c := range []struct{ name, params, want string }{
		{"plain", `{"chat_id":42,"text":"hi"}`, ""},
		{"markup does not count", `{"chat_id":42,"parse_mode":"HTML","text":"<b>` + strings.Repeat("y", 4096) + `</b>"}`, ""},
		{"too long", `{"chat_id":42,"text":` + string(long) + `}`, "message is too long"},
		{"empty", `{"chat_id":42,"text":" "}`, "message text is empty"},
		{"unknown chat", `{"chat_id":44,"text":"hi"}`, "chat not found"},
		{"blocked", `{"chat_id":43,"text":"hi"}`, "blocked by the user"},
		{"bad markup", `{"chat_id":42,"parse_mode":"HTML","text":"a <b>b"}`, "can't parse entities: Can't find end tag"},
		{"unknown tag", `{"chat_id":42,"parse_mode":"HTML","text":"a <h1>b</h1>"}`, "can't parse entities: Unsupported start tag"},
		{"topic", `{"chat_id":-1001234567890,"message_thread_id":7,"text":"hi"}`, ""},
		{"general topic by number", `{"chat_id":-1001234567890,"message_thread_id":1,"text":"hi"}`, "message thread not found"},
		{"topic in a direct chat", `{"chat_id":42,"message_thread_id":7,"text":"hi"}`, "message thread not found"},
		{"reply to nothing", `{"chat_id":42,"reply_parameters":{"message_id":99},"text":"hi"}`, "message to be replied not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := mustCall(t, ctx, s, "sendMessage", c.params)
			if r.OK != (c.want == "") || !strings.Contains(r.Description, c.want) {
				t.Errorf("got %+v, want %q", r, c.want)
			}
		})
	}
	if n := s.Copies(telegram.Saying(42, "hi")); n != 1 {
		t.Errorf("%d copies were kept, want 1", n)
	}
}

func TestFaults(t *testing.T) {
	s, ctx := start(t)
	s.Bot(telegram.Token).AddChat(telegram.Chat{ID: 42})
	send := func() (reply, error) { return call(ctx, s, "sendMessage", `{"chat_id":42,"text":"hi"}`) }
	sent := func() int { return s.Copies(telegram.To(42)) }

	s.Inject(&telegram.Fault{Method: "sendMessage", Times: 1, Status: 429, Description: "Too Many Requests: retry after 3", RetryAfter: 3})
	if r, err := send(); err != nil || r.ErrorCode != 429 || r.Parameters.RetryAfter != 3 || sent() != 0 {
		t.Errorf("429: got %+v %v with %d sent", r, err, sent())
	}
	s.Inject(&telegram.Fault{Method: "sendMessage", Times: 1, Break: telegram.BreakBefore})
	if _, err := send(); err == nil || sent() != 0 {
		t.Errorf("break before: got %v with %d sent, want an error and none", err, sent())
	}
	s.Inject(&telegram.Fault{Method: "sendMessage", Times: 1, Break: telegram.BreakAfter})
	if _, err := send(); err == nil || sent() != 1 {
		t.Errorf("break after: got %v with %d sent, want an error and one", err, sent())
	}
	s.Inject(&telegram.Fault{Method: "sendMessage", Times: 1, Break: telegram.BreakWithin})
	if _, err := send(); err == nil || sent() != 2 {
		t.Errorf("break within: got %v with %d sent, want an error and two", err, sent())
	}
	held := s.Inject(&telegram.Fault{Method: "sendMessage", HoldAnswer: true})
	done := make(chan error, 1)
	go func() {
		_, err := send()
		done <- err
	}()
	if _, err := s.AwaitSends(ctx, 3, telegram.To(42)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
		t.Error("the answer came while it was held")
	default:
	}
	held.Remove()
	if err := <-done; err != nil {
		t.Error(err)
	}
	s.Revoke(telegram.Token)
	if r, err := send(); err != nil || r.ErrorCode != 401 {
		t.Errorf("revoked: got %+v %v", r, err)
	}
	s.Stop()
	if _, err := send(); err == nil {
		t.Error("a stopped server answered")
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if r, err := send(); err != nil || r.ErrorCode != 401 {
		t.Errorf("restarted: got %+v %v", r, err)
	}
}

func TestUploadAndDownload(t *testing.T) {
	s, ctx := start(t)
	s.Bot(telegram.Token).AddChat(telegram.Chat{ID: 42})
	body := "--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n--B\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n\r\nJPEG\r\n--B--\r\n"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/bot"+telegram.Token+"/sendPhoto", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "multipart/form-data; boundary=B")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	m, err := s.AwaitSend(ctx, telegram.To(42))
	if err != nil || string(m.File) != "JPEG" || m.FileName != "a.jpg" || m.Method != "sendPhoto" {
		t.Errorf("got %+v %v", m, err)
	}
	s.AddFile("F", "photos/x.jpg", "image/jpeg", []byte("BYTES"))
	if r := mustCall(t, ctx, s, "getFile", `{"file_id":"F"}`); !bytes.Contains(r.Result, []byte("photos/x.jpg")) {
		t.Errorf("getFile: %s", r.Result)
	}
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/file/bot"+telegram.Token+"/photos/x.jpg", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.DefaultClient.Do(get)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if b, _ := io.ReadAll(got.Body); string(b) != "BYTES" {
		t.Errorf("downloaded %q", b)
	}
}
