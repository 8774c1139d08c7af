package turn

import (
	"fmt"
	"testing"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// BenchmarkRun is one run of a session that holds so many messages already.
func BenchmarkRun(b *testing.B) {
	for _, n := range []int{2, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newBench(b, nil)
			s.model.endless = true
			id := 0
			one := func() {
				r := s.request("hello")
				r.RunID = fmt.Sprint("R", id)
				r.Inputs[0].ID = r.RunID
				id++
				if err := s.engine.Run(b.Context(), s.snap, r, func(agent.RunEvent) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			for range n / 2 {
				one()
			}
			for b.Loop() {
				one()
			}
		})
	}
}
