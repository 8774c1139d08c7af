package markup

import (
	"unicode"
	"unicode/utf8"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// Length measures s in a network's unit; unspecified counts as UTF-16.
func Length(s string, unit plugin.LengthUnit) int {
	switch unit {
	case plugin.LengthBytes:
		return len(s)
	case plugin.LengthRunes:
		return utf8.RuneCountInString(s)
	}
	n := 0
	for _, r := range s {
		n += runeLength(r, unit)
	}
	return n
}

func runeLength(r rune, unit plugin.LengthUnit) int {
	switch unit {
	case plugin.LengthBytes:
		return max(utf8.RuneLen(r), 1)
	case plugin.LengthRunes:
		return 1
	}
	if r >= 0x10000 {
		return 2
	}
	return 1
}

// Fits reports whether s is within the limit, lines included. A limit of 0 is none.
func Fits(s string, limit plugin.TextLimit) bool { return reach(s, limit) == len(s) }

// reach is how many bytes of s, from its start, are within the limit.
func reach(s string, limit plugin.TextLimit) int {
	n, lines := 0, 1
	for i, r := range s {
		n += runeLength(r, limit.Unit)
		if limit.N > 0 && n > limit.N {
			return i
		}
		if r == '\n' {
			if lines++; limit.MaxLines > 0 && lines > limit.MaxLines {
				return i
			}
		}
	}
	return len(s)
}

const (
	zeroWidthJoiner = '\u200d'
	keycap          = '\u20e3'
)

// joined reports whether a reader sees the characters on both sides of offset at as
// one: an accent, an emoji's skin tone, a family, a flag.
func joined(s string, at int) bool {
	if at <= 0 || at >= len(s) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[at:])
	switch {
	case before == zeroWidthJoiner, after == zeroWidthJoiner, after == keycap:
		return true
	case unicode.Is(unicode.M, after), unicode.Is(unicode.Variation_Selector, after):
		return true
	case after >= 0x1F3FB && after <= 0x1F3FF: // skin tones
		return true
	case before == '\r' && after == '\n':
		return true
	case isRegional(before) && isRegional(after):
		return regionalsBefore(s[:at])%2 == 1
	}
	return false
}

func isRegional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

func regionalsBefore(s string) int {
	n := 0
	for len(s) > 0 {
		r, size := utf8.DecodeLastRuneInString(s)
		if !isRegional(r) {
			break
		}
		n++
		s = s[:len(s)-size]
	}
	return n
}
