package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
)

const pageSize = 4096

// conn is one SQLite connection with its prepared statements. It belongs to one
// goroutine at a time. Statements run without a context on purpose: each is short, and an
// interrupted one would undo the work of others in the same transaction.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
}

func (c *conn) exec(query string) error {
	_, err := c.c.ExecContext(context.Background(), query)
	return classify(err)
}

func (c *conn) stmt(query string) (*sql.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	s, err := c.c.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, classify(err)
	}
	c.stmts[query] = s
	return s, nil
}

func (c *conn) limit(ctx context.Context, maxBytes int64) error {
	pages := int64(4294967294)
	if maxBytes > 0 {
		pages = max(maxBytes/pageSize, 1)
	}
	var got int64
	if err := c.c.QueryRowContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&got); err != nil {
		return fmt.Errorf("limit the journal: %w", classify(err))
	}
	return nil
}

func (c *conn) close() {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	_ = c.c.Close()
}

// pool holds the writer's connection and those of the readers, which are opened when first needed.
type pool struct {
	db     *sql.DB
	writer *conn
	slots  chan struct{} // one token for each View under way

	mu     sync.Mutex // guards idle and closed
	idle   []*conn
	closed bool
}

func dsn(path string, query url.Values) string {
	u := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	return u.String()
}

func openPool(ctx context.Context, path string, readers int) (*pool, error) {
	pragmas := url.Values{"_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"temp_store(MEMORY)", "cache_size(-2048)", "journal_size_limit(16777216)",
	}}
	db, err := sql.Open("sqlite", dsn(path, pragmas))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers + 1)
	db.SetMaxIdleConns(readers + 1)
	p := &pool{db: db, slots: make(chan struct{}, readers)}
	if p.writer, err = p.connect(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return p, nil
}

func (p *pool) connect(ctx context.Context) (*conn, error) {
	c, err := p.db.Conn(ctx)
	if err != nil {
		return nil, classify(err)
	}
	return &conn{c: c, stmts: map[string]*sql.Stmt{}}, nil
}

// take lends a reader's connection; give returns it.
func (p *pool) take(ctx context.Context) (*conn, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		<-p.slots
		return nil, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	c, err := p.connect(ctx)
	if err == nil {
		err = c.exec("PRAGMA query_only = 1")
	}
	if err != nil {
		<-p.slots
		return nil, err
	}
	return c, nil
}

func (p *pool) give(c *conn) {
	p.mu.Lock()
	if p.closed {
		c.close()
	} else {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	<-p.slots
}

// close waits for the readers and closes everything.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	for range cap(p.slots) {
		<-p.slots // later callers learn that it is closed
	}
	for _, c := range p.idle {
		c.close()
	}
	p.writer.close()
	_ = p.db.Close()
}

func noRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
