package session

import (
	"strings"
	"time"
)

// Rule says when a conversation begins anew.
type Rule struct {
	// Daily: at AtHour o'clock in the host's zone, 0 to 23.
	Daily  bool
	AtHour int
	// Idle is a sliding window; 0 = none. The earlier of the two ends counts.
	Idle time.Duration
}

// Rules are the reset rules of the settings: by channel, else by type, else the default.
type Rules struct {
	Default   Rule
	ByType    map[string]Rule
	ByChannel map[string]Rule
}

// DefaultRule is session.reset where nothing is set: daily at four.
func DefaultRule() Rule { return Rule{Daily: true, AtHour: 4} }

// For finds the rule of a conversation.
func (r Rules) For(key, channel string) Rule {
	if rule, ok := r.ByChannel[channel]; ok {
		return rule
	}
	kind := "direct"
	switch {
	case strings.Contains(key, ":thread:"), strings.Contains(key, ":topic:"):
		kind = "thread"
	case Kind(key) == "group":
		kind = "group"
	}
	if rule, ok := r.ByType[kind]; ok {
		return rule
	}
	return r.Default
}

// Stale reports whether a session that was last used at updated has ended by now. The
// zone is now's.
func (r Rule) Stale(updated, now time.Time) bool {
	if r.Idle > 0 && now.After(updated.Add(r.Idle)) {
		return true
	}
	return r.Daily && updated.Before(lastBoundary(now, min(max(r.AtHour, 0), 23)))
}

// lastBoundary is the newest moment that was atHour o'clock and is not in the future.
func lastBoundary(now time.Time, atHour int) time.Time {
	b := time.Date(now.Year(), now.Month(), now.Day(), atHour, 0, 0, 0, now.Location())
	if b.After(now) {
		b = time.Date(now.Year(), now.Month(), now.Day()-1, atHour, 0, 0, 0, now.Location())
	}
	return b
}
