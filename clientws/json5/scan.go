package json5

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanner walks over the bytes of a text. It knows blanks, comments, strings, numbers and names; the parser knows the rest.
type scanner struct {
	src []byte
	at  int
}

func (s *scanner) errorAt(offset int, format string, args ...any) error {
	return &SyntaxError{Pos: position(s.src, offset), Msg: fmt.Sprintf(format, args...)}
}

// peek gives the character at the reading point and its width; width 0 is the end.
func (s *scanner) peek() (rune, int) {
	if s.at >= len(s.src) {
		return 0, 0
	}
	if c := s.src[s.at]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRune(s.src[s.at:])
}

// found describes what stands at the reading point, for error messages.
func (s *scanner) found() string {
	r, width := s.peek()
	switch {
	case width == 0:
		return "the end of the file"
	case isNameStart(r):
		end := s.at
		for end < len(s.src) && end-s.at < 40 {
			r, w := utf8.DecodeRune(s.src[end:])
			if !isNamePart(r) {
				break
			}
			end += w
		}
		return fmt.Sprintf("%q", s.src[s.at:end])
	case r == '"' || r == '\'':
		return "a string"
	case r == '\n' || r == '\r':
		return "the end of the line"
	}
	return fmt.Sprintf("%q", string(r))
}

// skip passes blanks and comments.
func (s *scanner) skip() error {
	for {
		r, width := s.peek()
		switch {
		case width == 0:
			return nil
		case isBlank(r):
			s.at += width
		case r == '/' && s.at+1 < len(s.src) && s.src[s.at+1] == '/':
			for width > 0 && !isLineEnd(r) {
				s.at += width
				r, width = s.peek()
			}
		case r == '/' && s.at+1 < len(s.src) && s.src[s.at+1] == '*':
			end := strings.Index(string(s.src[s.at+2:]), "*/")
			if end < 0 {
				return s.errorAt(s.at, "the comment opened here is never closed by */")
			}
			s.at += 2 + end + 2
		case r == utf8.RuneError && width == 1:
			return s.errorAt(s.at, "the file is not UTF-8 text")
		default:
			return nil
		}
	}
}

// name reads an unquoted key or a literal word.
func (s *scanner) name() (string, error) {
	var b strings.Builder
	for {
		start := s.at
		r, width := s.peek()
		if r == '\\' && width == 1 {
			s.at++
			if c, _ := s.peek(); c != 'u' {
				return "", s.errorAt(start, `only \u escapes may stand in an unquoted key`)
			}
			s.at++
			code, err := s.hex(4)
			if err != nil {
				return "", err
			}
			if r = code; (b.Len() == 0 && !isNameStart(r)) || !isNamePart(r) {
				return "", s.errorAt(start, "this escape gives a character that an unquoted key cannot hold; quote the key")
			}
			b.WriteRune(r)
			continue
		}
		if width == 0 || (b.Len() == 0 && !isNameStart(r)) || !isNamePart(r) {
			return b.String(), nil
		}
		b.WriteRune(r)
		s.at += width
	}
}

// hex reads exactly n hexadecimal digits.
func (s *scanner) hex(n int) (rune, error) {
	var value rune
	for range n {
		r, width := s.peek()
		digit, ok := hexDigit(r)
		if width == 0 || !ok {
			return 0, s.errorAt(s.at, "expected %d hexadecimal digits, found %s", n, s.found())
		}
		value = value<<4 | digit
		s.at += width
	}
	return value, nil
}

func hexDigit(r rune) (rune, bool) {
	switch {
	case r >= '0' && r <= '9':
		return r - '0', true
	case r >= 'a' && r <= 'f':
		return r - 'a' + 10, true
	case r >= 'A' && r <= 'F':
		return r - 'A' + 10, true
	}
	return 0, false
}

func isLineEnd(r rune) bool { return r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' }

func isBlank(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '\v', '\f', '\u00a0', '\ufeff', '\u2028', '\u2029':
		return true
	}
	return r >= utf8.RuneSelf && unicode.Is(unicode.Zs, r)
}

func isNameStart(r rune) bool {
	return r == '$' || r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') ||
		(r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.Is(unicode.Nl, r)))
}

func isNamePart(r rune) bool {
	return isNameStart(r) || (r >= '0' && r <= '9') || r == '\u200c' || r == '\u200d' ||
		(r >= utf8.RuneSelf && unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc))
}
