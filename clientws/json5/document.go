package json5

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrNoContainer is given when an edit would have to go through a value that is neither object nor array.
var ErrNoContainer = errors.New("the path leads through a value that holds no keys")

// Document is a text that can be edited key by key. Bytes that no edit names stay as they are: comments, order, blank
// lines, quoting. A comment is only ever lost with the value it stands inside of.
// A Document belongs to one goroutine at a time.
type Document struct {
	src  []byte
	root *Node
}

// NewDocument parses a text. A text of nothing but blanks counts as an empty object.
func NewDocument(src []byte) (*Document, error) {
	if len(bytes.TrimSpace(src)) == 0 {
		src = []byte("{}\n")
	}
	root, err := Parse(src)
	if err != nil {
		return nil, err
	}
	return &Document{src: bytes.Clone(src), root: root}, nil
}

// Bytes is the text as it stands now. The caller may keep and change the slice.
func (d *Document) Bytes() []byte { return bytes.Clone(d.src) }

// Root is the parsed text; valid until the next edit.
func (d *Document) Root() *Node { return d.root }

// Value converts the whole text, see [Node.Value].
func (d *Document) Value() any { return d.root.Value() }

// Get gives the value at a path, and whether there is one.
func (d *Document) Get(path Path) (any, bool) {
	node := d.root.Find(path)
	if node == nil {
		return nil, false
	}
	return node.Value(), true
}

// Position is where the value at a path stands: the key of an object member, the value of an array element.
// For a path that is not there it is the place of the nearest value above it.
func (d *Document) Position(path Path) Pos {
	for n := len(path); n > 0; n-- {
		if node := d.root.Find(path[:n]); node != nil {
			if member := d.root.Find(path[:n-1]).Member(path[n-1]); member != nil {
				return position(d.src, member.KeyStart)
			}
			return position(d.src, node.Start)
		}
	}
	return position(d.src, d.root.Start)
}

// ValuePosition is where the value at a path begins; for a path that is not there as [Document.Position].
func (d *Document) ValuePosition(path Path) Pos {
	if node := d.root.Find(path); node != nil {
		return position(d.src, node.Start)
	}
	return d.Position(path)
}

// Set gives the value at a path, making the objects on the way. A value that is equal already is left alone to the
// byte; of an object or array only what differs is touched. An index equal to an array's length appends.
// On an error the document is unchanged.
func (d *Document) Set(path Path, value any) error {
	normal, err := Normalize(value)
	if err != nil {
		return fmt.Errorf("set %s: %w", path, err)
	}
	before := *d
	if err := d.set(path, normal); err != nil {
		*d = before
		return fmt.Errorf("set %s: %w", path, err)
	}
	return nil
}

// Unset removes the key or element at a path and reports whether it was there. On an error the document is unchanged.
func (d *Document) Unset(path Path) (bool, error) {
	if len(path) == 0 {
		return false, fmt.Errorf("unset: %w", errors.New("the root cannot be removed"))
	}
	if d.root.Find(path) == nil {
		return false, nil
	}
	before := *d
	// A key may be written twice; while one is left the value would only change, not go.
	for d.root.Find(path) != nil {
		if err := d.remove(path); err != nil {
			*d = before
			return false, fmt.Errorf("unset %s: %w", path, err)
		}
		if d.root.Find(path[:len(path)-1]).Kind == Array {
			break
		}
	}
	return true, nil
}

func (d *Document) set(path Path, value any) error {
	node := d.root.Find(path)
	if node != nil {
		return d.change(path, node, value)
	}
	// Find the deepest container that exists, and wrap the value in what is missing below it.
	have := len(path) - 1
	for d.root.Find(path[:have]) == nil {
		have--
	}
	for i := len(path) - 1; i > have; i-- {
		if path[i] == "0" {
			value = []any{value}
			continue
		}
		value = map[string]any{path[i]: value}
	}
	parent := d.root.Find(path[:have])
	switch parent.Kind {
	case Object:
		return d.insertMember(parent, path[have], value)
	case Array:
		index, ok := arrayIndex(path[have])
		if !ok || index != len(parent.Items) {
			return fmt.Errorf("%s is no index of the array %s, which has %d elements", path[have], path[:have], len(parent.Items))
		}
		return d.insertItem(parent, len(parent.Items), value)
	case Null:
		return d.change(path[:have], parent, map[string]any{path[have]: value})
	}
	return fmt.Errorf("%w: %s is a %s", ErrNoContainer, path[:have], parent.Kind)
}

// change makes an existing value equal to the wanted one, touching as little as possible.
func (d *Document) change(path Path, node *Node, value any) error {
	if Equal(node.Value(), value) {
		return nil
	}
	switch want := value.(type) {
	case map[string]any:
		if node.Kind == Object {
			return d.changeObject(path, node, want)
		}
	case []any:
		if node.Kind == Array {
			return d.changeArray(path, node, want)
		}
	}
	text, err := d.style().write(value, d.indentAt(node.Start))
	if err != nil {
		return err
	}
	return d.splice(node.Start, node.End, text)
}

func (d *Document) changeObject(path Path, node *Node, want map[string]any) error {
	for _, member := range node.Members {
		if _, keep := want[member.Key]; !keep {
			if _, err := d.Unset(path.Join(member.Key)); err != nil {
				return err
			}
		}
	}
	for _, key := range sortedKeys(want) {
		if err := d.set(path.Join(key), want[key]); err != nil {
			return err
		}
	}
	return nil
}

// changeArray keeps the elements that are equal at the front and at the back, and changes what lies between.
func (d *Document) changeArray(path Path, node *Node, want []any) error {
	have := node.Value().([]any)
	front := 0
	for front < len(have) && front < len(want) && Equal(have[front], want[front]) {
		front++
	}
	back := 0
	for back < len(have)-front && back < len(want)-front && Equal(have[len(have)-1-back], want[len(want)-1-back]) {
		back++
	}
	oldMiddle, newMiddle := len(have)-front-back, len(want)-front-back
	paired := 0
	if oldMiddle == newMiddle {
		paired = oldMiddle
	}
	for i := range paired {
		if err := d.set(path.Join(itoa(front+i)), want[front+i]); err != nil {
			return err
		}
	}
	for i := oldMiddle - 1; i >= paired; i-- {
		if err := d.remove(path.Join(itoa(front + i))); err != nil {
			return err
		}
	}
	for i := paired; i < newMiddle; i++ {
		if err := d.insertItem(d.root.Find(path), front+i, want[front+i]); err != nil {
			return err
		}
	}
	return nil
}
