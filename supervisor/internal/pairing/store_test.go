package pairing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// desk is a Store whose time is the test's.
type desk struct {
	*Store
	t   *testing.T
	dir string
	at  time.Time
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, dir: filepath.Join(t.TempDir(), "credentials"), at: time.Date(2026, 11, 24, 9, 5, 0, 123_000_000, time.UTC)}
	d.Store = New(Config{Dir: d.dir, Now: func() time.Time { return d.at }, Log: slog.New(slog.DiscardHandler)})
	return d
}

func (d *desk) ask(id string) (Request, bool) {
	d.t.Helper()
	r, created, err := d.Request(d.t.Context(), "telegram", id, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return r, created
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) read(name string) string {
	d.t.Helper()
	data, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(data)
}

func TestRequestIsFiledOnce(t *testing.T) {
	d := newDesk(t)
	first, created, err := d.Request(t.Context(), "telegram", "42", map[string]string{"username": "ada<3"})
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	if !regexp.MustCompile(`^[ABCDEFGHJKLMNPQRSTUVWXYZ23456789]{8}$`).MatchString(first.Code) {
		t.Errorf("the code is %q", first.Code)
	}
	want := fmt.Sprintf(`{
  "version": 1,
  "requests": [
    {
      "id": "42",
      "code": %q,
      "createdAt": "2026-11-24T09:05:00.123Z",
      "lastSeenAt": "2026-11-24T09:05:00.123Z",
      "meta": {
        "username": "ada<3"
      }
    }
  ]
}
`, first.Code)
	if diff := cmp.Diff(d.read("telegram-pairing.json"), want); diff != "" {
		t.Errorf("the file, got before want:\n%s", diff)
	}
	d.at = d.at.Add(59 * time.Minute)
	again, created := d.ask("42")
	if created || again.Code != first.Code || !again.CreatedAt.Equal(first.CreatedAt) || !again.LastSeenAt.Equal(d.at) || again.Meta["username"] != "ada<3" {
		t.Errorf("asked again: created %v, %+v", created, again)
	}
	d.at = d.at.Add(time.Minute) // one hour after the first, whatever was seen since
	if _, err := d.Approve(t.Context(), "telegram", first.Code); !errors.Is(err, ErrUnknownCode) {
		t.Errorf("an expired code: %v", err)
	}
	if other, created := d.ask("42"); !created || other.Code == first.Code {
		t.Errorf("after an hour: created %v, code %q", created, other.Code)
	}
}

func TestFilesArePrivate(t *testing.T) {
	d := newDesk(t)
	r, _ := d.ask("42")
	if _, err := d.Approve(t.Context(), "telegram", r.Code); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{".": 0o700, "telegram-pairing.json": 0o600, "telegram-allowFrom.json": 0o600} {
		info, err := os.Stat(filepath.Join(d.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	left, err := os.ReadDir(d.dir)
	if err != nil || len(left) != 2 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestThreeMayWait(t *testing.T) {
	d := newDesk(t)
	var codes []string
	for _, id := range []string{"1", "2", "3"} {
		r, created := d.ask(id)
		if !created {
			t.Errorf("%s was not filed", id)
		}
		codes = append(codes, r.Code)
		d.at = d.at.Add(time.Minute)
	}
	if r, created := d.ask("4"); created || r.Code != "" {
		t.Errorf("a fourth got %+v, created %v", r, created)
	}
	before := d.read("telegram-pairing.json")
	if _, created := d.ask("5"); created || d.read("telegram-pairing.json") != before {
		t.Error("somebody who gets nothing changed the file")
	}
	if r, created := d.ask("2"); created || r.Code != codes[1] {
		t.Errorf("one of the three got %+v, created %v", r, created)
	}
	if _, err := d.Reject(t.Context(), "telegram", codes[0]); err != nil {
		t.Fatal(err)
	}
	if _, created := d.ask("4"); !created {
		t.Error("a fourth was not filed although one is gone")
	}
	if list, err := d.List("telegram"); err != nil || !slices.Equal(ids(list), []string{"2", "3", "4"}) {
		t.Errorf("%v wait, %v", ids(list), err)
	}
	if list, err := d.List("discord"); err != nil || len(list) != 0 {
		t.Errorf("on another channel wait %v, %v", ids(list), err)
	}
}

func TestExcessOnDiskKeepsWhoWasSeenLast(t *testing.T) {
	d := newDesk(t)
	entry := func(id string, created, seen int) string {
		return fmt.Sprintf(`{"id":%q,"code":"CODE%s","createdAt":"2026-11-24T09:0%d:00.000Z","lastSeenAt":"2026-11-24T09:0%d:00.000Z"}`, id, id, created, seen)
	}
	d.write("telegram-pairing.json", `{"version":1,"requests":[`+strings.Join([]string{
		entry("a", 4, 4), entry("b", 1, 3), entry("c", 2, 2), entry("d", 0, 4), `{"id":"e","code":"X","createdAt":"never"}`, `7`,
	}, ",")+`]}`)
	list, err := d.List("telegram")
	if err != nil || !slices.Equal(ids(list), []string{"d", "b", "a"}) {
		t.Errorf("%v wait, %v", ids(list), err)
	}
}

func TestApprove(t *testing.T) {
	d := newDesk(t)
	d.write("telegram-allowFrom.json", `{"version":1,"allowFrom":["7", 8, "*", " "]}`)
	r, _ := d.ask("42")
	if _, err := d.Approve(t.Context(), "telegram", "ZZZZZZZZ"); !errors.Is(err, ErrUnknownCode) {
		t.Errorf("a wrong code: %v", err)
	}
	if _, err := d.Approve(t.Context(), "telegram", " "); !errors.Is(err, ErrUnknownCode) {
		t.Errorf("no code: %v", err)
	}
	got, err := d.Approve(t.Context(), "Telegram", " "+strings.ToLower(r.Code)+" ")
	if err != nil || got.ID != "42" {
		t.Fatalf("approved %+v, %v", got, err)
	}
	want := "{\n  \"version\": 1,\n  \"allowFrom\": [\n    \"7\",\n    \"8\",\n    \"42\"\n  ]\n}\n"
	if diff := cmp.Diff(d.read("telegram-allowFrom.json"), want); diff != "" {
		t.Errorf("the file, got before want:\n%s", diff)
	}
	if list, err := d.List("telegram"); err != nil || len(list) != 0 {
		t.Errorf("%v still wait, %v", ids(list), err)
	}
	if _, err := d.Approve(t.Context(), "telegram", r.Code); !errors.Is(err, ErrUnknownCode) {
		t.Errorf("the same code again: %v", err)
	}
}

func TestAllowedFollowsTheFile(t *testing.T) {
	d := newDesk(t)
	expect := func(want ...string) {
		t.Helper()
		if got := d.Allowed("telegram"); !slices.Equal(got, want) {
			t.Errorf("let in are %q, want %q", got, want)
		}
	}
	expect()
	d.write("telegram-allowFrom.json", `{"version":1,"allowFrom":["1"]}`)
	expect("1")
	d.write("telegram-allowFrom.json", `{"version":1,"allowFrom":["1","2"]}`)
	expect("1", "2")
	d.write("telegram-allowFrom.json", `{"version":1,"allow`)
	expect()
	r, _ := d.ask("9")
	if _, err := d.Approve(t.Context(), "telegram", r.Code); err == nil || errors.Is(err, ErrUnknownCode) {
		t.Errorf("an allow-list that cannot be read was replaced: %v", err)
	}
	if list, _ := d.List("telegram"); len(list) != 1 {
		t.Error("the request is gone although nobody was let in")
	}
	if err := os.Remove(filepath.Join(d.dir, "telegram-allowFrom.json")); err != nil {
		t.Fatal(err)
	}
	expect()
}

func TestChannelNamesStayInTheFolder(t *testing.T) {
	for channel, want := range map[string]string{"Telegram": "telegram", " a/../b ": "a___b", `x:\y|z`: "x__y_z", "..": "_"} {
		if got, err := fileKey(channel); err != nil || got != want {
			t.Errorf("%q is %q, want %q (%v)", channel, got, want, err)
		}
	}
	d := newDesk(t)
	if _, _, err := d.Request(t.Context(), " ", "1", nil); err == nil {
		t.Error("a channel without a name was served")
	}
}

func TestOtherWritersAreWaitedFor(t *testing.T) {
	d := newDesk(t)
	known, _ := d.ask("1")
	lock := filepath.Join(d.dir, "telegram-pairing.json.lock")
	if err := os.Mkdir(lock, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, created, err := d.Request(ctx, "telegram", "2", nil); err == nil || created {
		t.Errorf("filed while another program writes: created %v, %v", created, err)
	}
	// Who is known already is told so all the same.
	if r, created, err := d.Request(ctx, "telegram", "1", nil); err != nil || created || r.Code != known.Code {
		t.Errorf("got %+v, created %v, %v", r, created, err)
	}
	// One of ours is believed for a shorter time, because we never hold one for long.
	other := filepath.Join(d.dir, "discord-pairing.json")
	if _, err := acquire(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(other + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	if left := lockStale - time.Since(info.ModTime()); left <= 0 || left > ownStale {
		t.Errorf("a lock of ours would hold for %s after a crash, want at most %s", left, ownStale)
	}
	old := time.Now().Add(-lockStale - time.Second)
	if err := os.Chtimes(lock, old, old); err != nil {
		t.Fatal(err)
	}
	if _, created := d.ask("2"); !created {
		t.Error("a lock left behind by a crash held for ever")
	}
	if _, err := os.Stat(lock); !os.IsNotExist(err) {
		t.Errorf("the lock is still there: %v", err)
	}
}

func TestAtOnce(t *testing.T) {
	d := newDesk(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	codes := map[string]int{}
	for range 4 {
		for _, id := range []string{"1", "2", "3"} {
			all.Go(func() {
				r, created := d.ask(id)
				d.Allowed("telegram")
				mu.Lock()
				defer mu.Unlock()
				if created {
					codes[r.Code]++
				}
			})
		}
	}
	all.Wait()
	if len(codes) != 3 {
		t.Errorf("codes were made: %v, want one for each of three", codes)
	}
}

func ids(list []Request) []string {
	out := []string{}
	for _, r := range list {
		out = append(out, r.ID)
	}
	return out
}
