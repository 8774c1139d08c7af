package gateway

import (
	"bytes"
	"net"
	"strings"
	"testing"
)

// writes is a connection that remembers each write.
type writes struct {
	net.Conn
	list []string
}

func (w *writes) Write(p []byte) (int, error) {
	w.list = append(w.list, string(p))
	return len(p), nil
}

func TestACorkedConnectionWritesOnce(t *testing.T) {
	w := &writes{}
	c := &corkConn{Conn: w}
	put := func(s string) {
		t.Helper()
		if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	put("a")
	c.cork()
	put("b")
	put("c")
	if len(w.list) != 1 {
		t.Errorf("a corked connection wrote %q", w.list)
	}
	if err := c.uncork(); err != nil {
		t.Fatal(err)
	}
	put("d")
	if got := strings.Join(w.list, "|"); got != "a|bc|d" {
		t.Errorf("writes %s, want a|bc|d", got)
	}
	c.cork()
	big := bytes.Repeat([]byte("x"), corkMax)
	put(string(big))
	if last := w.list[len(w.list)-1]; len(last) != corkMax {
		t.Errorf("what is over the bound was kept back: last write has %d bytes", len(last))
	}
	if err := c.uncork(); err != nil {
		t.Fatal(err)
	}
}
