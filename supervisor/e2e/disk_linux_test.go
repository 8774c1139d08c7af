package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/openclaw/openclaw-supervisor/workers/fakenet/telegram"
)

// onSmallDisk puts the state directory of the next start onto a disk of its own, in a mount
// namespace of the supervisor's. It skips the test where that is not allowed.
func (e *Env) onSmallDisk(megabytes int) {
	e.t.Helper()
	try := exec.Command("mount", "-t", "tmpfs", "tmpfs", e.dir("client"))
	try.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if out, err := try.CombinedOutput(); err != nil {
		e.t.Skipf("no disk of its own can be made here (needs root): %v %s", err, out)
	}
	e.clones = syscall.CLONE_NEWNS
	config := readFile(e.ConfigFile())
	e.wrap = func(argv []string) []string {
		const script = `mount --make-rprivate / && mount -t tmpfs -o size="$1"m,mode=700 tmpfs "$2" && mkdir -p "$2/workspace" && printf %s "$3" > "$2/openclaw.json" && chmod 600 "$2/openclaw.json" && shift 3 && exec "$@"`
		return append([]string{"sh", "-c", script, "sh", fmt.Sprint(megabytes), e.State, config}, argv...)
	}
}

// inside is a path as the running supervisor sees it.
func (e *Env) inside(path string) string {
	return filepath.Join("/proc", fmt.Sprint(e.PID()), "root", path)
}

// TestFullDisk: while nothing can be stored nothing is acknowledged to the network; once
// there is room again every message is answered, once.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	e := New(t)
	e.Configure(func(c Config) { c.Set("logging.file", filepath.Join(e.dir("client"), "openclaw.log")) })
	e.onSmallDisk(16)
	e.Start()
	e.Say(701, "say: before")
	e.AwaitText(701, "before")

	fill := e.inside(filepath.Join(e.State, "fill"))
	fillUp(t, fill)
	lost := e.Say(702, "say: "+strings.Repeat("during the flood ", 20))
	bot := e.Telegram.Bot(telegram.Token)
	ctx, cancel := e.within()
	defer cancel()
	if err := bot.AwaitHandedOut(ctx, lost.UpdateID, 1); err != nil {
		t.Fatal(err)
	}
	e.Await("the full disk to be shown", patience, func() error {
		var shown []string
		for _, c := range e.conditions() {
			shown = append(shown, c.Code+" "+c.Text)
		}
		if text := strings.ToLower(strings.Join(shown, "; ")); !strings.Contains(text, "disk") && !strings.Contains(text, "space") {
			return fmt.Errorf("conditions are %q", shown)
		}
		return nil
	})
	if bot.Confirmed(lost.UpdateID) {
		t.Error("a message was confirmed to the network though it could not be stored")
	}
	if texts := e.Texts(702); len(texts) > 0 {
		t.Errorf("sent were %q though nothing could be stored", texts)
	}

	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	e.AwaitText(702, strings.TrimSpace(strings.Repeat("during the flood ", 20)))
	if err := bot.AwaitConfirmed(ctx, lost.UpdateID); err != nil {
		t.Errorf("the message was never confirmed: %v", err)
	}
	e.Say(703, "say: after")
	e.AwaitText(703, "after")
	if n := len(e.Texts(702)); n != 1 {
		t.Errorf("the message was answered %d times", n)
	}
	e.Stop()
}

// fillUp writes a file until there is no room for another byte.
func fillUp(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, size := range []int{1 << 16, 1 << 12, 1 << 9, 1} {
		block := make([]byte, size)
		for {
			n, err := f.Write(block)
			if errors.Is(err, syscall.ENOSPC) || n < size && errors.Is(err, io.ErrShortWrite) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
