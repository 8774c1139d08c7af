package telegram

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mymmrac/telego"
)

func TestBackoffGrowsToItsBound(t *testing.T) {
	o := Options{}.withDefaults()
	for n, base := range map[int]time.Duration{1: 2 * time.Second, 2: 3600 * time.Millisecond, 3: 6480 * time.Millisecond, 9: 30 * time.Second, 1000: 30 * time.Second} {
		for range 50 {
			if d := backoff(o, n); d < base || d > min(o.MaxDelay, base+base/4+1) {
				t.Fatalf("attempt %d waits %v, want %v and up to a quarter more, at most %v", n, d, base, o.MaxDelay)
			}
		}
	}
}

func TestErrorsLoseTheURL(t *testing.T) {
	cause := errors.New("connection refused")
	err := withoutURL(fmt.Errorf("call: %w", &url.Error{Op: "Post", URL: "https://api.telegram.org/bot1:secret/getMe", Err: cause}))
	if !errors.Is(err, cause) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if got := redact("1:secret", "x 1:secret y"); got != "x <token> y" {
		t.Errorf("got %q", got)
	}
}

func posted(id int, text, album string, from int64) telego.Update {
	return telego.Update{UpdateID: id, Message: &telego.Message{MessageID: id, Text: text, MediaGroupID: album, Date: 100, From: &telego.User{ID: from}, Chat: telego.Chat{ID: 5}}}
}

func TestGather(t *testing.T) {
	long := strings.Repeat("é", fragmentStart)
	reaction := telego.Update{UpdateID: 9, MessageReaction: &telego.MessageReactionUpdated{}}
	for _, c := range []struct {
		name string
		in   []telego.Update
		want []int // sizes of the groups
	}{
		{"nothing", nil, nil},
		{"separate messages", []telego.Update{posted(1, "a", "", 1), posted(2, "b", "", 1)}, []int{1, 1}},
		{"an album", []telego.Update{posted(1, "", "g", 1), posted(2, "", "g", 1), posted(3, "", "h", 1)}, []int{2, 1}},
		{"an album with a reaction between", []telego.Update{posted(1, "", "g", 1), reaction, posted(2, "", "g", 1)}, []int{2, 1}},
		{"fragments", []telego.Update{posted(1, long, "", 1), posted(2, long, "", 1), posted(3, "end", "", 1), posted(4, "next", "", 1)}, []int{3, 1}},
		{"fragments of another", []telego.Update{posted(1, long, "", 1), posted(2, "x", "", 2)}, []int{1, 1}},
		{"a gap in the ids", []telego.Update{posted(1, long, "", 1), posted(3, "x", "", 1)}, []int{1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []int
			for _, g := range gather(c.in) {
				got = append(got, len(g))
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("groups of %v, want %v", got, c.want)
			}
		})
	}
}

func TestOffsetsNeverPassWhatWaits(t *testing.T) {
	reaction := telego.Update{UpdateID: 2, MessageReaction: &telego.MessageReactionUpdated{}}
	groups := gather([]telego.Update{posted(1, "", "g", 1), reaction, posted(3, "", "g", 1), posted(4, "x", "", 1)})
	if got := fmt.Sprint(offsetsAfter(groups)); got != "[2 4 5]" {
		t.Errorf("offsets %s, want [2 4 5]: the reaction is stored after the album that ends behind it", got)
	}
}

func TestUnsettledWaitsOnlyForFreshMessages(t *testing.T) {
	o := Options{}.withDefaults()
	long := []telego.Update{posted(1, strings.Repeat("x", 4096), "", 1)}
	album := []telego.Update{posted(1, "", "g", 1)}
	fresh, old := time.Unix(101, 0), time.Unix(200, 0)
	if d := unsettled(long, fresh, o); d != o.FragmentWait {
		t.Errorf("a long text waits %v", d)
	}
	if d := unsettled(album, fresh, o); d != o.AlbumWait {
		t.Errorf("an album waits %v", d)
	}
	if d := unsettled(append(long, album...), old, o); d != 0 {
		t.Errorf("old messages wait %v", d)
	}
	if d := unsettled([]telego.Update{posted(1, "short", "", 1)}, fresh, o); d != 0 {
		t.Errorf("a short text waits %v", d)
	}
}
