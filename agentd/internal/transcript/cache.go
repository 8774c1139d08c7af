package transcript

import (
	"os"
	"sync"
)

// maxCached bounds what a Cache keeps, in bytes of the files.
const maxCached = 4 << 20

// Cache remembers what files hold after their writer has closed them, so that the
// next writer need not read them again. A file that was touched by anybody else in
// between is read anew. It is safe for concurrent use; its zero value is ready.
type Cache struct {
	mu    sync.Mutex
	size  int64
	order []string // paths, the longest unused first
	known map[string]remembered
}

// remembered is a file's content and by what the file is recognised.
type remembered struct {
	info    os.FileInfo
	header  *header
	entries []Entry
	ids     map[string]bool
}

// take returns what is known of the file at path if it is still the same, and
// forgets it: the caller goes on to change it.
func (c *Cache) take(path string) (remembered, bool) {
	if c == nil {
		return remembered{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.known[path]
	if !ok {
		return r, false
	}
	c.drop(path)
	info, err := os.Stat(path)
	same := err == nil && os.SameFile(info, r.info) && info.Size() == r.info.Size() && info.ModTime().Equal(r.info.ModTime())
	return r, same
}

// put remembers a file. The caller must still hold its lock.
func (c *Cache) put(path string, r remembered) {
	if c == nil || r.info.Size() > maxCached/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string]remembered{}
	}
	if _, ok := c.known[path]; ok {
		c.drop(path)
	}
	c.known[path] = r
	c.order = append(c.order, path)
	c.size += r.info.Size()
	for c.size > maxCached {
		c.drop(c.order[0])
	}
}

// drop is called with the lock held.
func (c *Cache) drop(path string) {
	c.size -= c.known[path].info.Size()
	delete(c.known, path)
	for i, p := range c.order {
		if p == path {
			c.order = append(c.order[:i:i], c.order[i+1:]...)
			return
		}
	}
}
