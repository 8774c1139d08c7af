package worker

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

func TestTheDefaultsAreThePromisedFigures(t *testing.T) {
	p := Policy{}.withDefaults()
	for name, c := range map[string]struct{ got, want any }{
		"first restart after a crash":  {p.Delay(1), time.Duration(0)},
		"backoff after that":           {p.Delay(2), time.Second},
		"it doubles":                   {p.Delay(5), 8 * time.Second},
		"up to":                        {p.Delay(1000), 5 * time.Minute},
		"jitter":                       {p.Jitter, 0.2},
		"failure count halves every":   {p.HalveEvery, time.Minute},
		"quick failures":               {p.QuickFailures, 5},
		"worker start timeout":         {p.StartTimeout, 20 * time.Second},
		"drain timeout":                {p.DrainTimeout, 10 * time.Second},
		"SIGTERM to SIGKILL":           {p.TermWait, 2 * time.Second},
		"health probe":                 {p.ProbeEvery, 5 * time.Second},
		"its deadline":                 {p.ProbeTimeout, time.Second},
		"missed probes":                {p.MissedProbes, 3},
		"memory of a channel":          {p.MemoryLimit, int64(256 << 20)},
		"memory of the agent runtime":  {p.AgentMemoryLimit, int64(1 << 30)},
		"last words":                   {p.LastWords, 50},
		"a spec's own limit":           {Spec{MemoryLimit: 7}.memoryLimit(p), int64(7)},
		"a spec without limit":         {Spec{MemoryLimit: -1}.memoryLimit(p), int64(0)},
		"the agent runtime's limit":    {Spec{Kind: plugin.KindAgent}.memoryLimit(p), int64(1 << 30)},
		"a stopped process is seen in": {time.Duration(p.MissedProbes)*p.ProbeEvery+p.ProbeTimeout <= 20*time.Second, true},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

// pipeOf gives a reader of what is written to it.
func pipeOf(t *testing.T, out *output, text string) *lineReader {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = w.WriteString(text)
		_ = w.Close()
	}()
	t.Cleanup(func() { _ = r.Close() })
	return newLineReader(r, out)
}

func TestAFloodIsCutBeforeItIsParsed(t *testing.T) {
	out := newOutput(50)
	line := strings.Repeat("x", 99)
	const lines = 3 * floodBurst / 100
	r := pipeOf(t, out, strings.Repeat(line+"\n", lines)+"the last one\n")
	still := time.Now()
	r.now = func() time.Time { return still }
	passed, said := 0, 0
	for sc := bufio.NewScanner(r); sc.Scan(); {
		var m struct{ Lines int }
		if json.Unmarshal(sc.Bytes(), &m) == nil {
			said += m.Lines
			continue
		}
		passed++
	}
	if passed == 0 || passed*100 > floodBurst+100 {
		t.Errorf("%d lines passed", passed)
	}
	if passed+said != lines+1 {
		t.Errorf("%d passed and %d said to be left out, of %d", passed, said, lines+1)
	}
	words, _ := out.words()
	if len(words) != 50 || words[49] != "the last one" {
		t.Errorf("last words end with %q", words[len(words)-1:])
	}
}

func TestAnEndlessLineIsCut(t *testing.T) {
	out := newOutput(50)
	r := pipeOf(t, out, strings.Repeat("y", 1<<20)+"\nafter it\n")
	n := 0
	for sc := bufio.NewScanner(r); sc.Scan(); n++ {
		if len(sc.Bytes()) > 16<<10 {
			t.Errorf("a line of %d bytes", len(sc.Bytes()))
		}
	}
	words, _ := out.words()
	if n != 2 || len(words) != 2 || len(words[0]) != keptLineSize || words[1] != "after it" {
		t.Errorf("%d lines, %d words", n, len(words))
	}
}

func TestLastWordsAreThoseOfThePresentProcess(t *testing.T) {
	out := newOutput(3)
	out.begin()
	for i := range 300 {
		out.keep(fmt.Appendf(nil, "old %d", i))
	}
	out.begin()
	if words, _ := out.words(); len(words) != 0 {
		t.Errorf("a new process has the words %q", words)
	}
	out.keep([]byte("panic: why"))
	for i := range 5 {
		out.keep(fmt.Appendf(nil, "frame %d", i))
	}
	words, panicked := out.words()
	if want := "panic: why|frame 3|frame 4"; strings.Join(words, "|") != want || !panicked {
		t.Errorf("words are %q (panic %t), want %s", words, panicked, want)
	}
	if got := out.lines(0); len(got) != keptLines || got[len(got)-1] != "frame 4" {
		t.Errorf("%d lines are kept", len(got))
	}
	if got := out.lines(7); len(got) != 7 || got[0] != "old 299" {
		t.Errorf("the newest seven are %q", got)
	}
}

func TestALogLineBecomesWords(t *testing.T) {
	for in, want := range map[string]string{
		`{"@level":"warn","@message":"no route","@timestamp":"x","b":1,"a":"z"}`: "warn: no route a=z b=1",
		`{"other":"json"}`: `{"other":"json"}`,
		"plain":            "plain",
		"bad \xff utf8":    "bad \uFFFD utf8",
	} {
		if got := plain([]byte(in)); got != want {
			t.Errorf("%s becomes %q, want %q", in, got, want)
		}
	}
}

func TestTheBridgeKeepsAWorkersLevelAndDemotesGoPlugins(t *testing.T) {
	var buf bytes.Buffer
	b := newBridge(slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug})).With(keyWorker, "a"))
	b.Error("plugin process exited", "id", 5)
	b.Named("openclaw-channel-a").Warn("slow network", "timestamp", "2026", "ms", 7)
	b.Named("stdio").Error("inner matter")
	b.With("k", "v").Trace("not wanted")
	var got []string
	for _, l := range strings.Split(strings.TrimSpace(buf.String()), "\n") {
		_, rest, _ := strings.Cut(l, " ") // the time
		got = append(got, rest)
	}
	want := []string{
		`level=DEBUG msg="plugin process exited" worker=a id=5`,
		`level=WARN msg="slow network" worker=a ms=7`,
		`level=DEBUG msg="inner matter" worker=a`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if l := b.GetLevel(); l != hclog.Debug {
		t.Errorf("level is %s", l)
	}
}

func TestMalformedEventsAreRefused(t *testing.T) {
	good := message.Inbound{Account: "a", EventKey: "k", Conversation: "c", Text: "hi"}
	with := func(f func(*message.Inbound)) plugin.Event {
		m := good
		f(&m)
		return plugin.Event{Inbound: &m}
	}
	for name, c := range map[string]struct {
		ev plugin.Event
		ok bool
	}{
		"good":             {plugin.Event{Inbound: &good}, true},
		"state":            {plugin.Event{AccountState: &plugin.AccountState{Account: "a"}}, true},
		"no body":          {plugin.Event{}, false},
		"no account":       {with(func(m *message.Inbound) { m.Account = "" }), false},
		"no key":           {with(func(m *message.Inbound) { m.EventKey = "" }), false},
		"long key":         {with(func(m *message.Inbound) { m.EventKey = strings.Repeat("k", maxKey+1) }), false},
		"no conversation":  {with(func(m *message.Inbound) { m.Conversation = "" }), false},
		"long text":        {with(func(m *message.Inbound) { m.Text = strings.Repeat("t", maxText+1) }), false},
		"long media ref":   {with(func(m *message.Inbound) { m.Media = []message.MediaRef{{Opaque: make([]byte, message.MaxMediaRef+1)}} }), false},
		"state of nobody":  {plugin.Event{AccountState: &plugin.AccountState{}}, false},
		"edit without key": {plugin.Event{Edit: &message.InboundEdit{Message: message.Inbound{Account: "a", Conversation: "c"}}}, false},
	} {
		if err := checkEvent(c.ev); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheLineIsPrivate(t *testing.T) {
	root, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	b := runPool(t, Config{Policy: quick(), SocketRoot: root})
	b.apply(b.fault("a", nil))
	b.sink.awaitEvent(t, 0, "running", is("a", Running))
	var socket string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() && fi.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %#o", path, fi.Mode().Perm())
		}
		if fi.Mode()&fs.ModeSocket != 0 {
			socket = path
		}
		return nil
	})
	if err != nil || socket == "" {
		t.Fatalf("no socket below %s: %v", root, err)
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	stranger := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err := stranger.Handshake(); err == nil {
		// TLS 1.3 ends the client's part before the server has looked at its certificate.
		if n, err := stranger.Read(make([]byte, 1)); err == nil {
			t.Errorf("a stranger without a certificate was told %d bytes", n)
		}
	}
	if s, _ := b.Status("a"); s.State != Running {
		t.Errorf("the stranger left the worker %s", s.State)
	}
}

func TestADirectoryThatIsOpenToOthersTakesNoSockets(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := openSockets(root, silent()); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("error is %v", err)
	}
}
