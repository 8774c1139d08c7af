package transcript

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
)

func TestFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "s.jsonl")
	now := time.UnixMilli(1795293122648).UTC()
	f, err := Open(t.Context(), Options{Path: path, SessionID: "b0906c91-e913-4ea4-bdab-9d577a568bfa", Cwd: "/ws", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	isError := false
	entries := append(ModelEntries("stub", "m1", "openai-completions", now), user("<list> files"),
		MessageEntry(chat.Message{Role: chat.RoleToolResult, ToolCallID: "c", ToolName: "exec", Content: chat.Blocks{chat.Text("")}, IsError: &isError, Timestamp: 3}, &Tag{RunID: "R"}))
	if _, err := f.Append(entries...); err != nil {
		t.Fatal(err)
	}
	f.Close()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ids := regexp.MustCompile(`"(id|parentId)":"[0-9a-f]{8}"`).ReplaceAllString(string(raw), `"$1":"*"`)
	want := `{"type":"session","version":3,"id":"b0906c91-e913-4ea4-bdab-9d577a568bfa","timestamp":"2026-11-21T20:32:02.648Z","cwd":"/ws"}
{"type":"model_change","id":"*","parentId":null,"timestamp":"2026-11-21T20:32:02.648Z","provider":"stub","modelId":"m1"}
{"type":"custom","id":"*","parentId":"*","timestamp":"2026-11-21T20:32:02.648Z","customType":"model-snapshot","data":{"modelApi":"openai-completions","modelId":"m1","provider":"stub","timestamp":1795293122648}}
{"type":"message","id":"*","parentId":"*","timestamp":"2026-11-21T20:32:02.648Z","message":{"role":"user","content":[{"type":"text","text":"<list> files"}],"timestamp":1},"openclaw":{"runId":"R","inputId":"<list> files"}}
{"type":"message","id":"*","parentId":"*","timestamp":"2026-11-21T20:32:02.648Z","message":{"role":"toolResult","content":[{"type":"text","text":""}],"toolCallId":"c","toolName":"exec","isError":false,"timestamp":3},"openclaw":{"runId":"R"}}
`
	if diff := cmp.Diff(strings.ReplaceAll(strings.ReplaceAll(ids, `\u003c`, "<"), `\u003e`, ">"), want); diff != "" {
		t.Errorf("file (-got +want):\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: %v (%v)", info.Mode(), err)
	}
}

func TestContextFollowsTheTree(t *testing.T) {
	line := func(s string) string { return s + "\n" }
	file := line(`{"type":"session","version":3,"id":"s"}`) +
		line(`{"type":"model_change","id":"1","parentId":null,"provider":"p","modelId":"m"}`) +
		line(`{"type":"message","id":"2","parentId":"1","message":{"role":"user","content":"old","timestamp":1}}`) +
		line(`{"type":"message","id":"3","parentId":"2","message":{"role":"user","content":"kept","timestamp":1}}`) +
		line(`{"type":"message","id":"x","parentId":"2","message":{"role":"user","content":"another branch","timestamp":1}}`) +
		line(`{"type":"thinking_level_change","id":"4","parentId":"3","thinkingLevel":"low"}`) +
		line(`{"type":"compaction","id":"5","parentId":"4","summary":"SUM","firstKeptEntryId":"3","tokensBefore":9}`) +
		line(`{"type":"custom_message","id":"6","parentId":"5","customType":"note","content":"by the way","display":true}`) +
		line(`{"type":"label","id":"7","parentId":"6","targetId":"2"}`) +
		line(`{"type":"message","id":"8","parentId":"7","message":{"role":"assistant","content":[{"type":"text","text":"new"}],"timestamp":1}}`)
	c := buildContext(parse([]byte(file)).entries)
	var got []string
	for _, m := range c.Messages {
		got = append(got, m.Role+": "+m.Content.Text())
	}
	want := []string{"user: The conversation before this point was summarised:\n\nSUM", "user: kept", "user: by the way", "assistant: new"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("messages (-got +want):\n%s", diff)
	}
	if c.Provider != "p" || c.Model != "m" || c.Thinking != "low" {
		t.Errorf("context: %+v", c)
	}
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.jsonl")
	if messages, before, err := History(path, Page{}); len(messages) != 0 || before != "" || err != nil {
		t.Errorf("missing file: %v %q %v", messages, before, err)
	}
	write(t, path, user("[Sat 2026-11-21 20:32 UTC] one\n[message_id: k-1]"), assistant("two"), user("three"), assistant("four"))
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"type":"message","id":"torn","mess`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	read := func(p Page) (out []string, before string) {
		t.Helper()
		messages, before, err := History(path, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range messages {
			var m chat.Message
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			out = append(out, m.Content.Text())
		}
		return out, before
	}
	all, before := read(Page{})
	if diff := cmp.Diff(all, []string{"one", "two", "three", "four"}); diff != "" || before != "" {
		t.Errorf("all (-got +want):\n%s before %q", diff, before)
	}
	page, before := read(Page{Limit: 3})
	if diff := cmp.Diff(page, []string{"two", "three", "four"}); diff != "" || before == "" {
		t.Errorf("first page (-got +want):\n%s before %q", diff, before)
	}
	rest, end := read(Page{Limit: 3, Before: before})
	if diff := cmp.Diff(rest, []string{"one"}); diff != "" || end != "" {
		t.Errorf("second page (-got +want):\n%s before %q", diff, end)
	}
	if small, _ := read(Page{MaxBytes: 1}); cmp.Diff(small, []string{"four"}) != "" {
		t.Errorf("a cap of one byte: %v", small)
	}
	items, found, err := Preview(path, 3, 3)
	want := []PreviewItem{{"assistant", "two"}, {"user", "th…"}, {"assistant", "fo…"}}
	if diff := cmp.Diff(items, want); diff != "" || !found || err != nil {
		t.Errorf("preview (-got +want):\n%s %v %v", diff, found, err)
	}
}

func TestStringContentIsShownAsAList(t *testing.T) {
	got := string(present(json.RawMessage(`{"role":"user","content":"hello","timestamp":1}`)))
	if want := `{"content":[{"type":"text","text":"hello"}],"role":"user","timestamp":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSaid(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"bare", "hello", "hello"},
		{"stamp", "[Sat 2026-11-21 20:32 UTC] hello", "hello"},
		{"envelope", "[Telegram Ann id:7 +2m Sat 2026-11-21 20:32 GMT+1] hello", "hello"},
		{"id line", "hello\n[message_id: abc]", "hello"},
		{"stamp and id", "[Sat 2026-11-21 20:32 UTC] a\nb\n[message_id: abc]\n", "a\nb"},
		{"brackets of the person's own", "[todo] buy milk", "[todo] buy milk"},
		{"a date later in the text", "see [2026-11-21 20:32]", "see [2026-11-21 20:32]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Said(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCompactArchiveForkInject(t *testing.T) {
	dir := t.TempDir()
	opt := Options{Path: filepath.Join(dir, "s.jsonl"), SessionID: "s-1", Cwd: "/ws"}
	if k, err := Compact(t.Context(), opt, 5); err != nil || k.Reason != "no transcript" {
		t.Errorf("compact nothing: %+v, %v", k, err)
	}
	if name, err := Archive(t.Context(), opt, "deleted"); name != "" || err != nil {
		t.Errorf("archive nothing: %q, %v", name, err)
	}
	write(t, opt.Path, user("one"), assistant("two"), user("three"))
	id, err := Inject(t.Context(), opt, MessageEntry(*assistant("four").Message, &Tag{Key: "k"}))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Inject(t.Context(), opt, MessageEntry(*assistant("four").Message, &Tag{Key: "k"})); again != id || err != nil {
		t.Errorf("injected twice: %q, %v; want %q", again, err, id)
	}
	fork := Options{Path: filepath.Join(dir, "f.jsonl"), SessionID: "s-2"}
	for range 2 {
		if err := Fork(t.Context(), opt.Path, fork); err != nil {
			t.Fatal(err)
		}
	}
	f := open(t, fork.Path, nil)
	if diff := cmp.Diff(texts(f.Entries()), []string{"one", "two", "three", "four"}); diff != "" || f.header.ParentSession != opt.Path || f.header.ID != "s-2" {
		t.Errorf("fork (-got +want):\n%s header %+v", diff, f.header)
	}
	if k, err := Compact(t.Context(), opt, 5); err != nil || k.Compacted || k.Lines != 5 {
		t.Errorf("compact to what is there: %+v, %v", k, err)
	}
	k, err := Compact(t.Context(), opt, 1)
	if err != nil || !k.Compacted || k.Lines != 1 || k.Archive == "" {
		t.Fatalf("compact: %+v, %v", k, err)
	}
	if raw, err := os.ReadFile(k.Archive); err != nil || strings.Count(string(raw), "\n") != 5 {
		t.Errorf("archive: %v", err)
	}
	c := open(t, opt.Path, nil)
	if got := c.Context().Messages; len(got) != 1 || got[0].Content.Text() != "four" {
		t.Errorf("after compaction: %+v", got)
	}
	c.Close()
	name, err := Archive(t.Context(), opt, "deleted")
	if err != nil || !strings.HasPrefix(name, opt.Path+".deleted.") || exists(opt.Path) {
		t.Errorf("archive: %q, %v", name, err)
	}
}

func TestCacheSeesWhatOthersDid(t *testing.T) {
	opt := Options{Path: filepath.Join(t.TempDir(), "s.jsonl"), Cache: &Cache{}}
	add := func(opt Options, e Entry) []string {
		t.Helper()
		f, err := Open(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Append(e); err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return texts(f.Entries())
	}
	plain := Options{Path: opt.Path}
	steps := []struct {
		name string
		got  func() []string
		want []string
	}{
		{"new", func() []string { return add(opt, user("one")) }, []string{"one"}},
		{"from the cache", func() []string { return add(opt, user("two")) }, []string{"one", "two"}},
		{"by another", func() []string { return add(plain, user("three")) }, []string{"one", "two", "three"}},
		{"after another", func() []string { return add(opt, user("four")) }, []string{"one", "two", "three", "four"}},
		{"after an archive", func() []string {
			if _, err := Archive(t.Context(), plain, "reset"); err != nil {
				t.Fatal(err)
			}
			return add(opt, user("five"))
		}, []string{"five"}},
	}
	for _, s := range steps {
		if diff := cmp.Diff(s.got(), s.want); diff != "" {
			t.Fatalf("%s (-got +want):\n%s", s.name, diff)
		}
	}
	f := open(t, opt.Path, nil)
	if diff := cmp.Diff(texts(f.Entries()), []string{"five"}); diff != "" {
		t.Errorf("on disk (-got +want):\n%s", diff)
	}
}

func TestCacheIsBounded(t *testing.T) {
	dir, c := t.TempDir(), &Cache{}
	for i := range 6 {
		f, err := Open(t.Context(), Options{Path: filepath.Join(dir, string(rune('a'+i))), Cache: c})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Append(assistant(strings.Repeat("x", 1<<20))); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if c.size > maxCached || len(c.known) != len(c.order) || len(c.known) == 0 {
		t.Errorf("%d bytes in %d files (%d in order)", c.size, len(c.known), len(c.order))
	}
}
