package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

// TicketLife is how long a dashboard ticket can be used.
const TicketLife = 2 * time.Minute

const maxTickets = 256

// tickets holds the hashes of unused dashboard tickets.
type tickets struct {
	mu   sync.Mutex
	live map[[sha256.Size]byte]time.Time // until when
}

func newTickets() *tickets { return &tickets{live: make(map[[sha256.Size]byte]time.Time)} }

// mint makes a ticket. Above the bound the one that ends first is given up.
func (t *tickets) mint(now time.Time) (ticket string, until time.Time) {
	ticket, until = randomHex(24), now.Add(TicketLife)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(now)
	for len(t.live) >= maxTickets {
		var oldest [sha256.Size]byte
		var end time.Time
		for k, e := range t.live {
			if end.IsZero() || e.Before(end) {
				oldest, end = k, e
			}
		}
		delete(t.live, oldest)
	}
	t.live[sha256.Sum256([]byte(ticket))] = until
	return ticket, until
}

// valid says whether the ticket could be taken now.
func (t *tickets) valid(ticket string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(now)
	_, ok := t.live[sha256.Sum256([]byte(ticket))]
	return ok && ticket != ""
}

// take uses the ticket up and says whether it was there.
func (t *tickets) take(ticket string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(now)
	key := sha256.Sum256([]byte(ticket))
	_, ok := t.live[key]
	delete(t.live, key)
	return ok
}

func (t *tickets) expire(now time.Time) {
	for k, end := range t.live {
		if !now.Before(end) {
			delete(t.live, k)
		}
	}
}

// randomHex gives n random bytes in lower-case hex.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}
