package provider

import (
	"net/http"
	"strings"
	"time"
)

// maxDetail bounds what is kept of a server's own text, in characters.
const maxDetail = 400

// Shorten puts a server's text on one line of at most 400 characters.
func Shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxDetail {
		return string(r[:maxDetail]) + "…"
	}
	return s
}

// RetryAfter is the pause that a server's answer asks for; 0 = none.
func RetryAfter(h http.Header) time.Duration {
	if ms, err := time.ParseDuration(h.Get("Retry-After-Ms") + "ms"); err == nil && ms > 0 {
		return ms
	}
	v := h.Get("Retry-After")
	if s, err := time.ParseDuration(v + "s"); err == nil && s > 0 {
		return s
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(time.Until(t), 0)
	}
	return 0
}
