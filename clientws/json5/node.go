package json5

import (
	"encoding/json"
	"math"
)

// Kind names the sort of a [Node].
type Kind uint8

// The kinds of a node.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// String gives the word that error messages use for the kind.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	}
	return "unknown"
}

// Node is one value of a parsed text and the bytes it occupies. Nodes are read-only after parsing.
type Node struct {
	Kind Kind
	// Start and End are byte offsets; the text of the value is src[Start:End].
	Start, End int
	// Members of an object, in written order; a repeated key is kept, the last one counts.
	Members []Member
	// Items of an array.
	Items []Item

	text   string  // String: decoded; Number: canonical JSON text
	number float64 // Number: its value, Infinity and NaN included
	truth  bool    // Bool
}

// Member is one key of an object with its value.
type Member struct {
	Key string
	// KeyStart and KeyEnd bound the key as written, quotes included.
	KeyStart, KeyEnd int
	Value            *Node
	// Comma is the offset of the comma behind the value, -1 where there is none.
	Comma int
}

// Item is one element of an array.
type Item struct {
	Value *Node
	// Comma is the offset of the comma behind the value, -1 where there is none.
	Comma int
}

// Text is the decoded string of a String node and the JSON spelling of a Number node, else "".
func (n *Node) Text() string { return n.text }

// Value converts a node to what encoding/json would have made of it: map[string]any, []any, string, bool, nil, and
// json.Number for numbers, so that long ids keep all their digits. Infinity and NaN, which JSON cannot say, are float64.
func (n *Node) Value() any {
	switch n.Kind {
	case Bool:
		return n.truth
	case String:
		return n.text
	case Number:
		if math.IsInf(n.number, 0) || math.IsNaN(n.number) {
			return n.number
		}
		return json.Number(n.text)
	case Array:
		items := make([]any, len(n.Items))
		for i, item := range n.Items {
			items[i] = item.Value.Value()
		}
		return items
	case Object:
		members := make(map[string]any, len(n.Members))
		for _, m := range n.Members {
			members[m.Key] = m.Value.Value()
		}
		return members
	}
	return nil
}

// Member finds a key of an object; of a repeated key the last. It gives nil where the node is no object or has no such key.
func (n *Node) Member(key string) *Member {
	if n == nil {
		return nil
	}
	for i := len(n.Members) - 1; i >= 0; i-- {
		if n.Members[i].Key == key {
			return &n.Members[i]
		}
	}
	return nil
}

// Find follows a path from this node. It gives nil where a step leads nowhere.
func (n *Node) Find(path Path) *Node {
	at := n
	for _, step := range path {
		if at == nil {
			return nil
		}
		switch at.Kind {
		case Object:
			m := at.Member(step)
			if m == nil {
				return nil
			}
			at = m.Value
		case Array:
			i, ok := arrayIndex(step)
			if !ok || i >= len(at.Items) {
				return nil
			}
			at = at.Items[i].Value
		default:
			return nil
		}
	}
	return at
}
