package command

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type aborterFunc func(ctx context.Context, sessionKey, stopReason string) []string

func (f aborterFunc) AbortSession(ctx context.Context, k, r string) []string { return f(ctx, k, r) }

func TestParse(t *testing.T) {
	s := NewSet(nil)
	for _, c := range []struct {
		in   string
		want Command
		ok   bool
	}{
		{"/help", Command{Name: "help"}, true},
		{" /HELP me ", Command{Name: "help", Args: "me"}, true},
		{"/stop@my_bot", Command{Name: "stop"}, true},
		{"Stop", Command{Name: "stop"}, true},
		{"abort", Command{Name: "stop"}, true},
		{"stop it", Command{}, false},
		{"/etc/passwd", Command{}, false},
		{"/", Command{}, false},
		{"/stop@", Command{}, false},
		{"please /help", Command{}, false},
		{"", Command{}, false},
	} {
		got, ok := s.Parse(c.in)
		if ok != c.ok || got != c.want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

func TestStopAbortsTheSessionOfTheCall(t *testing.T) {
	var asked []string
	s := NewSet(aborterFunc(func(_ context.Context, key, reason string) []string {
		asked = append(asked, key, reason)
		return []string{"r1"}
	}))
	res, err := s.Run(context.Background(), Call{Command: Command{Name: "stop"}, SessionKey: "agent:main:main"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(asked, []string{"agent:main:main", "stop"}); d != "" {
		t.Errorf("asked (-got +want):\n%s", d)
	}
	if d := cmp.Diff(res, Result{Text: "⚙️ Agent was aborted.", Stop: true, Aborted: []string{"r1"}}); d != "" {
		t.Errorf("result (-got +want):\n%s", d)
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	s := NewSet(nil)
	res, err := s.Run(context.Background(), Call{Command: Command{Name: "help"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"/help", "/stop"} {
		if !strings.Contains(res.Text, word) {
			t.Errorf("help does not name %s:\n%s", word, res.Text)
		}
	}
}
