package telegram

import (
	"html"
	"regexp"
	"strings"
)

// Entity is a formatted stretch of a text; Offset and Length count UTF-16 units.
type Entity struct {
	Type     string
	Offset   int
	Length   int
	URL      string
	Language string
}

var (
	tagForm   = regexp.MustCompile(`^<(/?)([a-z-]+)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*>`)
	attribute = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

var tagTypes = map[string]string{
	"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline", "s": "strikethrough", "strike": "strikethrough",
	"del": "strikethrough", "code": "code", "pre": "pre", "a": "text_link", "tg-spoiler": "spoiler", "blockquote": "blockquote",
}

type openTag struct {
	name string
	Entity
}

// parseHTML reads the Bot API's subset; its errors read as the real server's do.
func parseHTML(src string) (string, []Entity, *apiError) {
	var out strings.Builder
	var open []openTag
	var done []Entity
	n := 0 // UTF-16 units written
	for at := 0; at < len(src); {
		switch {
		case src[at] == '<':
			m := tagForm.FindStringSubmatch(src[at:])
			if m == nil {
				return "", nil, badRequest("can't parse entities: Unsupported start tag at byte offset %d", at)
			}
			closing, name := m[1] != "", m[2]
			kind := tagTypes[name]
			switch {
			case kind == "":
				return "", nil, badRequest("can't parse entities: Unsupported start tag \"%s\" at byte offset %d", name, at)
			case closing && (len(open) == 0 || open[len(open)-1].name != name):
				return "", nil, badRequest("can't parse entities: Unmatched end tag at byte offset %d", at)
			case closing:
				e := open[len(open)-1].Entity
				open = open[:len(open)-1]
				if e.Length = n - e.Offset; e.Length > 0 {
					done = append(done, e)
				}
			default:
				e := Entity{Type: kind, Offset: n}
				for _, a := range attribute.FindAllStringSubmatch(m[3], -1) {
					switch v := html.UnescapeString(a[2]); a[1] {
					case "href":
						e.URL = v
					case "class":
						e.Language = strings.TrimPrefix(v, "language-")
					}
				}
				if name == "a" && e.URL == "" {
					return "", nil, badRequest("can't parse entities: Tag \"a\" must have attribute \"href\" at byte offset %d", at)
				}
				open = append(open, openTag{name, e})
			}
			at += len(m[0])
		case src[at] == '&':
			end := strings.IndexByte(src[at:], ';')
			ref := "&"
			if end > 0 && end < 12 {
				ref = src[at : at+end+1]
			}
			s := html.UnescapeString(ref)
			out.WriteString(s)
			n += units(s)
			at += len(ref)
		default:
			end := strings.IndexAny(src[at:], "<&")
			if end < 0 {
				end = len(src) - at
			}
			out.WriteString(src[at : at+end])
			n += units(src[at : at+end])
			at += end
		}
	}
	if len(open) > 0 {
		return "", nil, badRequest("can't parse entities: Can't find end tag corresponding to start tag \"%s\"", open[len(open)-1].name)
	}
	return strings.TrimSpace(out.String()), done, nil
}
