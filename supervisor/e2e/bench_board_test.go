package e2e

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// goal is what a figure is held against: must is what has to hold, aim what we are after.
// The zero goal is for figures that have none. A goal is never a reason to fail.
type goal struct{ must, aim float64 }

// figure is one measured number.
type figure struct {
	name  string
	value float64
	unit  string
	goal  goal
}

// board collects the figures of a run, to print them as one table when it is over.
type board struct {
	load    string // the machine's, before the first figure
	figures []figure
}

func newBoard() *board { return &board{load: loadAverage()} }

// add keeps a figure and reports it to the benchmark too, under a name without spaces.
func (d *board) add(b *testing.B, name string, value float64, unit string, g goal) {
	b.Helper()
	d.figures = append(d.figures, figure{name: name, value: value, unit: unit, goal: g})
	slug := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, name), "-")
	for strings.Contains(slug, "--") {
		slug = strings.ReplaceAll(slug, "--", "-")
	}
	b.ReportMetric(value, unit+"/"+slug)
}

// spans adds a list of times by its median and, where there are enough of them to say more,
// its 99th percentile, which of less than a hundred is the worst and is called so too.
func (d *board) spans(b *testing.B, name string, s spans, unit time.Duration, median, tail goal) {
	b.Helper()
	label := map[time.Duration]string{time.Millisecond: "ms", time.Microsecond: "µs"}[unit]
	if len(s) < 20 {
		d.add(b, fmt.Sprintf("%s, median of %d", name, len(s)), s.quantile(0.5, unit), label, median)
		return
	}
	d.add(b, fmt.Sprintf("%s, p50 of %d", name, len(s)), s.quantile(0.5, unit), label, median)
	last := fmt.Sprintf("p99 of %d", len(s))
	if len(s) < 100 {
		last += " (the worst)"
	}
	d.add(b, name+", "+last, s.quantile(0.99, unit), label, tail)
}

// print writes the table as Markdown, which is as plain to read in a terminal.
func (d *board) print(w io.Writer) error {
	if len(d.figures) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 8, 1, ' ', 0)
	_, _ = fmt.Fprintf(t, "\n%d cores, load %s before and %s after\n\n", runtime.NumCPU(), d.load, loadAverage())
	_, _ = fmt.Fprintln(t, "| figure\t| measured\t| must\t| aim\t|")
	_, _ = fmt.Fprintln(t, "|---\t|---\t|---\t|---\t|")
	for _, f := range d.figures {
		_, _ = fmt.Fprintf(t, "| %s\t| %s %s\t| %s\t| %s\t|\n", f.name, digits(f.value), f.unit, bound(f.goal.must, f.unit), bound(f.goal.aim, f.unit))
	}
	_, _ = fmt.Fprintln(t)
	return t.Flush()
}

// digits shows a number with three significant figures.
func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func bound(v float64, unit string) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%g %s", v, unit)
}

// loadAverage is how many processes wanted to run in the last minute, "?" where the
// system does not say: whoever reads the figures should know what they competed with.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	load, _, _ := strings.Cut(string(data), " ")
	return load
}

// spans is a list of measured times.
type spans []time.Duration

// quantile is the smallest time that at least a share of all do not exceed, counted in unit.
func (s spans) quantile(share float64, unit time.Duration) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	rank := int(share * float64(len(sorted)))
	if float64(rank) < share*float64(len(sorted)) {
		rank++
	}
	return float64(sorted[max(rank, 1)-1]) / float64(unit)
}

// TestQuantile holds the arithmetic that every figure goes through.
func TestQuantile(t *testing.T) {
	t.Parallel()
	var hundred spans
	for i := 100; i >= 1; i-- {
		hundred = append(hundred, time.Duration(i)*time.Millisecond)
	}
	for _, c := range []struct {
		s           spans
		share, want float64
	}{
		{nil, 0.5, 0},
		{spans{7 * time.Millisecond}, 0.99, 7},
		{spans{5 * time.Millisecond, time.Millisecond, 3 * time.Millisecond}, 0.5, 3},
		{hundred, 0.5, 50}, {hundred, 0.99, 99}, {hundred, 1, 100},
		{hundred[:20], 0.99, 100},
	} {
		if got := c.s.quantile(c.share, time.Millisecond); got != c.want {
			t.Errorf("the %v quantile of %d times is %v, want %v", c.share, len(c.s), got, c.want)
		}
	}
	if got := hundred.quantile(0.5, time.Microsecond); got != 50_000 {
		t.Errorf("the median in microseconds is %v, want 50000", got)
	}
}

// TestBoardPrints holds the table: one line a figure, its goals beside it, a dash for none.
func TestBoardPrints(t *testing.T) {
	t.Parallel()
	d := &board{load: "0.10", figures: []figure{{"exec to hello-ok", 42.04, "ms", goal{80, 40}}, {"a worker alone", 9.876, "MiB", goal{}}}}
	var out strings.Builder
	if err := d.print(&out); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(out.String()), " ")
	for _, line := range []string{"| exec to hello-ok | 42.0 ms | 80 ms | 40 ms |", "| a worker alone | 9.88 MiB | – | – |", "load 0.10 before"} {
		if !strings.Contains(got, line) {
			t.Errorf("%q is not in\n%s", line, out.String())
		}
	}
}
