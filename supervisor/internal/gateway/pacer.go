package gateway

import "time"

// burst is how many hurried runs may come without their pause.
const burst = 10

// pacer runs something at once, and then not again before its pause is over.
// It belongs to one goroutine, which also receives from timer.
type pacer struct {
	pause  time.Duration
	timer  *time.Timer
	paused bool
	wanted bool

	credit float64 // hurried runs that may come at once
	last   time.Time
}

func newPacer(pause time.Duration) *pacer {
	p := &pacer{pause: pause, timer: time.NewTimer(time.Hour), credit: burst, last: time.Now()}
	p.timer.Stop()
	return p
}

// want runs f now, or when the pause is over.
func (p *pacer) want(f func()) {
	if p.paused {
		p.wanted = true
		return
	}
	p.run(f)
}

// hurry runs f now, pause or not, for a few times in a row; one more credit
// comes with every pause. Without credit it is want.
func (p *pacer) hurry(f func()) {
	now := time.Now()
	p.credit = min(burst, p.credit+float64(now.Sub(p.last))/float64(p.pause))
	p.last = now
	if p.credit < 1 {
		p.want(f)
		return
	}
	p.credit--
	p.run(f)
}

func (p *pacer) run(f func()) {
	f()
	p.paused, p.wanted = true, false
	p.timer.Reset(p.pause)
}

// fired ends the pause.
func (p *pacer) fired(f func()) {
	p.paused = false
	if p.wanted {
		p.run(f)
	}
}

func (p *pacer) stop() { p.timer.Stop() }
