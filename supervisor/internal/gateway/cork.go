package gateway

import (
	"net"
	"sync"
)

// corkMax is how many bytes a corked connection keeps back before it writes anyway.
const corkMax = 64 << 10

// corkBuffers are the buffers of corked connections: an idle connection holds none.
var corkBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

// corkConn is a connection whose writes can be kept back for a moment, so that several
// frames that wait anyway leave in one system call. Uncorked it writes through.
type corkConn struct {
	net.Conn

	mu     sync.Mutex // guards all below, and the order of writes
	corked bool
	kept   *[]byte
}

// Write implements net.Conn.
func (c *corkConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.corked {
		return c.Conn.Write(p)
	}
	if c.kept == nil {
		c.kept = corkBuffers.Get().(*[]byte)
	}
	*c.kept = append(*c.kept, p...)
	if len(*c.kept) >= corkMax {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// cork keeps back what is written from now on.
func (c *corkConn) cork() {
	c.mu.Lock()
	c.corked = true
	c.mu.Unlock()
}

// uncork writes what was kept back.
func (c *corkConn) uncork() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked = false
	err := c.flush()
	if b := c.kept; b != nil {
		c.kept = nil
		if cap(*b) <= 2*corkMax {
			corkBuffers.Put(b)
		}
	}
	return err
}

// flush is called with mu held.
func (c *corkConn) flush() error {
	if c.kept == nil || len(*c.kept) == 0 {
		return nil
	}
	_, err := c.Conn.Write(*c.kept)
	*c.kept = (*c.kept)[:0]
	return err
}

// corkListener gives connections that can be corked.
type corkListener struct{ net.Listener }

// Accept implements net.Listener.
func (l corkListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &corkConn{Conn: c}, nil
}
