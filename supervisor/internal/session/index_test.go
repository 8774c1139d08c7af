package session

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

const key = "agent:main:main"

type house struct {
	dir string
	db  *journal.DB
	x   *Index
}

func open(t *testing.T, dir string) *house {
	t.Helper()
	return openAt(t, dir, clock.System())
}

func openAt(t *testing.T, dir string, c clock.Clock) *house {
	t.Helper()
	db, err := journal.Open(t.Context(), journal.Config{Path: filepath.Join(dir, "journal.db"), Clock: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	x, err := Open(t.Context(), Config{DB: db, Clock: c, Log: slog.New(slog.DiscardHandler), StorePath: func(a string) string { return filepath.Join(dir, a, "sessions.json") }, Agents: []string{"main"}})
	if err != nil {
		t.Fatal(err)
	}
	return &house{dir, db, x}
}

// stop runs the mirror's last write and closes the journal.
func (h *house) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.x.Run(ctx); err != nil {
		t.Error(err)
	}
	if err := h.db.Close(); err != nil {
		t.Error(err)
	}
}

func (h *house) update(t *testing.T, fn func(*journal.Tx) error) {
	t.Helper()
	if err := h.db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func (h *house) patch(t *testing.T, patch string) Entry {
	t.Helper()
	var e Entry
	h.update(t, func(tx *journal.Tx) (err error) {
		e, err = h.x.Patch(tx, key, "main", json.RawMessage(patch))
		return err
	})
	return e
}

func TestPatchMakesKeepsAndRemoves(t *testing.T) {
	h := open(t, t.TempDir())
	defer h.stop(t)
	first := h.patch(t, `{"label":"L","thinkingLevel":"low","custom":{"x":1}}`)
	if first.SessionID == "" || first.Text("label") != "L" {
		t.Errorf("first entry: %+v", first)
	}
	second := h.patch(t, `{"label":null,"sessionId":"not yours","thinkingLevel":"high"}`)
	if second.SessionID != first.SessionID {
		t.Error("a patch changed the session id")
	}
	got, ok := h.x.Get(key)
	if !ok || got.Text("label") != "" || got.Text("thinkingLevel") != "high" || string(got.Fields["custom"]) != `{"x":1}` {
		t.Errorf("entry: %+v, %v", got, ok)
	}
}

func TestMemoryFollowsTheDiskOnly(t *testing.T) {
	h := open(t, t.TempDir())
	defer h.stop(t)
	failed := h.db.Update(t.Context(), func(tx *journal.Tx) error {
		if _, err := h.x.Patch(tx, key, "main", json.RawMessage(`{"label":"L"}`)); err != nil {
			return err
		}
		return context.Canceled
	})
	if failed == nil {
		t.Fatal("the transaction did not fail")
	}
	if _, ok := h.x.Get(key); ok {
		t.Error("an entry whose transaction was rolled back is seen")
	}
}

func TestResetAndEnsureGiveNewIDs(t *testing.T) {
	h := open(t, t.TempDir())
	defer h.stop(t)
	first := h.patch(t, `{"label":"L","thinkingLevel":"low","inputTokens":5}`)
	var reset Entry
	h.update(t, func(tx *journal.Tx) (err error) { reset, err = h.x.Reset(tx, key); return err })
	if reset.SessionID == first.SessionID || reset.Text("label") != "L" || reset.Text("thinkingLevel") != "low" || reset.Number("inputTokens") != 0 {
		t.Errorf("reset: %s", reset.JSON())
	}
	ensure := func(rule Rule) (e Entry, started bool) {
		h.update(t, func(tx *journal.Tx) (err error) { e, started, err = h.x.Ensure(tx, key, "main", rule); return err })
		return e, started
	}
	if e, started := ensure(Rule{Idle: time.Hour}); started || e.SessionID != reset.SessionID {
		t.Errorf("a fresh session began anew: %v %s", started, e.JSON())
	}
	e, started := ensure(Rule{Idle: time.Nanosecond})
	if !started || e.SessionID == reset.SessionID || e.Text("thinkingLevel") != "" || e.Text("label") != "L" {
		t.Errorf("a stale session: started %v, %s", started, e.JSON())
	}
}

func TestTheMirrorIsWrittenAndTakenOverWhenOthersChangeIt(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "main", "sessions.json")
	h := open(t, dir)
	first := h.patch(t, `{"label":"mine"}`)
	h.stop(t)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	if all[key]["label"] != "mine" || all[key]["sessionId"] != first.SessionID {
		t.Errorf("mirror: %s", raw)
	}
	edited := strings.Replace(string(raw), "mine", "theirs", 1)
	edited = strings.Replace(edited, "{\n", "{ // a note\n", 1)
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir)
	if e, _ := h.x.Get(key); e.Text("label") != "theirs" {
		t.Errorf("the change of others was not taken over: %s", e.JSON())
	}
	h.stop(t)
	for name, torn := range map[string]string{"empty": "", "torn": `{"agent:main:main": {"sess`} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(torn), 0o600); err != nil {
				t.Fatal(err)
			}
			h := open(t, dir)
			if e, _ := h.x.Get(key); e.Text("label") != "theirs" {
				t.Errorf("the index lost its entry: %s", e.JSON())
			}
			h.stop(t)
			if raw, err := os.ReadFile(file); err != nil || !strings.Contains(string(raw), "theirs") {
				t.Errorf("the mirror was not written anew: %s, %v", raw, err)
			}
		})
	}
}

func TestDeleteAndList(t *testing.T) {
	h := open(t, t.TempDir())
	defer h.stop(t)
	h.patch(t, `{}`)
	h.update(t, func(tx *journal.Tx) error {
		_, err := h.x.Patch(tx, "agent:work:main", "work", json.RawMessage(`{}`))
		return err
	})
	if got := len(h.x.List("")); got != 2 {
		t.Errorf("%d entries, want 2", got)
	}
	if got := h.x.List("work"); len(got) != 1 || got[0].Key != "agent:work:main" {
		t.Errorf("work: %+v", got)
	}
	for _, want := range []bool{true, false} {
		h.update(t, func(tx *journal.Tx) error {
			was, err := h.x.Delete(tx, key)
			if was != want {
				t.Errorf("deleted %v, want %v", was, want)
			}
			return err
		})
	}
	if _, ok := h.x.Get(key); ok {
		t.Error("the entry is still there")
	}
}

func TestKeys(t *testing.T) {
	k := Keys{DefaultAgent: "main", IdentityLinks: map[string][]string{"ada": {"telegram:42", "Discord:7"}}}
	for in, want := range map[string]string{
		"": "agent:main:main", "main": "agent:main:main", " MAIN ": "agent:main:main", "agent:work:main": "agent:work:main",
		"Chat-1": "agent:main:chat-1", "agent:main:X": "agent:main:x", "global": "global", "agent::x": "agent:main:agent::x",
		"agent:main:dm:42": "agent:main:direct:42",
	} {
		if got, _ := k.Canonical(in); got != want {
			t.Errorf("Canonical(%q) = %s, want %s", in, got, want)
		}
	}
	got := []string{}
	for _, scope := range []string{"", ScopePerPeer, ScopePerChannelPeer, ScopePerAccountChannelPeer} {
		k.DMScope = scope
		got = append(got, k.Direct("main", "telegram", "", "99"), k.Direct("main", "telegram", "Work", "42"))
	}
	want := []string{
		"agent:main:main", "agent:main:main", "agent:main:direct:99", "agent:main:direct:ada",
		"agent:main:telegram:direct:99", "agent:main:telegram:direct:ada",
		"agent:main:telegram:default:direct:99", "agent:main:telegram:work:direct:ada",
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("direct keys (-got +want):\n%s", d)
	}
	if got, _ := (Keys{DefaultAgent: "main", MainKey: "home"}).Canonical("agent:x:main"); got != "agent:x:home" {
		t.Errorf("main key: %s", got)
	}
}

func TestStale(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name         string
		r            Rule
		updated, now string
		want         bool
	}{
		{"same day", DefaultRule(), "2026-11-24 05:00", "2026-11-24 23:00", false},
		{"over the boundary", DefaultRule(), "2026-11-24 03:59", "2026-11-24 04:00", true},
		{"before the boundary", DefaultRule(), "2026-11-23 23:00", "2026-11-24 03:59", false},
		{"idle", Rule{Idle: time.Hour}, "2026-11-24 05:00", "2026-11-24 06:01", true},
		{"not idle", Rule{Idle: time.Hour}, "2026-11-24 05:00", "2026-11-24 06:00", false},
		{"never", Rule{}, "2020-01-01 00:00", "2026-11-24 06:00", false},
	} {
		if got := c.r.Stale(at(c.updated), at(c.now)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
