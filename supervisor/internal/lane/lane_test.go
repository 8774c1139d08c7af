package lane

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 5 * time.Second

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came in time")
		panic("unreachable")
	}
}

func TestJobsOfOneSessionRunInOrderAndAlone(t *testing.T) {
	l := New(Config{Limit: 8})
	defer l.Stop()
	var mu sync.Mutex
	inside := 0
	var got []int
	done := make(chan struct{})
	for i := range 50 {
		l.Submit("s", Job{ID: fmt.Sprint(i), Do: func(context.Context) {
			mu.Lock()
			inside++
			if inside != 1 {
				t.Errorf("job %d runs beside another one of its session", i)
			}
			got = append(got, i)
			last := len(got) == 50
			inside--
			mu.Unlock()
			if last {
				close(done)
			}
		}})
	}
	receive(t, done)
	want := make([]int, 50)
	for i := range want {
		want[i] = i
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("order (-got +want):\n%s", d)
	}
}

func TestLimitHoldsAcrossSessionsAndNoneStarves(t *testing.T) {
	l := New(Config{Limit: 2})
	defer l.Stop()
	started := make(chan string, 8)
	release := make(chan struct{})
	for _, key := range []string{"a", "b", "c"} {
		l.Submit(key, Job{ID: key, Do: func(context.Context) { started <- key; <-release }})
	}
	receive(t, started)
	receive(t, started)
	select {
	case k := <-started:
		t.Fatalf("%s runs although two jobs run already", k)
	default:
	}
	if waiting, running := l.Waiting(); waiting != 1 || running != 2 {
		t.Errorf("waiting, running = %d, %d; want 1, 2", waiting, running)
	}
	release <- struct{}{}
	receive(t, started)
	close(release)
}

func TestClearDropsWhatWaitsAndLeavesTheRunningOne(t *testing.T) {
	l := New(Config{})
	defer l.Stop()
	started, release := make(chan struct{}), make(chan struct{})
	finished := make(chan struct{})
	l.Submit("s", Job{ID: "one", Do: func(context.Context) { close(started); <-release; close(finished) }})
	receive(t, started)
	dropped := make(chan string, 2)
	for _, id := range []string{"two", "three"} {
		l.Submit("s", Job{ID: id, Do: func(context.Context) { t.Errorf("%s ran after it was dropped", id) }, Dropped: func() { dropped <- id }})
	}
	if got := l.Depth("s"); got != 2 {
		t.Errorf("depth = %d, want 2", got)
	}
	if d := cmp.Diff(l.Clear("s"), []string{"two", "three"}); d != "" {
		t.Errorf("cleared (-got +want):\n%s", d)
	}
	receive(t, dropped)
	receive(t, dropped)
	close(release)
	receive(t, finished)
	again := make(chan struct{})
	l.Submit("s", Job{ID: "four", Do: func(context.Context) { close(again) }})
	receive(t, again)
}

func TestRemoveTakesOneJobOnly(t *testing.T) {
	l := New(Config{})
	defer l.Stop()
	started, release := make(chan struct{}), make(chan struct{})
	l.Submit("s", Job{ID: "one", Do: func(context.Context) { close(started); <-release }})
	receive(t, started)
	ran := make(chan struct{})
	l.Submit("s", Job{ID: "two", Do: func(context.Context) { t.Error("two ran") }})
	l.Submit("s", Job{ID: "three", Do: func(context.Context) { close(ran) }})
	if l.Remove("s", "one") {
		t.Error("a running job was removed")
	}
	if !l.Remove("s", "two") {
		t.Error("a waiting job was not removed")
	}
	close(release)
	receive(t, ran)
}

func TestStopEndsJobsAndTakesNoMore(t *testing.T) {
	l := New(Config{})
	started, ended := make(chan struct{}), make(chan struct{})
	l.Submit("s", Job{ID: "one", Do: func(ctx context.Context) { close(started); <-ctx.Done(); close(ended) }})
	receive(t, started)
	l.Submit("s", Job{ID: "two", Do: func(context.Context) { t.Error("a waiting job ran after the stop") }})
	l.Stop()
	receive(t, ended)
	if l.Submit("s", Job{ID: "three", Do: func(context.Context) {}}) {
		t.Error("a job was taken after the stop")
	}
}
