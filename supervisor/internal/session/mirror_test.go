package session

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/clock"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
)

// crash closes the journal without the mirror's last write.
func (h *house) crash(t *testing.T) {
	t.Helper()
	if err := h.db.Close(); err != nil {
		t.Error(err)
	}
}

func mirrorFile(dir string) string { return filepath.Join(dir, "main", "sessions.json") }

func TestOurOwnOldMirrorIsNotTakenOver(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.patch(t, `{"label":"old"}`)
	h.stop(t)
	h = open(t, dir)
	h.patch(t, `{"label":"new"}`)
	h.crash(t) // before the mirror could follow
	h = open(t, dir)
	if e, _ := h.x.Get(key); e.Text("label") != "new" {
		t.Errorf("label: got %q, want that of the journal", e.Text("label"))
	}
	h.stop(t)
	if raw, err := os.ReadFile(mirrorFile(dir)); err != nil || !strings.Contains(string(raw), "new") {
		t.Errorf("the mirror stayed behind: %s %v", raw, err)
	}
}

func TestAKillBetweenMarkAndFile(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.patch(t, `{"label":"old"}`)
	h.stop(t)
	before, err := os.ReadFile(mirrorFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	h = open(t, dir)
	h.patch(t, `{"label":"new"}`)
	h.stop(t)
	if err := os.WriteFile(mirrorFile(dir), before, 0o600); err != nil { // marked, never renamed
		t.Fatal(err)
	}
	h = open(t, dir)
	defer h.stop(t)
	if e, _ := h.x.Get(key); e.Text("label") != "new" {
		t.Errorf("label: got %q, want that of the journal", e.Text("label"))
	}
}

func TestWhatOthersRemovedIsGoneAndWhatWeChangedLaterStays(t *testing.T) {
	dir := t.TempDir()
	c := clock.NewFake(time.UnixMilli(1_800_000_000_000))
	h := openAt(t, dir, c)
	patch := func(key, p string) {
		h.update(t, func(tx *journal.Tx) error {
			_, err := h.x.Patch(tx, key, "main", json.RawMessage(p))
			return err
		})
	}
	patch("agent:main:removed", `{"label":"x"}`)
	patch("agent:main:kept", `{"label":"x"}`)
	c.Advance(time.Second)
	h.stop(t)
	c.Advance(time.Minute)
	h = openAt(t, dir, c)
	patch("agent:main:late", `{"label":"x"}`) // not in any mirror
	h.crash(t)
	theirs := `{
	  "agent:main:kept": {"sessionId": "s1", "updatedAt": 1, "label": "theirs", "provider": "telegram"},
	  "main": {"sessionId": "s2", "updatedAt": 2},
	  "telegram:dm:42": {"sessionId": "s3", "updatedAt": 3},
	  "group:-7": {"sessionId": "s4", "updatedAt": 4, "room": "#r", "provider": "telegram"},
	  "agent:main:broken": {"label": "no session id"},
	}`
	if err := os.WriteFile(mirrorFile(dir), []byte(theirs), 0o600); err != nil {
		t.Fatal(err)
	}
	h = openAt(t, dir, c)
	defer h.stop(t)
	got := map[string]string{}
	for _, e := range h.x.List("main") {
		got[e.Key] = e.Text("label") + "/" + e.Text("channel") + "/" + e.Text("groupChannel")
	}
	want := map[string]string{
		"agent:main:kept": "theirs/telegram/", "agent:main:late": "x//", "agent:main:main": "//", "agent:main:telegram:direct:42": "//",
		"agent:main:telegram:group:-7": "/telegram/#r",
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("index (-got +want):\n%s", d)
	}
	// The journal says the same as the memory.
	if err := h.db.View(t.Context(), func(tx *journal.Tx) error {
		rows, err := tx.ListSessions("main")
		if len(rows) != len(want) {
			t.Errorf("journal: %d entries, want %d", len(rows), len(want))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestTheMirrorIsPrivateAndItsLockKeepsWritersApart(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.patch(t, `{"label":"1"}`)
	h.x.writeMirrors(t.Context())
	if info, err := os.Stat(mirrorFile(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: %v %v", info.Mode().Perm(), err)
	}
	lock := flock.New(mirrorFile(dir) + ".lock")
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	h.patch(t, `{"label":"2"}`)
	h.x.writeMirrors(t.Context())
	if raw, err := os.ReadFile(mirrorFile(dir)); err != nil || strings.Contains(string(raw), `"2"`) {
		t.Errorf("written under another's lock: %s %v", raw, err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	h.stop(t)
	if raw, err := os.ReadFile(mirrorFile(dir)); err != nil || !strings.Contains(string(raw), `"2"`) {
		t.Errorf("not written once the lock was free: %s %v", raw, err)
	}
}

func TestGroupKeys(t *testing.T) {
	k := Keys{DefaultAgent: "main"}
	group := k.Group("main", "Telegram", 2, "-100AB")
	for got, want := range map[string]string{
		group:                                       "agent:main:telegram:group:-100ab",
		k.Group("work", "discord", 3, "7"):          "agent:work:discord:channel:7",
		k.Topic(group, "12"):                        "agent:main:telegram:group:-100ab:topic:12",
		k.Thread("agent:main:main", "9"):            "agent:main:main:thread:9",
		k.Thread("agent:main:main", ""):             "agent:main:main",
		Keys{Global: true}.Group("a", "b", 2, "c"):  GlobalKey,
		Keys{Global: true}.Thread(GlobalKey, "c"):   GlobalKey,
		directSpelling("telegram:work:dm:42"):       "telegram:work:direct:42",
		directSpelling("dm:42"):                     "direct:42",
		directSpelling("telegram:group:x:y:z:dm:1"): "telegram:group:x:y:z:dm:1",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
