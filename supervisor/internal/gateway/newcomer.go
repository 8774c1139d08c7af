package gateway

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// newcomers bounds sockets that have been opened and said nothing: when there
// are too many, the oldest is closed.
type newcomers struct {
	limit int

	mu    sync.Mutex
	order *list.List // of net.Conn, oldest first
	at    map[net.Conn]*list.Element
}

func newNewcomers(limit int) *newcomers {
	return &newcomers{limit: limit, order: list.New(), at: make(map[net.Conn]*list.Element)}
}

// watch is an http.Server's ConnState.
func (n *newcomers) watch(c net.Conn, state http.ConnState) {
	if oldest := n.note(c, state); oldest != nil {
		_ = oldest.Close()
	}
}

// note keeps the books and says which socket has to go.
func (n *newcomers) note(c net.Conn, state http.ConnState) net.Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	if state != http.StateNew {
		if e := n.at[c]; e != nil {
			n.order.Remove(e)
			delete(n.at, c)
		}
		return nil
	}
	n.at[c] = n.order.PushBack(c)
	if n.order.Len() <= n.limit {
		return nil
	}
	oldest := n.order.Remove(n.order.Front()).(net.Conn)
	delete(n.at, oldest)
	return oldest
}
