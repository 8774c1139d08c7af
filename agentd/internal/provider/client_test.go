package provider

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// readFirst makes a call and reads one line of its answer, as a reader of events does.
func readFirst(t *testing.T, c *http.Client, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReaderSize(res.Body, 16).ReadString('\n')
	if err != nil || line != "event\n" {
		t.Errorf("read %q, %v", line, err)
	}
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
}

func TestACallLeavesItsConnectionToTheNext(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "event\n")
		w.(http.Flusher).Flush()
		fmt.Fprint(w, "\n: the end of the stream, which nobody waits for\n")
	}))
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := NewHTTPClient()
	defer c.CloseIdleConnections()
	for range 5 {
		readFirst(t, c, s.URL)
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("five calls opened %d connections, want 1", n)
	}
}

func TestAStreamWithoutAnEndIsLetGo(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "event\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer s.Close() // waits for the handler, which ends with its connection
	readFirst(t, NewHTTPClient(), s.URL)
}
