package catalog

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestADroppedFileIsToldOfWithinTwoSeconds(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan struct{}, 16)
	done := make(chan error, 1)
	go func() { done <- h.c.Watch(ctx, func() { told <- struct{}{} }) }()
	await := func(what string) {
		t.Helper()
		select {
		case <-told:
		case <-time.After(2 * time.Second):
			t.Fatalf("%s was not told of within two seconds", what)
		}
	}
	await("the start")
	file := filepath.Join(h.plugins, "openclaw-channel-x")
	put(t, file, "one", 0o755)
	await("a new file")
	put(t, file, "two", 0o755)
	await("a changed file")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	await("a file that went")
	put(t, filepath.Join(h.plugins, "README"), "not a program of ours", 0o644)
	select {
	case <-told:
		t.Error("another file was told of")
	case <-time.After(3 * watchEvery):
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("watch: %v", err)
	}
}

func TestAFileThatIsBeingWrittenIsToldOfOnceItIsWhole(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan int64, 16)
	file := filepath.Join(h.plugins, "openclaw-channel-x")
	go func() {
		_ = h.c.Watch(ctx, func() {
			if info, err := os.Stat(file); err == nil {
				told <- info.Size()
				return
			}
			told <- -1
		})
	}()
	if size := <-told; size != -1 {
		t.Fatalf("the start was told of with %d bytes", size)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tick := time.NewTicker(settleTime / 4)
	defer tick.Stop()
	const pieces = 12 // longer than two looks
	for range pieces {
		if _, err := f.WriteString("piece"); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
	select {
	case size := <-told:
		if size != pieces*int64(len("piece")) {
			t.Errorf("told of %d bytes", size)
		}
	case <-time.After(2 * time.Second):
		t.Error("the whole file was not told of")
	}
}

func TestAVersionIsReadOnceAndARevisionFollowsTheContent(t *testing.T) {
	h := newHouse(t)
	file := filepath.Join(h.plugins, "openclaw-channel-x")
	put(t, file, "one", 0o755)
	first, err := h.c.Find(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(first.Path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.c.Find(t.Context(), "x")
	if err != nil || again != first {
		t.Errorf("the second look gives %+v, %v; the first gave %+v", again, err, first)
	}
	after, err := os.Stat(first.Path)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the copy was made again (%v)", err)
	}
	// A copy that was lost is made again.
	if err := os.RemoveAll(filepath.Dir(first.Path)); err != nil {
		t.Fatal(err)
	}
	if e, err := h.c.Find(t.Context(), "x"); err != nil || e != first {
		t.Errorf("after the copy was lost: %+v, %v", e, err)
	}
	if got, err := os.ReadFile(first.Path); err != nil || string(got) != "one" {
		t.Errorf("the new copy holds %q, %v", got, err)
	}

	bundled := filepath.Join(h.bundled, "openclaw-channel-b")
	put(t, bundled, "one", 0o755)
	b1, err := h.c.Find(t.Context(), "b")
	if err != nil || b1.Revision == "" {
		t.Fatalf("%+v, %v", b1, err)
	}
	put(t, bundled, "another", 0o755)
	b2, err := h.c.Find(t.Context(), "b")
	if err != nil || b2.Revision == b1.Revision {
		t.Errorf("the revision stays %s although the content changed (%v)", b2.Revision, err)
	}
}
