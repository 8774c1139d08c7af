package pairing

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Figures of the promises' table.
const (
	// Life is how long a request can be approved; being seen again does not extend it.
	Life = time.Hour
	// MaxPending is how many requests may wait per channel.
	MaxPending = 3
)

const (
	alphabet   = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789" // no 0 O 1 I
	codeLength = 8
	codeTries  = 500
	// stampLayout is ISO 8601 in UTC with milliseconds, as the files hold it.
	stampLayout = "2006-01-02T15:04:05.000Z"
)

// Request is somebody who waits to be let in.
type Request struct {
	// ID is the sender's, in the form in which it goes to the allow-list.
	ID   string
	Code string
	// CreatedAt and LastSeenAt are whole milliseconds UTC.
	CreatedAt, LastSeenAt time.Time
	// Meta says more about the sender, by the channel's own names; nil for nothing.
	Meta map[string]string
}

// expired reports whether a request cannot be approved any more.
func (r Request) expired(now time.Time) bool { return now.Sub(r.CreatedAt) >= Life }

// stored is a request as the file holds it.
type stored struct {
	ID         string            `json:"id"`
	Code       string            `json:"code"`
	CreatedAt  string            `json:"createdAt"`
	LastSeenAt string            `json:"lastSeenAt"`
	Meta       map[string]string `json:"meta,omitempty"`
}

// store gives the form of the file.
func (r Request) store() stored {
	return stored{r.ID, r.Code, Stamp(r.CreatedAt), Stamp(r.LastSeenAt), r.Meta}
}

// request reads the form of the file; false for one without an id, or whose time cannot be read.
func (s stored) request() (Request, bool) {
	created, err := time.Parse(time.RFC3339, s.CreatedAt)
	if s.ID == "" || err != nil {
		return Request{}, false
	}
	seen, err := time.Parse(time.RFC3339, s.LastSeenAt)
	if err != nil {
		seen = created
	}
	return Request{ID: s.ID, Code: s.Code, CreatedAt: created.UTC(), LastSeenAt: seen.UTC(), Meta: s.Meta}, true
}

// Stamp writes a time as the files hold it.
func Stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

// living leaves out what is expired, and of the rest keeps those seen last, at most
// MaxPending; the order stays.
func living(all []Request, now time.Time) []Request {
	out := slices.DeleteFunc(slices.Clone(all), func(r Request) bool { return r.expired(now) })
	for len(out) > MaxPending {
		oldest := 0
		for i, r := range out {
			if r.LastSeenAt.Before(out[oldest].LastSeenAt) {
				oldest = i
			}
		}
		out = slices.Delete(out, oldest, oldest+1)
	}
	return out
}

// newCode makes a code that none of the pending requests has.
func newCode(pending []Request) (string, error) {
	for range codeTries {
		var b strings.Builder
		for range codeLength {
			n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
			if err != nil {
				return "", fmt.Errorf("make a pairing code: %w", err)
			}
			b.WriteByte(alphabet[n.Int64()])
		}
		code := b.String()
		if !slices.ContainsFunc(pending, func(r Request) bool { return r.Code == code }) {
			return code, nil
		}
	}
	return "", errors.New("make a pairing code: every one tried was taken")
}
