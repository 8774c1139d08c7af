package json5

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads a string in single or double quotes; the reading point is on the opening quote.
func (s *scanner) quoted() (string, error) {
	start := s.at
	quote, _ := s.peek()
	s.at++
	var b strings.Builder
	for {
		r, width := s.peek()
		switch {
		case width == 0 || r == '\n' || r == '\r':
			return "", s.errorAt(start, "the string opened here is not closed by %c on its line", quote)
		case r == utf8.RuneError && width == 1:
			return "", s.errorAt(s.at, "the file is not UTF-8 text")
		case r == quote:
			s.at++
			return b.String(), nil
		case r == '\\':
			if err := s.escape(&b); err != nil {
				return "", err
			}
		default:
			b.WriteRune(r)
			s.at += width
		}
	}
}

// escape reads one escape sequence of a string; the reading point is on the backslash.
func (s *scanner) escape(b *strings.Builder) error {
	start := s.at
	s.at++
	r, width := s.peek()
	if width == 0 {
		return s.errorAt(start, "the file ends inside an escape")
	}
	s.at += width
	switch r {
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'v':
		b.WriteByte('\v')
	case '0':
		if next, _ := s.peek(); next >= '0' && next <= '9' {
			return s.errorAt(start, "octal escapes are not JSON5")
		}
		b.WriteByte(0)
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.errorAt(start, "octal escapes are not JSON5")
	case 'x':
		code, err := s.hex(2)
		if err != nil {
			return err
		}
		b.WriteRune(code)
	case 'u':
		code, err := s.hex(4)
		if err != nil {
			return err
		}
		b.WriteRune(s.lowSurrogate(code))
	case '\r':
		if next, _ := s.peek(); next == '\n' {
			s.at++
		}
	case '\n', '\u2028', '\u2029': // the string goes on in the next line
	default:
		b.WriteRune(r)
	}
	return nil
}

// lowSurrogate completes a surrogate pair when its second half follows. A lone half becomes U+FFFD.
func (s *scanner) lowSurrogate(code rune) rune {
	if !utf16.IsSurrogate(code) {
		return code
	}
	back := s.at
	if s.at+1 < len(s.src) && s.src[s.at] == '\\' && s.src[s.at+1] == 'u' {
		s.at += 2
		if low, err := s.hex(4); err == nil {
			if pair := utf16.DecodeRune(code, low); pair != utf8.RuneError {
				return pair
			}
		}
		s.at = back
	}
	return utf8.RuneError
}

// number reads a JSON5 number: sign, hexadecimal, leading or trailing point, exponent, Infinity, NaN.
// It gives the value and its JSON spelling ("" for Infinity and NaN).
func (s *scanner) number() (float64, string, error) {
	start := s.at
	negative := false
	if c, _ := s.peek(); c == '+' || c == '-' {
		negative = c == '-'
		s.at++
	}
	if c, _ := s.peek(); c == 'I' || c == 'N' {
		return s.wordNumber(start, negative)
	}
	if rest := s.src[s.at:]; len(rest) > 1 && rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X') {
		return s.hexNumber(start, negative)
	}
	whole := s.digits()
	fraction, point := "", false
	if c, _ := s.peek(); c == '.' {
		s.at++
		point, fraction = true, s.digits()
	}
	if whole == "" && fraction == "" {
		return 0, "", s.errorAt(start, "expected a number, found %s", s.found())
	}
	if len(whole) > 1 && whole[0] == '0' {
		return 0, "", s.errorAt(start, "a number may not begin with 0; quote it when it is an id")
	}
	exponent := ""
	if c, _ := s.peek(); c == 'e' || c == 'E' {
		s.at++
		sign := ""
		if c, _ := s.peek(); c == '+' || c == '-' {
			sign = string(c)
			s.at++
		}
		digits := s.digits()
		if digits == "" {
			return 0, "", s.errorAt(s.at, "the exponent has no digits")
		}
		exponent = "e" + sign + digits
	}
	if c, width := s.peek(); width > 0 && (isNamePart(c) || c == '.') {
		return 0, "", s.errorAt(start, "this number is followed by %s; quote it when it is an id", s.found())
	}
	text := whole
	if text == "" {
		text = "0"
	}
	if point && fraction != "" {
		text += "." + fraction
	}
	text += exponent
	if negative {
		text = "-" + text
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil && math.IsInf(value, 0) {
		return 0, "", s.errorAt(start, "this number is too large")
	}
	return value, text, nil
}

func (s *scanner) wordNumber(start int, negative bool) (float64, string, error) {
	word, err := s.name()
	if err != nil {
		return 0, "", err
	}
	switch word {
	case "Infinity":
		if negative {
			return math.Inf(-1), "", nil
		}
		return math.Inf(1), "", nil
	case "NaN":
		return math.NaN(), "", nil
	}
	return 0, "", s.errorAt(start, "%q is no value; strings need quotes", word)
}

func (s *scanner) hexNumber(start int, negative bool) (float64, string, error) {
	s.at += 2
	first := s.at
	for s.at < len(s.src) {
		if _, ok := hexDigit(rune(s.src[s.at])); !ok {
			break
		}
		s.at++
	}
	if first == s.at {
		return 0, "", s.errorAt(start, "0x is followed by no hexadecimal digit")
	}
	if c, width := s.peek(); width > 0 && isNamePart(c) {
		return 0, "", s.errorAt(start, "this hexadecimal number is followed by %s", s.found())
	}
	if s.at-first > 64 {
		return 0, "", s.errorAt(start, "this number is too large")
	}
	value, _ := new(big.Int).SetString(string(s.src[first:s.at]), 16)
	if negative {
		value.Neg(value)
	}
	f, _ := new(big.Float).SetInt(value).Float64()
	return f, value.String(), nil
}

func (s *scanner) digits() string {
	start := s.at
	for s.at < len(s.src) && s.src[s.at] >= '0' && s.src[s.at] <= '9' {
		s.at++
	}
	return string(s.src[start:s.at])
}
