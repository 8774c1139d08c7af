package json5

import "unicode/utf8"

// MaxDepth is how deep objects and arrays may be nested.
const MaxDepth = 200

// MaxSize is the largest text that [Parse] takes, in bytes.
const MaxSize = 16 << 20

// Parse reads one JSON5 value and nothing behind it but blanks and comments. Every error is a [*SyntaxError].
func Parse(src []byte) (*Node, error) {
	p := parser{scanner{src: src}}
	if len(src) > MaxSize {
		return nil, p.errorAt(0, "the file is larger than %d MiB", MaxSize>>20)
	}
	if err := p.skip(); err != nil {
		return nil, err
	}
	if p.at == len(src) {
		return nil, p.errorAt(p.at, "the file holds no value")
	}
	node, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if err := p.skip(); err != nil {
		return nil, err
	}
	if p.at < len(src) {
		return nil, p.errorAt(p.at, "expected the end of the file, found %s", p.found())
	}
	return node, nil
}

type parser struct{ scanner }

func (p *parser) value(depth int) (*Node, error) {
	if depth > MaxDepth {
		return nil, p.errorAt(p.at, "nested deeper than %d levels", MaxDepth)
	}
	start := p.at
	r, width := p.peek()
	node := &Node{Start: start}
	var err error
	switch {
	case width == 0:
		return nil, p.errorAt(start, "expected a value, found the end of the file")
	case r == utf8.RuneError && width == 1:
		return nil, p.errorAt(start, "the file is not UTF-8 text")
	case r == '{':
		err = p.object(node, depth)
	case r == '[':
		err = p.array(node, depth)
	case r == '"' || r == '\'':
		node.Kind = String
		node.text, err = p.quoted()
	case r == '+' || r == '-' || r == '.' || (r >= '0' && r <= '9') || r == 'I' || r == 'N':
		node.Kind = Number
		node.number, node.text, err = p.number()
	case isNameStart(r):
		err = p.word(node)
	default:
		return nil, p.errorAt(start, "expected a value, found %s", p.found())
	}
	if err != nil {
		return nil, err
	}
	node.End = p.at
	return node, nil
}

func (p *parser) word(node *Node) error {
	start := p.at
	word, err := p.name()
	if err != nil {
		return err
	}
	switch word {
	case "true":
		node.Kind, node.truth = Bool, true
	case "false":
		node.Kind = Bool
	case "null":
		node.Kind = Null
	default:
		return p.errorAt(start, "%q is no value; strings need quotes", word)
	}
	return nil
}

func (p *parser) object(node *Node, depth int) error {
	node.Kind = Object
	open := p.at
	p.at++
	for {
		if err := p.skip(); err != nil {
			return err
		}
		r, width := p.peek()
		switch {
		case width == 0:
			return p.errorAt(open, `the "{" opened here is never closed`)
		case r == '}':
			p.at++
			return nil
		}
		member, err := p.member(depth)
		if err != nil {
			return err
		}
		closed, err := p.separator(&member.Comma, '}', open, member.Key)
		if err != nil {
			return err
		}
		node.Members = append(node.Members, member)
		if closed {
			return nil
		}
	}
}

func (p *parser) member(depth int) (Member, error) {
	m := Member{KeyStart: p.at, Comma: -1}
	var err error
	switch r, _ := p.peek(); {
	case r == '"' || r == '\'':
		m.Key, err = p.quoted()
	case isNameStart(r) || r == '\\':
		m.Key, err = p.name()
	default:
		return m, p.errorAt(p.at, `expected a key or "}", found %s`, p.found())
	}
	if err != nil {
		return m, err
	}
	m.KeyEnd = p.at
	if err := p.skip(); err != nil {
		return m, err
	}
	if r, _ := p.peek(); r != ':' {
		return m, p.errorAt(p.at, `expected ":" after the key %q, found %s`, m.Key, p.found())
	}
	p.at++
	if err := p.skip(); err != nil {
		return m, err
	}
	m.Value, err = p.value(depth + 1)
	return m, err
}

func (p *parser) array(node *Node, depth int) error {
	node.Kind = Array
	open := p.at
	p.at++
	for {
		if err := p.skip(); err != nil {
			return err
		}
		r, width := p.peek()
		switch {
		case width == 0:
			return p.errorAt(open, `the "[" opened here is never closed`)
		case r == ']':
			p.at++
			return nil
		}
		value, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		item := Item{Value: value, Comma: -1}
		closed, err := p.separator(&item.Comma, ']', open, "")
		if err != nil {
			return err
		}
		node.Items = append(node.Items, item)
		if closed {
			return nil
		}
	}
}

// separator passes the comma behind a value, or the closing bracket.
func (p *parser) separator(comma *int, closing rune, open int, key string) (closed bool, err error) {
	end := p.at
	if err := p.skip(); err != nil {
		return false, err
	}
	r, width := p.peek()
	switch {
	case r == ',' && width == 1:
		*comma = p.at
		p.at++
		return false, nil
	case r == closing && width == 1:
		p.at++
		return true, nil
	case width == 0:
		return false, p.errorAt(open, `the %q opened here is never closed`, string(p.src[open]))
	case key != "":
		return false, p.errorAt(end, `expected "," or %q after the value of %q, found %s`, string(closing), key, p.found())
	}
	return false, p.errorAt(end, `expected "," or %q after this element, found %s`, string(closing), p.found())
}
